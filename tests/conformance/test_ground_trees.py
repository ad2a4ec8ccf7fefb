"""What holds for every layer: purity, names, trees, modes, element types."""

import dataclasses
import warnings
from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

import lxc
from lxc import kaun, nn
from lxc.errors import LxcError
from lxc.tree import flatten
from tests.conformance.columns import Column, close_sums, draw, f32, same
from tests.conformance.layer_samples import samples
from tests.conformance.rows import row

SHAPES = "the shapes of parameters are decided before anything is computed"


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
    names = [
        "b.weight",
        "b.bias",
        "a.scale",
        "a.bias",
        "c.layer_2.weight",
        "c.layer_2.bias",
    ]
    traced = lxc.trace(model, x, ps, st).params
    assert [value.name for value in traced] == [f"@{name}" for name in names]
    assert list(lxc.flat_names(ps)) == names
    call = column.built(model, x, ps, st)
    if isinstance(call, lxc.CompiledModel):
        assert [leaf.name for leaf in call.signature.params.leaves] == names
    _, after = call(x, ps, st)
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
