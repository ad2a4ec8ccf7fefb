"""WeightNorm, and what an artifact computes of it once."""

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

BATCH = lxc.Dim("N", 1, 8)
SET_UP = "lengths and directions are made at set-up"
V = f32([[3, 0], [4, 5]])


def given(rng: Any, *shape: int) -> Any:
    """Return the matrix of the table."""
    assert shape == (2, 2)
    return V


def dense(dims: Any) -> nn.WeightNorm:
    layer = nn.Dense(2, 2, use_bias=False, init_weight=given)
    return nn.WeightNorm(layer, ("weight",), dims)


@row("WNM-01")
@row("WNM-03")
def test_a_fresh_layer_does_what_the_plain_one_does(column: Column) -> None:
    plain = nn.Conv((3,), 2, 4, nn.relu, init_bias=nn.ones32)
    model = nn.WeightNorm(plain, ("weight", "bias"), (0, None))
    ps, st = lxc.setup(0, model)
    call = column.built(model, lxc.TensorSpec((BATCH, 2, 6), "float32"), ps, st)
    original = lxc.setup(0, plain)[0]
    for count in (1, 5):
        x = draw(count, 2, 6)
        expected = plain(x, original, {})[0]
        y, after = call(x, ps, st)
        close(y, expected, rtol=1e-6)
        assert after == {}


@row("WNM-01")
@row("WNM-03")
@row("T26")
def test_the_effective_weight_is_that_of_torch(column: Column) -> None:
    model = nn.WeightNorm(nn.CrossCor((3, 2), 2, 4), ("weight",), (0,))
    v, g = draw(4, 2, 3, 2), draw(4, 1, 1, 1, seed=1)
    bias = draw(4, seed=2)
    ps = {"normalized": {"weight_g": g, "weight_v": v}, "unnormalized": {"bias": bias}}
    weight = torch._weight_norm(torch.tensor(v), torch.tensor(g), 0)
    x = draw(2, 2, 5, 4)
    expected = torch.nn.functional.conv2d(torch.tensor(x), weight, torch.tensor(bias))
    close_sums(column(model, x, ps, {})[0], expected.numpy())


@row("WNM-01")
def test_the_state_is_that_of_the_layer(column: Column) -> None:
    options: dict[str, Any] = {"init_scale": lambda rng, n: f32([1, 2])}
    model = nn.WeightNorm(nn.BatchNorm(2, **options), "scale")
    ps, st = lxc.setup(0, model)
    assert list(st) == ["running_mean", "running_var", "training"]
    x = draw(5, 2)
    y, after = column(model, x, ps, st)
    mean, var = torch.zeros(2), torch.ones(2)
    expected = torch.nn.functional.batch_norm(
        torch.tensor(x), mean, var, torch.tensor([1.0, 2]), training=True
    )
    close_sums(y, expected.numpy())
    close(after["running_var"], var.numpy())


@row("WNM-01")
def test_epsilon_keeps_a_direction_of_zero_finite(column: Column) -> None:
    v = f32([[0, 0], [4, 3]])
    normalized = {"weight_g": f32([[1], [10]]), "weight_v": v}
    ps = {"normalized": normalized, "unnormalized": {}}
    y = column(dense((0,)), f32([[1, 1]]), ps, {})[0]
    close(y, f32([[0, 14]]))
    tiny = np.float32(2.0**-23)
    normalized = {"weight_g": f32([[1], [10]]), "weight_v": v * tiny / 5}
    ps = {"normalized": normalized, "unnormalized": {}}
    # The norm of the second row is epsilon: half of the length is left.
    close(column(dense((0,)), f32([[1, 1]]), ps, {})[0], f32([[0, 7]]))


@row("WNM-02")
@row("D2")
def test_without_dims_there_is_one_length(column: Column) -> None:
    model = dense(None)
    ps, st = lxc.setup(0, model)
    assert ps["normalized"]["weight_g"].shape == (1, 1)
    close(ps["normalized"]["weight_g"], f32([[7.071068]]))
    doubled = {**ps["normalized"], "weight_g": f32([[14.142136]])}
    y = column(model, f32([[1, 0], [0, 1]]), {**ps, "normalized": doubled}, st)[0]
    close(y, 2 * V.T)


@row("WNM-03", eager_because=SET_UP)
@row("T26", eager_because=SET_UP)
def test_the_axes_of_dims_are_kept() -> None:
    for dims, expected in (
        ((0,), [[3], [6.403124]]),
        ((1,), [[5, 5]]),
        ((-1,), [[5, 5]]),
        (1, [[5, 5]]),
        (((0, 1),), [[3, 0], [4, 5]]),
        ((None,), [[7.071068]]),
    ):
        close(lxc.setup(0, dense(dims))[0]["normalized"]["weight_g"], f32(expected))
    model = nn.WeightNorm(nn.Conv((3, 2), 2, 4), ("weight",), (0,))
    normalized = lxc.setup(0, model)[0]["normalized"]
    assert normalized["weight_g"].shape == (4, 1, 1, 1)
    lengths = torch.linalg.vector_norm(torch.tensor(normalized["weight_v"]), dim=(1, 2, 3))
    close(normalized["weight_g"].ravel(), lengths.numpy())


@row("WNM-03", eager_because=SET_UP)
def test_dims_and_names_are_checked() -> None:
    layer = nn.Dense(2, 2)
    for names, dims in (
        (("weight",), (0, 1)),
        (("weight", "bias"), (0,)),
        ((), None),
        (("weight", "weight"), None),
    ):
        with pytest.raises(LxcError) as caught:
            nn.WeightNorm(layer, names, dims)
        assert caught.value.code == "LXC-E0101"
    with pytest.raises(LxcError, match="no axis 2"):
        lxc.setup(0, dense((2,)))
    for wrong in (nn.WeightNorm(layer, "wieght"), nn.WeightNorm(nn.NoOpLayer(), "weight")):
        with pytest.raises(LxcError, match="to normalise") as caught:
            lxc.setup(0, wrong)
        assert caught.value.code == "LXC-E0101"


@row("WNM-04", eager_because=SET_UP)
@row("T26", eager_because=SET_UP)
def test_a_parameter_of_zeros_is_refused() -> None:
    names = ("weight", "bias")
    with pytest.raises(LxcError, match="the parameter bias is zero") as caught:
        lxc.setup(0, nn.WeightNorm(nn.Conv((3,), 2, 4), names))
    assert caught.value.code == "LXC-E0101"
    fine = nn.WeightNorm(nn.Conv((3,), 2, 4, init_bias=nn.ones32), names)
    close(lxc.setup(0, fine)[0]["normalized"]["bias_g"], f32([2]))


@row("WNM-05", eager_because=SET_UP)
def test_lengths_and_directions_stand_in_the_order_of_the_layer() -> None:
    layer = nn.Dense(2, 3, init_bias=nn.ones32)
    for names in (("weight", "bias"), ("bias", "weight")):
        ps, _ = lxc.setup(0, nn.WeightNorm(layer, names))
        assert list(ps) == ["normalized", "unnormalized"]
        assert list(ps["normalized"]) == ["weight_g", "weight_v", "bias_g", "bias_v"]
        assert ps["unnormalized"] == {}
    ps, _ = lxc.setup(0, nn.WeightNorm(layer, "bias", (0,)))
    assert list(ps["normalized"]) == ["bias_g", "bias_v"]
    assert list(ps["unnormalized"]) == ["weight"]
    same(ps["normalized"]["bias_g"], f32([1, 1, 1]))


@row("WNM-05")
def test_a_missing_length_is_named(column: Column) -> None:
    model = dense((0,))
    ps, st = lxc.setup(0, model)
    lacking = {**ps, "normalized": {"weight_v": V}}
    with pytest.raises(LxcError, match="no entry for weight_g") as caught:
        column(model, draw(1, 2), lacking, st)
    assert caught.value.code == "LXC-E0105"


@row("WNM-05", eager_because="what is prepared is seen in the two halves of the program")
@pytest.mark.parametrize("mode", ["train", "test"])
@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv((3,), 2, 4, init_bias=nn.ones32), (1, 2, 6)),
        (nn.Dense(6, 4, nn.relu, init_bias=nn.ones32), (3, 6)),
        (nn.Scale(6, init_bias=nn.ones32), (3, 6)),
    ],
)
@pytest.mark.parametrize("dims", [None, (0, 0)])
def test_lengths_are_applied_when_parameters_are_prepared(
    layer: nn.Layer, shape: tuple[int, ...], dims: Any, mode: str
) -> None:
    model = nn.Chain(nn.WeightNorm(layer, ("weight", "bias"), dims), nn.Dropout(0.5))
    graph = lxc.trace(model, draw(*shape), *lxc.setup(0, model), mode=mode)
    done = run_passes(graph, passes_named((*LAYER_PIPELINE, *TENSOR_PIPELINE))).program
    assert isinstance(done, Graph)
    _, program = target_program(done, TARGETS["x86-64-v2"])
    once, calls = (
        {node.op.name for node in walk(half.nodes)}
        for half in (program.prepare, program.run)
    )
    assert {"sqrt", "divide"} <= once
    assert not {"sqrt", "divide", "reduce"} & calls
    assert {"conv", "dot_general", "multiply", "add"} & calls


@row("WNM-05")
def test_other_lengths_are_prepared_again(column: Column) -> None:
    model = dense((0,))
    ps, st = lxc.setup(0, model)
    call = column.built(model, f32([[1, 1]]), ps, st)
    close(call(f32([[1, 1]]), ps, st)[0], f32([[3, 9]]))
    doubled = {"weight_g": ps["normalized"]["weight_g"] * 2, "weight_v": V}
    close(call(f32([[1, 1]]), {**ps, "normalized": doubled}, st)[0], f32([[6, 18]]))
