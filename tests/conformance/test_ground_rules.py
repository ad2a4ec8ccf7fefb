"""What holds for every layer: orders, names, purity, element types, tolerances."""

import dataclasses
import inspect
import warnings
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import lxc
from lxc import kaun, nn
from lxc.errors import LxcError
from lxc.runtime.checkpoint import write_checkpoint
from lxc.tree import flatten
from tests.conformance.columns import Column, close, close_sums, draw, f32, same
from tests.conformance.layer_samples import samples
from tests.conformance.rows import row, rows

SHAPES = "the shapes of parameters are decided before anything is computed"
DECIDED: dict[str, tuple[Any, ...]] = {
    "D1": (nn.PairwiseFusion,),
    "D2": (nn.WeightNorm,),
    "D3": (nn.LayerNorm,),
    "D4": (nn.Chain,),
    "D5": (nn.Scale,),
    "D6": (nn.LSTMCell,),
    "D7": (nn.LSTMCell,),
    "D8": (nn.Upsample,),
    "D9": (nn.LayerNorm, nn.GroupNorm),
    "D10": (nn.GroupNorm,),
    "D11": (nn.InstanceNorm,),
    "D12": (nn.AlphaDropout,),
    "D13": (nn.ConvTranspose,),
    "D14": (nn.VariationalHiddenDropout,),
    "D15": (nn.BatchNorm,),
    "D16": (nn.GroupNorm,),
    "D17": (nn.Recurrence,),
    "D18": (kaun.dropout,),
    "D19": (nn.Conv,),
}
"""Where the documentation of each decision stands."""


@row("GR-1", eager_because="the row is about the documentation")
@pytest.mark.parametrize("decision", DECIDED)
def test_a_decision_stands_in_the_documentation_of_its_layer(decision: str) -> None:
    assert decision in rows()
    for home in DECIDED[decision]:
        family = "Kaun" if home is kaun.dropout else "Lux.jl"
        assert family in str(inspect.getdoc(home))


@row("GR-1", eager_because="the row is about the documentation")
def test_every_decision_is_documented() -> None:
    named = [name for name, (section, _) in rows().items() if section == "Decisions"]
    assert sorted(named) == sorted(DECIDED)


@row("GR-2")
def test_arrays_are_in_numpy_order(column: Column) -> None:
    # What Lux.jl writes as a size of (4, 3, 2, 5) is [5, 2, 3, 4] here: batch, channels,
    # height, width.
    convolution = nn.CrossCor((1, 3), 2, 6)
    model = nn.BranchLayer(convolution, nn.MaxPool((3, 1)), nn.FlattenLayer())
    ps, st = lxc.setup(0, model)
    x = draw(5, 2, 3, 4)
    y, pooled, flat = column(model, x, ps, st)[0]
    image = torch.tensor(x)
    weight = torch.tensor(ps["layer_1"]["weight"])
    close_sums(y, functional.conv2d(image, weight).numpy())
    assert np.shape(y) == (5, 6, 3, 2)
    close(pooled, functional.max_pool2d(image, (3, 1)).numpy())
    same(np.asarray(flat), x.reshape(5, 24))


@row("GR-3")
def test_axes_are_those_of_numpy_and_may_be_negative(column: Column) -> None:
    x = draw(2, 3, 4, 5)
    pairs: dict[str, tuple[Any, int, Any]] = {
        "SelectDim": (partial(nn.SelectDim, index=0), 1, x[:, 0]),
        "LayerNorm": (partial(norm_over, x), 2, None),
        "mean": (lambda axis: lambda x: lxc.ops.mean(x, axis), 3, x.mean(3)),
    }
    made = [make(axis - back) for make, axis, _ in pairs.values() for back in (0, 4)]
    outputs = column.fresh(nn.BranchLayer(*made), x)
    for place, (_, axis, expected) in enumerate(pairs.values()):
        positive, negative = outputs[2 * place : 2 * place + 2]
        same(np.asarray(positive), np.asarray(negative))
        if expected is None:
            last = torch.tensor(x).movedim(axis, -1)
            normal = functional.layer_norm(last, (4,)).movedim(-1, axis)
            close_sums(positive, normal.numpy())
        else:
            close_sums(positive, expected)


def norm_over(x: Any, axis: int) -> Any:
    return nn.LayerNorm(x.shape[1:], dims=axis)


@row("GR-3")
def test_the_axes_of_a_mask_may_be_negative(column: Column) -> None:
    model = nn.BranchLayer(nn.Dropout(0.5, dims=-1), nn.Dropout(0.5, dims=1))
    ps, st = lxc.setup(0, model)
    st = {name: {**part, "rng": st["layer_1"]["rng"]} for name, part in st.items()}
    one, two = column(model, np.ones((6, 9), np.float32), ps, st)[0]
    same(np.asarray(one), np.asarray(two))
    assert (np.asarray(one) == np.asarray(one)[0]).all()
    assert 0 < np.count_nonzero(one) < 54


@row("GR-4")
def test_spatial_tuples_are_height_then_width(column: Column) -> None:
    x = np.ones((1, 1, 4, 6), np.float32)
    options: Any = {"use_bias": False, "init_weight": nn.ones32}
    models = {
        "kernel": (nn.Conv((1, 3), 1, 1, **options), (4, 4)),
        "stride": (nn.Conv((1, 1), 1, 1, stride=(1, 2), **options), (4, 3)),
        "dilation": (nn.Conv((2, 2), 1, 1, dilation=(1, 3), **options), (3, 3)),
        "pad": (nn.Conv((1, 1), 1, 1, pad=(0, 1), **options), (4, 8)),
        "pairs": (nn.Conv((1, 1), 1, 1, pad=(1, 2, 0, 1), **options), (7, 7)),
        "window": (nn.MeanPool((4, 1)), (1, 6)),
        "outputs": (nn.AdaptiveMaxPool((1, 3)), (1, 3)),
        "scale": (nn.Upsample("nearest", scale=(1, 2)), (4, 12)),
        "size": (nn.Upsample("nearest", size=(8, 6)), (8, 6)),
    }
    model = nn.BranchLayer(**{name: layer for name, (layer, _) in models.items()})
    outputs = column.fresh(model, x)
    shapes = {name: np.shape(y)[2:] for name, y in zip(models, outputs, strict=True)}
    assert shapes == {name: shape for name, (_, shape) in models.items()}
    padded = np.pad(x, ((0, 0), (0, 0), (1, 2), (0, 1)))
    same(np.asarray(outputs[list(models).index("pairs")]), padded)


@row("GR-5")
def test_weights_have_the_layout_of_torch(column: Column) -> None:
    model = nn.Parallel(
        None,
        nn.Dense(4, 3),
        nn.CrossCor((2, 3), 4, 6, groups=2),
        nn.ConvTranspose((2, 3), 4, 6, groups=2),
        nn.Embedding(5, 3),
    )
    ps, st = lxc.setup(0, model)
    dense, conv, transposed, table = (part["weight"] for part in ps.values())
    assert dense.shape == (3, 4)
    assert conv.shape == (6, 2, 2, 3)
    assert transposed.shape == (4, 3, 2, 3)
    assert table.shape == (5, 3)
    x, image = draw(2, 4), draw(2, 4, 3, 4, seed=1)
    ids = np.array([4, 0], np.int32)
    y = column(model, (x, image, image, ids), ps, st)[0]
    close_sums(y[0], functional.linear(torch.tensor(x), torch.tensor(dense)).numpy())
    wide = torch.tensor(image)
    close_sums(y[1], functional.conv2d(wide, torch.tensor(conv), groups=2).numpy())
    flipped = torch.tensor(transposed[..., ::-1, ::-1].copy())
    expected = functional.conv_transpose2d(wide, flipped, groups=2)
    close_sums(y[2], expected.numpy())
    same(np.asarray(y[3]), table[[4, 0]])


@row("GR-5")
@row("T36")
def test_the_weight_of_kaun_linear_is_in_by_out(column: Column) -> None:
    layer = kaun.linear(in_features=4, out_features=3)
    vars = kaun.init(layer, rng=0)
    assert vars.params["weight"].shape == (4, 3)
    x = draw(2, 4)
    y, _ = column.kaun(layer, x, vars)
    weight = torch.tensor(vars.params["weight"])
    close_sums(y, functional.linear(torch.tensor(x), weight.T).numpy())
    lux = nn.Dense(4, 3)
    ps = {"weight": vars.params["weight"].T.copy(), "bias": np.zeros(3, np.float32)}
    assert lxc.setup(0, lux)[0]["weight"].shape == ps["weight"].shape
    close_sums(column(lux, x, ps, {})[0], np.asarray(y))


@row("GR-6", eager_because=SHAPES)
def test_biases_have_no_batch_axis() -> None:
    for model, bias in (
        (nn.Dense(2, 3), (3,)),
        (nn.Conv((3, 3), 2, 3), (3,)),
        (nn.ConvTranspose((3, 3), 2, 3), (3,)),
        (nn.Bilinear((2, 2), 3), (3,)),
        (nn.LSTMCell(2, 3), (12,)),
        (nn.LayerNorm((3, 1, 1), affine=True), (3, 1, 1)),
        (nn.BatchNorm(3), (3,)),
    ):
        assert lxc.setup(0, model)[0]["bias"].shape == bias


@row("GR-6", eager_because="a file is read before anything is computed")
def test_a_bias_with_a_batch_axis_is_squeezed_when_it_is_read(tmp_path: Path) -> None:
    model = nn.Chain(nn.Conv((2, 2), 1, 3), nn.GlobalMeanPool(), nn.FlattenLayer())
    model = nn.Chain(model, nn.Dense(3, 2), nn.LayerNorm((2,), affine=True))
    ps, _ = lxc.setup(0, model)
    rng = np.random.default_rng(1)
    names = lxc.flat_names(ps)
    values = {name: f32(rng.standard_normal(leaf.shape)) for name, leaf in names.items()}
    stored = dict(values)
    stored["layer_1.bias"] = values["layer_1.bias"].reshape(1, 3, 1, 1)
    stored["layer_4.bias"] = values["layer_4.bias"].reshape(2, 1)
    stored["layer_5.scale"] = values["layer_5.scale"].reshape(1, 2)
    write_checkpoint(tmp_path / "seed.safetensors", stored)
    read, _ = lxc.load_params(tmp_path / "seed.safetensors", ps)
    read_names = lxc.flat_names(read)
    assert list(read_names) == list(values)
    for name, value in values.items():
        np.testing.assert_array_equal(read_names[name], value, strict=True)


@row("GR-7")
def test_indices_count_from_zero(column: Column) -> None:
    model = nn.Parallel(None, nn.Embedding(3, 2), nn.SelectDim(1, 0))
    ps, st = lxc.setup(0, model)
    x = draw(2, 3)
    ids = np.array([0, 2], np.int32)
    vectors, first = column(model, (ids, x), ps, st)[0]
    same(np.asarray(vectors), ps["layer_1"]["weight"][[0, 2]])
    same(np.asarray(first), x[:, 0])


@row("GR-8", eager_because="the row is about Python objects")
def test_every_layer_has_a_sample_and_is_a_frozen_description() -> None:
    listed = {name for name in nn.__all__ if is_layer(getattr(nn, name))}
    # These two are for subclasses, which say what is computed.
    assert listed - set(samples()) == {"Layer", "RecurrentCell"}
    for name, (make, _) in samples().items():
        layer = make()
        assert dataclasses.is_dataclass(layer), name
        for field in dataclasses.fields(layer):
            assert not isinstance(getattr(layer, field.name), np.ndarray), name
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(layer, field.name, None)


def is_layer(item: object) -> bool:
    return isinstance(item, type) and issubclass(item, nn.Layer)


def everything() -> tuple[Any, Any, Any, Any]:
    """Return one model of all layers side by side, with input, parameters and state."""
    chosen = samples()
    model = nn.Parallel(None, **{name: make() for name, (make, _) in chosen.items()})
    return model, tuple(x for _, x in chosen.values()), *lxc.setup(0, model)


def copied(tree: Any) -> list[Any]:
    return [np.array(leaf) for leaf in flatten(tree)[0]]


@row("GR-8")
@row("GR-12")
def test_every_layer_is_pure_in_float32_and_keeps_its_state_tree(column: Column) -> None:
    model, x, ps, st = everything()
    call = column.built(model, x, ps, st)
    _, st = call(x, ps, st)
    before = copied((x, ps, st))
    y, after = call(x, ps, st)
    same((y, after), call(x, ps, st))
    same(copied((x, ps, st)), before)
    assert list(after) == list(st) == list(samples())
    assert flatten(after)[1] == flatten(st)[1]
    types = {
        name: {np.asarray(leaf).dtype.name for leaf in flatten(part)[0]}
        for name, part in zip(samples(), y, strict=True)
    }
    assert types == {name: {"float32"} for name in samples()}


@row("GR-8", eager_because=SHAPES)
def test_layers_without_parameters_or_state_have_empty_trees() -> None:
    for layer in (nn.MaxPool((2, 2)), nn.FlattenLayer(), nn.WrappedFunction(np.tanh)):
        assert lxc.setup(0, layer) == ({}, {})
    assert lxc.setup(0, nn.Dense(2, 3))[1] == {}


@row("GR-9")
def test_trees_keep_the_order_of_insertion(column: Column) -> None:
    model = nn.Chain(b=nn.Dense(2, 2), a=nn.BatchNorm(2), c=nn.Chain(plus, nn.Dense(2, 2)))
    ps, st = lxc.setup(0, model)
    x = draw(3, 2)
    assert [value.name for value in lxc.trace(model, x, ps, st).params] == [
        "@b.weight",
        "@b.bias",
        "@a.scale",
        "@a.bias",
        "@c.layer_2.weight",
        "@c.layer_2.bias",
    ]
    _, after = column(model, x, ps, st)
    assert list(after) == ["b", "a", "c"]
    assert list(after["a"]) == list(st["a"]) == ["running_mean", "running_var", "training"]
    assert list(after["c"]) == ["layer_1", "layer_2"]


def plus(x: Any) -> Any:
    return x + 1


@row("GR-9")
def test_kaun_trees_are_dicts_lists_and_arrays(column: Column) -> None:
    layer = kaun.sequential([kaun.linear(in_features=2, out_features=2), kaun.relu()])
    vars = kaun.init(layer, rng=0)
    assert isinstance(vars.params, list)
    assert list(vars.params[0]) == ["weight", "bias"]
    assert vars.params[1] == []
    x = draw(3, 2)
    y, after = column.kaun(layer, x, vars)
    weight = torch.tensor(vars.params[0]["weight"])
    close_sums(y, torch.relu(torch.tensor(x) @ weight).numpy())
    assert flatten(after.state)[1] == flatten(vars.state)[1]


@row("GR-10", eager_because=SHAPES)
def test_children_are_called_by_place_or_keyword() -> None:
    parts = (nn.Dense(2, 2), np.tanh, nn.BatchNorm(2))
    for make in (
        nn.Chain,
        nn.BranchLayer,
        partial(nn.Parallel, None),
        partial(nn.PairwiseFusion, np.add),
        nn.Maxout,
    ):
        numbered = [list(tree) for tree in lxc.setup(0, make(*parts))]
        assert numbered == [["layer_1", "layer_2", "layer_3"]] * 2
        named = [list(tree) for tree in lxc.setup(0, make(z=parts[0], a=np.tanh))]
        assert named == [["z", "a"]] * 2


@row("GR-11")
def test_the_mode_is_in_the_state_of_lux_and_an_argument_of_kaun(column: Column) -> None:
    x = np.ones((8, 8), np.float32)
    lux = nn.Chain(plus, nn.Dropout(0.5))
    ps, st = lxc.setup(0, lux)
    assert st["layer_2"]["training"] is True
    assert 0 < np.count_nonzero(column(lux, x, ps, st)[0]) < 64
    assert np.all(np.asarray(column(lux, x, ps, lxc.testmode(st))[0]) == 2)
    layer = kaun.sequential([kaun.dropout(rate=0.5)])
    vars = kaun.init(layer, rng=0)
    key = np.array([1, 2], np.uint32)
    trained = column.kaun(layer, x, vars, training=True, rngs=key)[0]
    assert 0 < np.count_nonzero(trained) < 64
    same(np.asarray(column.kaun(layer, x, vars, training=False)[0]), x)
    assert flatten(vars.state)[1].statics() == []


@row("GR-12", eager_because=SHAPES)
def test_every_parameter_and_statistic_is_float32_unless_asked() -> None:
    for name, (make, _) in samples().items():
        ps, st = lxc.setup(0, make())
        assert {leaf.dtype.name for leaf in flatten(ps)[0]} <= {"float32"}, name
        states = {leaf.dtype.name for leaf in flatten(st)[0]}
        assert states <= {"float32", "uint32", "bool"}, name
    for dtype in ("float16", "float64"):
        vars = kaun.init(kaun.linear(in_features=2, out_features=2), dtype=dtype, rng=0)
        assert {leaf.dtype.name for leaf in flatten(vars.params)[0]} == {dtype}


@row("GR-13")
def test_only_a_tuple_counts_as_a_tuple(column: Column) -> None:
    fused = nn.PairwiseFusion(lambda x, y: x[0] + y[1], lambda x: [x[1], x[0] * 2])
    model = nn.BranchLayer(nn.Parallel(None, nn.NoOpLayer(), nn.NoOpLayer()), fused)
    pair = [f32([3]), f32([4])]
    ps, st = lxc.setup(0, model)
    parallel, whole = column(model, pair, ps, st)[0]
    same(parallel, (pair, pair))
    # The whole list is the first value and the other input: 3 + 3 * 2.
    same(np.asarray(whole), f32([9]))
    parts = (nn.NoOpLayer(), lambda x: x * 2)
    model = nn.BranchLayer(nn.Parallel(None, *parts), nn.PairwiseFusion(np.add, parts[1]))
    parallel, fused = column.fresh(model, tuple(pair))
    same(parallel, (f32([3]), f32([8])))
    same(np.asarray(fused), f32([10]))


@row("GR-14")
def test_results_are_within_the_tolerances(column: Column) -> None:
    x, weight = draw(16, 33), draw(32, 33, seed=1)
    cells = np.linspace(-20, 20, 16 * 33, dtype=np.float32).reshape(16, 33)
    dense = nn.Dense(33, 32, use_bias=False)
    functions = (nn.WrappedFunction(nn.tanh_fast), nn.WrappedFunction(nn.sigmoid_fast))
    model = nn.Parallel(None, dense, lambda x: np.exp(x) / (x * x + 1), *functions)
    _, st = lxc.setup(0, model)
    ps: Any = {name: {} for name in st} | {"layer_1": {"weight": weight}}
    y, ratio, tanh, sigmoid = column(model, (x, cells, cells, cells), ps, st)[0]
    close_sums(y, functional.linear(torch.tensor(x), torch.tensor(weight)).numpy())
    wide = torch.tensor(cells, dtype=torch.float64)
    close(ratio, (wide.exp() / (wide * wide + 1)).numpy())
    for fast, exact in ((tanh, wide.tanh()), (sigmoid, wide.sigmoid())):
        reference = exact.numpy().astype(np.float32)
        steps = np.abs(np.asarray(fast) - exact.numpy()) / np.spacing(np.abs(reference))
        assert steps.max() <= 8


@row("GR-8", eager_because="the layer is refused before anything is computed")
def test_a_layer_that_does_not_say_what_it_computes_is_refused() -> None:
    with pytest.raises(LxcError, match="does not say what it computes") as caught:
        nn.Layer()(f32([1]), {}, {})
    assert caught.value.code == "LXC-E0101"


@row("GR-8", eager_because="the row is about Python objects")
def test_equal_descriptions_are_equal_and_survive_a_copy() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for name, (make, x) in samples().items():
            layer = make()
            twin = deepcopy(layer)
            same(lxc.setup(3, layer), lxc.setup(3, twin))
            trees = lxc.setup(3, layer)
            same(layer(x, *trees), twin(x, *trees))
            assert type(twin) is type(layer), name
