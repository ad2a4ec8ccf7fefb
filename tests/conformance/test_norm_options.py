"""What the normalising layers share: options decide, and what stands beside them."""

import warnings
from typing import Any

import numpy as np
import pytest
import torch

import lxc
from lxc import nn
from lxc.errors import LxcError
from lxc.ir.graph import Graph
from lxc.ir.node import walk
from lxc.passes import LAYER_PIPELINE, TENSOR_PIPELINE, passes_named, run_passes
from lxc.targets import TARGETS
from lxc.targets.compile import target_program
from tests.conformance.columns import Column, close, close_sums, draw, f32, same
from tests.conformance.rows import row

# Without types: star arguments fill optional parameters of several kinds.
functional: Any = torch.nn.functional
LAYERS: list[Any] = [
    (lambda affine: nn.BatchNorm(4, affine=affine), "train"),
    (lambda affine: nn.GroupNorm(4, 2, affine=affine), "train"),
    (lambda affine: nn.GroupNorm(4, 2, affine=affine), "test"),
    (lambda affine: nn.InstanceNorm(4, affine=affine), "train"),
    (lambda affine: nn.LayerNorm((4, 1), dims=(1, 2), affine=affine), "train"),
]


@row("BNM-05")
@row("GNM-04a")
@row("INM-01c")
@row("LNM-04")
@row("D3")
@pytest.mark.parametrize(
    ("make", "mode"), LAYERS, ids=["batch", "group", "tested", "instance", "layer"]
)
def test_the_option_decides_whether_there_are_scale_and_bias(
    column: Column, make: Any, mode: str
) -> None:
    x, (ps, st) = draw(3, 4, 5), lxc.setup(0, make(True))
    for name in ("scale", "bias"):
        lacking = {key: leaf for key, leaf in ps.items() if key != name}
        with pytest.raises(LxcError, match=f"no entry for {name}") as caught:
            column(make(True), x, lacking, st, mode)
        assert caught.value.code == "LXC-E0105"
    shape = ps["scale"].shape
    ps = {"scale": draw(*shape, seed=1), "bias": draw(*shape, seed=2)}
    plain = column(make(False), x, {}, st, mode)[0]
    same(column(make(False), x, ps, st, mode)[0], plain)
    scaled = column(make(True), x, ps, st, mode)[0]
    scale, bias = (ps[name].reshape(4, 1) for name in ("scale", "bias"))
    close_sums(
        scaled, (torch.tensor(plain) * torch.tensor(scale) + torch.tensor(bias)).numpy()
    )


@row("BNM-03", eager_because="what is folded is seen in the two halves of the program")
@pytest.mark.parametrize(
    ("layer", "shape"), [(nn.Conv((3,), 2, 3), (2, 2, 6)), (nn.Dense(4, 3), (2, 4))]
)
def test_running_statistics_fold_when_parameters_are_prepared(
    layer: Any, shape: tuple[int, ...]
) -> None:
    model = nn.Chain(layer, nn.BatchNorm(3, nn.relu))
    graph = lxc.trace(model, draw(*shape), *lxc.setup(0, model), mode="test")
    done = run_passes(graph, passes_named((*LAYER_PIPELINE, *TENSOR_PIPELINE))).program
    assert isinstance(done, Graph)
    _, program = target_program(done, TARGETS["x86-64-v2"])
    once, calls = (
        [node.op.name for node in walk(half.nodes)]
        for half in (program.prepare, program.run)
    )
    assert {"sqrt", "divide", "multiply", "subtract"} <= set(once)
    assert not {"sqrt", "divide", "multiply", "subtract"} & set(calls)
    assert calls.count("add") == 1


@row("BNM-06")
@row("D15")
@row("T49")
def test_one_artifact_takes_a_batch_of_one_and_of_more(column: Column) -> None:
    model = nn.BatchNorm(2)
    _, st = lxc.setup(0, model)
    ps = {"scale": f32([1, 2]), "bias": f32([3, 4])}
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 8), 2), "float32")
    call = column.built(model, spec, ps, st)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y, after = call(f32([[5, 6]]), ps, st)
    same(y, f32([[3, 4]]))
    close(after["running_mean"], f32([0.5, 0.6]))
    assert np.isnan(after["running_var"]).all()
    _, after = call(f32([[1, 2], [3, 4], [5, 6]]), ps, st)
    close(after["running_var"], f32([1.3, 1.3]))


@row("BNM-08e")
def test_the_network_of_the_page_is_that_of_torch(column: Column) -> None:
    model = nn.Chain(
        *(nn.Dense(784, 64), nn.BatchNorm(64, nn.relu)),
        *(nn.Dense(64, 10), nn.BatchNorm(10)),
    )
    ps, st = lxc.setup(0, model)
    twin: Any = torch.nn.Sequential(
        *(torch.nn.Linear(784, 64), torch.nn.BatchNorm1d(64), torch.nn.ReLU()),
        *(torch.nn.Linear(64, 10), torch.nn.BatchNorm1d(10)),
    )
    names = {"weight": "weight", "scale": "weight", "bias": "bias"}
    with torch.no_grad():
        for key, place in (("layer_1", 0), ("layer_2", 1), ("layer_3", 3), ("layer_4", 4)):
            for name, leaf in ps[key].items():
                getattr(twin[place], names[name]).copy_(torch.tensor(leaf))
    x = draw(5, 784)
    y, after = column(model, x, ps, st)
    close(y, twin(torch.tensor(x)).detach().numpy(), rtol=1e-4, atol=1e-4)
    y, _ = column(model, x, ps, after, "test")
    close(y, twin.eval()(torch.tensor(x)).detach().numpy(), rtol=1e-4, atol=1e-4)
    close_sums(after["layer_2"]["running_var"], twin[1].running_var.numpy())


@row("GNM-04f")
@row("INM-01a")
def test_groups_of_one_channel_are_instances_and_one_group_is_a_layer(
    column: Column,
) -> None:
    layers = (
        *(nn.GroupNorm(4, 4), nn.InstanceNorm(4), nn.GroupNorm(4, 1)),
        nn.LayerNorm((4, 1), dims=(1, 2), affine=True),
    )
    model, x = nn.BranchLayer(*layers), draw(3, 4, 5)
    ps, st = lxc.setup(0, model)
    own = {"scale": draw(4, seed=1), "bias": draw(4, seed=2)}
    ps = {
        key: {name: own[name].reshape(leaf.shape) for name, leaf in part.items()}
        for key, part in ps.items()
    }
    (apart, instance, together, layer), _ = column(model, x, ps, st)
    close_sums(apart, instance)
    close_sums(together, layer)
    assert np.abs(apart - together).max() > 0.1


@row("INM-01b")
@row("D11")
@row("T48")
def test_instance_norm_behind_a_dense_is_refused_by_name(column: Column) -> None:
    model = nn.Chain(nn.Dense(5, 8), nn.InstanceNorm(8))
    with pytest.raises(LxcError, match=r"layer_2 \(InstanceNorm\)") as caught:
        column.fresh(model, draw(4, 5))
    assert caught.value.code == "LXC-E0103"
    with pytest.raises(LxcError, match="an activation is a function"):
        nn.Chain(nn.Dense(5, 8), nn.InstanceNorm(8, 5))  # type: ignore[arg-type]


@row("LNM-02")
@row("LNM-05")
def test_whole_numbers_of_numpy_are_sizes_and_axes(column: Column) -> None:
    size: Any
    size, axis = np.asarray([3, -1])
    model = nn.LayerNorm(size, dims=axis)
    assert model == nn.LayerNorm((3,), dims=(-1,))
    x = draw(2, 3)
    close_sums(column.fresh(model, x), functional.layer_norm(torch.tensor(x), (3,)).numpy())
    wrong: tuple[Any, ...] = (1.5, "1")
    for dims in wrong:
        with pytest.raises(LxcError, match="dims is a whole number") as caught:
            nn.LayerNorm(3, dims=dims)
        assert caught.value.code == "LXC-E0101"


@row("WNM-01")
@pytest.mark.parametrize(
    ("dtype", "eps"), [("float16", 2.0**-10), ("float32", 2.0**-23), ("float64", 2.0**-52)]
)
def test_epsilon_is_that_of_the_element_type(
    column: Column, dtype: Any, eps: float
) -> None:
    model = nn.WeightNorm(nn.Dense(1, 2, use_bias=False), "weight", (0,))
    normalized = {
        "weight_g": np.asarray([[1], [8]], dtype),
        "weight_v": np.asarray([[3 * eps], [eps]], dtype),
    }
    ps = {"normalized": normalized, "unnormalized": {}}
    # The norms are 3 eps and eps, so that 3/4 and a half of the lengths are left.
    y = column(model, np.ones((1, 1), dtype), ps, {})[0]
    assert y.dtype == dtype
    close(y, np.asarray([[0.75, 4]], dtype))
