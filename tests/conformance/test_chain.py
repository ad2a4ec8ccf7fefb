"""Chain: names and simplification."""

from typing import Any

import numpy as np
import pytest
import torch

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close_sums, draw, f32, same
from tests.conformance.rows import row

STRUCTURE = "the children are decided before anything is computed"


def plus_one(x: Any) -> Any:
    return x + 1


def plus_two(x: Any) -> Any:
    return x + 2


def doubled(x: Any) -> Any:
    return x * 2


def torch_chain(ps: Any) -> Any:
    """Return the same layers of torch with the parameters of a chain."""
    layers = torch.nn.Sequential(
        torch.nn.Linear(2, 3),
        torch.nn.ReLU(),
        torch.nn.BatchNorm1d(3),
        torch.nn.Linear(3, 2),
    )
    for place, name, key in (
        (0, "layer_1", "weight"),
        (2, "layer_2", "scale"),
        (3, "layer_3", "weight"),
    ):
        layers[place].weight.data = torch.tensor(ps[name][key])
        layers[place].bias.data = torch.tensor(ps[name]["bias"])
    return layers


@row("CHN-01")
def test_the_chain_of_the_page(column: Column) -> None:
    model = nn.Chain(nn.Dense(2, 3, nn.relu), nn.BatchNorm(3), nn.Dense(3, 2))
    ps, st = lxc.setup(0, model)
    assert list(ps) == list(st) == ["layer_1", "layer_2", "layer_3"]
    assert [lxc.parameter_count(part) for part in ps.values()] == [9, 6, 8]
    assert lxc.parameter_count(ps) == 23
    twin = torch_chain(ps)
    call = column.built(model, lxc.TensorSpec((lxc.Dim("N", 2, 8), 2)), ps, st)
    for count in (2, 5, 8):
        x = draw(count, 2, seed=count)
        y, st = call(x, ps, st)
        close_sums(y, twin(torch.tensor(x)).detach().numpy())
        close_sums(st["layer_2"]["running_var"], twin[2].running_var.numpy())
        assert list(st) == ["layer_1", "layer_2", "layer_3"]
        assert st["layer_1"] == st["layer_3"] == {}


@row("CHN-02")
@row("D4")
def test_a_named_chain_keeps_names_no_ops_and_chains(column: Column) -> None:
    inner = nn.Chain(plus_one, doubled)
    model = nn.Chain(first=nn.Dense(2, 2), idle=nn.NoOpLayer(), inner=inner, last=np.tanh)
    assert model.keys() == ("first", "idle", "inner", "last")
    ps, st = lxc.setup(0, model)
    assert list(ps) == list(st) == ["first", "idle", "inner", "last"]
    x = draw(3, 2)
    y, after = column(model, x, ps, st)
    linear = torch.tensor(x) @ torch.tensor(ps["first"]["weight"]).T
    close_sums(y, torch.tanh((linear + 1) * 2).numpy())
    assert after == st
    assert nn.Chain(only=plus_one).keys() == ("only",)


@row("CHN-02", eager_because=STRUCTURE)
@row("D4", eager_because=STRUCTURE)
def test_simplifying_a_named_chain_is_an_error() -> None:
    for given, named in (((), {"a": nn.NoOpLayer()}), (({"a": nn.NoOpLayer()},), {})):
        with pytest.raises(LxcError, match="named layers cannot be simplified") as caught:
            nn.Chain(*given, disable_optimizations=False, **named)
        assert caught.value.code == "LXC-E0101"
    kept = nn.Chain(a=nn.NoOpLayer(), disable_optimizations=True)
    assert kept.keys() == nn.Chain(a=nn.NoOpLayer()).keys() == ("a",)


@row("CHN-02", eager_because=STRUCTURE)
def test_children_are_either_all_named_or_all_unnamed() -> None:
    with pytest.raises(LxcError, match="all named or all unnamed") as caught:
        nn.Chain(plus_one, last=plus_two)
    assert caught.value.code == "LXC-E0101"
    assert caught.value.actual == "1 unnamed and last"


@row("CHN-03")
def test_without_optimizations_every_child_stays(column: Column) -> None:
    inner = nn.Chain(plus_one, plus_two)
    given = (nn.NoOpLayer(), inner, doubled, nn.identity)
    model = nn.Chain(*given, disable_optimizations=True)
    assert len(model) == len(given)
    assert model[1] is inner
    assert isinstance(model[2], nn.WrappedFunction)
    ps, st = lxc.setup(0, model)
    assert list(ps) == ["layer_1", "layer_2", "layer_3", "layer_4"]
    assert ps["layer_2"] == {"layer_1": {}, "layer_2": {}}
    same(np.asarray(column(model, f32([1]), ps, st)[0]), f32([8]))


@row("CHN-03")
def test_without_optimizations_one_child_or_none_is_a_chain(column: Column) -> None:
    one = nn.Chain(doubled, disable_optimizations=True)
    none = nn.Chain(disable_optimizations=True)
    assert (len(one), len(none)) == (1, 0)
    assert lxc.setup(0, one)[0] == {"layer_1": {}}
    both = column.fresh(nn.BranchLayer(one, none), f32([3]))
    same(both, (f32([6]), f32([3])))


@row("CHN-04")
def test_lists_of_layers_are_spliced(column: Column) -> None:
    assert nn.Chain([plus_one, doubled]).keys() == ("layer_1", "layer_2")
    model = nn.Chain(plus_one, (plus_two, [doubled, nn.NoOpLayer()]))
    assert model.keys() == ("layer_1", "layer_2", "layer_3")
    same(np.asarray(column.fresh(model, f32([1]))), f32([8]))


@row("CHN-04")
def test_an_inner_chain_as_given_is_spliced_one_level_only(column: Column) -> None:
    deep = nn.Chain(plus_one, doubled)
    inner = nn.Chain(nn.NoOpLayer(), deep, disable_optimizations=True)
    model = nn.Chain(inner, plus_two)
    assert len(model) == 3
    assert isinstance(model[0], nn.NoOpLayer)
    assert model[1] is deep
    same(np.asarray(column.fresh(model, f32([1]))), f32([6]))


@row("CHN-05")
def test_a_function_of_one_argument_gets_x_alone(column: Column) -> None:
    model = nn.Chain(nn.Dense(2, 2), np.tanh, abs, lambda x, scale=2: x * scale)
    assert all(isinstance(layer, nn.WrappedFunction) for layer in model[1:])
    ps, st = lxc.setup(0, model)
    assert ps["layer_2"] == st["layer_2"] == {}
    x = draw(3, 2)
    y, after = column(model, x, ps, st)
    linear = torch.tensor(x) @ torch.tensor(ps["layer_1"]["weight"]).T
    close_sums(y, (torch.tanh(linear).abs() * 2).numpy())
    assert after == st


@row("CHN-06")
def test_a_function_of_three_arguments_is_a_layer(column: Column) -> None:
    given = []

    def clipped(x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        given.append((ps, st))
        return nn.relu(x), st

    model = nn.Chain(plus_one, clipped, lambda x, p, s: (x * 2, s))
    ps, st = lxc.setup(0, model)
    assert ps["layer_2"] == st["layer_2"] == {}
    y, after = column(model, f32([-3, 1]), ps, st)
    same(np.asarray(y), f32([0, 4]))
    assert after == st
    assert given == [({}, {})]


@row("CHN-07")
def test_a_nested_chain_is_flattened_and_renumbered(column: Column) -> None:
    first, last = nn.Dense(2, 3), nn.Dense(3, 1)
    model = nn.Chain(nn.Chain(a=first, b=np.tanh), last)
    assert model.keys() == ("layer_1", "layer_2", "layer_3")
    assert (model[0], model[2]) == (first, last)
    assert nn.Chain(nn.Chain(first, np.tanh), last).keys() == model.keys()
    ps, st = lxc.setup(0, model)
    assert list(ps) == list(st) == ["layer_1", "layer_2", "layer_3"]
    x = draw(4, 2)
    weights = [torch.tensor(ps[name]["weight"]).T for name in ("layer_1", "layer_3")]
    expected = torch.tanh(torch.tensor(x) @ weights[0]) @ weights[1]
    close_sums(column(model, x, ps, st)[0], expected.numpy())


@row("CHN-07", eager_because=STRUCTURE)
def test_only_chains_are_flattened() -> None:
    inner = nn.Chain(plus_one, doubled)
    skip, parallel = nn.SkipConnection(inner, np.add), nn.Parallel(None, inner)
    model = nn.Chain(skip, parallel)
    assert (len(model), model[0], model[1]) == (2, skip, parallel)


@row("CHN-08")
def test_no_ops_vanish_and_keys_are_renumbered(column: Column) -> None:
    idle = (nn.Dropout(0.0), nn.AlphaDropout(0.0), nn.VariationalHiddenDropout(0.0))
    assert all(isinstance(layer, nn.NoOpLayer) for layer in idle)
    model = nn.Chain(nn.Dense(2, 3), idle, nn.identity, nn.NoOpLayer(), nn.Dense(3, 1))
    ps, st = lxc.setup(0, model)
    assert list(ps) == list(st) == ["layer_1", "layer_2"]
    assert ps["layer_2"]["weight"].shape == (1, 3)
    x = draw(4, 2)
    weights = [torch.tensor(layer["weight"]).T for layer in ps.values()]
    expected = torch.tensor(x) @ weights[0] @ weights[1]
    close_sums(column(model, x, ps, st)[0], expected.numpy())


@row("CHN-09", eager_because=STRUCTURE)
def test_a_single_child_is_returned_itself() -> None:
    dense = nn.Dense(2, 3)
    for model in (nn.Chain(dense), nn.Chain(nn.NoOpLayer(), dense), nn.Chain([dense])):
        assert model is dense
    assert list(lxc.setup(0, nn.Chain(dense))[0]) == ["weight", "bias"]


@row("CHN-10")
def test_nothing_left_is_a_no_op(column: Column) -> None:
    models = (nn.Chain(), nn.Chain(nn.NoOpLayer()), nn.Chain(nn.identity, nn.Chain()))
    assert all(isinstance(model, nn.NoOpLayer) for model in models)
    assert lxc.setup(0, nn.Chain()) == ({}, {})
    same(np.asarray(column.fresh(nn.Chain(), f32([1, 2]))), f32([1, 2]))


@row("CHN-05", eager_because=STRUCTURE)
@pytest.mark.parametrize("item", [3, "tanh", None, object()])
def test_something_that_is_no_layer_is_refused(item: object) -> None:
    with pytest.raises(LxcError, match="neither a layer nor a function") as caught:
        nn.Chain(plus_one, item)
    assert caught.value.code == "LXC-E0101"


@row("CHN-05", eager_because=STRUCTURE)
def test_the_class_of_a_layer_is_no_function() -> None:
    for make in (
        lambda: nn.Chain(plus_one, nn.FlattenLayer),
        lambda: nn.BranchLayer(nn.NoOpLayer, nn.NoOpLayer),
        lambda: nn.SkipConnection(plus_one, nn.Bilinear),
    ):
        with pytest.raises(LxcError, match="is a class of layers") as caught:
            make()
        assert caught.value.code == "LXC-E0101"
        assert "()" in str(caught.value.hint)
