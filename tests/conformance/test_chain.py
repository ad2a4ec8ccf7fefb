"""Chain: names, simplification, indexing, and what the passes make of it."""

from collections import Counter
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
from lxc.tree import flatten
from tests.conformance.columns import Column, close_sums, draw, f32, same
from tests.conformance.rows import row

STRUCTURE = "the children are decided before anything is computed"


def plus_one(x: Any) -> Any:
    return x + 1


def plus_two(x: Any) -> Any:
    return x + 2


def doubled(x: Any) -> Any:
    return x * 2


def chosen(tree: Any, *names: str) -> Any:
    return {name: tree[name] for name in names}


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


@row("CHN-11", eager_because=STRUCTURE)
def test_an_index_gives_the_child() -> None:
    first, last = nn.Dense(2, 3), nn.Dense(3, 4)
    model = nn.Chain(first, nn.NoOpLayer(), np.tanh, last)
    assert model[0] is first
    assert model[2] is model[-1] is last
    assert model["layer_3"] is last
    for outside in (3, -4):
        with pytest.raises(IndexError):
            model[outside]
    ps, _ = lxc.setup(0, model)
    assert ps[model.keys()[-1]]["weight"].shape == (4, 3)


@row("CHN-12")
def test_a_range_gives_a_chain_with_the_old_names(column: Column) -> None:
    model = nn.Chain(a=nn.Dense(2, 3), b=np.tanh, c=nn.Dense(3, 1))
    ps, st = lxc.setup(0, model)
    part = model[0:2]
    assert isinstance(part, nn.Chain)
    assert part.keys() == ("a", "b")
    x = draw(4, 2)
    y, after = column(part, x, chosen(ps, "a", "b"), chosen(st, "a", "b"))
    close_sums(y, torch.tanh(torch.tensor(x) @ torch.tensor(ps["a"]["weight"]).T).numpy())
    assert list(after) == ["a", "b"]
    assert isinstance(model[1:2], nn.Chain)
    assert model[1:2].keys() == ("b",)
    plain = nn.Chain(nn.Dense(2, 2), np.tanh, nn.Dense(2, 2))
    assert plain[1:].keys() == ("layer_2", "layer_3")
    assert plain[::-2].keys() == ("layer_3", "layer_1")


@row("CHN-13")
def test_a_list_of_places_gives_them_in_its_order(column: Column) -> None:
    model = nn.Chain(plus_one, doubled, nn.Dense(2, 2))
    assert model[[0, 2]].keys() == ("layer_1", "layer_3")
    backwards = model[np.array([1, 0])]
    assert backwards.keys() == ("layer_2", "layer_1")
    same(np.asarray(column.fresh(backwards, f32([3]))), f32([7]))
    assert model[[-1, 0]].keys() == ("layer_3", "layer_1")
    assert model[np.array([True, False, True])].keys() == ("layer_1", "layer_3")
    with pytest.raises(LxcError, match="twice") as caught:
        model[[0, -3]]
    assert caught.value.code == "LXC-E0101"
    for wrong in ([0.5], [[0]], [True]):
        with pytest.raises(LxcError, match="a list of places"):
            model[wrong]


@row("CHN-14", eager_because=STRUCTURE)
def test_length_first_last_and_keys() -> None:
    first, last = nn.Dense(2, 2), nn.Dense(2, 3)
    model = nn.Chain(first, np.tanh, last)
    assert len(model) == 3
    assert (model[0], model[-1]) == (first, last)
    assert list(model) == [first, model[1], last]
    assert model.keys() == ("layer_1", "layer_2", "layer_3")


@row("CHN-15")
def test_a_dict_names_the_children_and_a_list_does_not(column: Column) -> None:
    named = nn.Chain({"up": plus_one, "twice": doubled})
    assert named.keys() == ("up", "twice")
    numbered = nn.Chain([plus_one, doubled])
    assert numbered.keys() == ("layer_1", "layer_2")
    both = column.fresh(nn.BranchLayer(named, numbered), f32([1]))
    same(both, (f32([4]), f32([4])))


def parts() -> tuple[Any, ...]:
    """Return layers with no-ops and a chain, of which the compiler removes all."""
    inner = nn.Chain(np.tanh, nn.identity, nn.Dense(3, 2), disable_optimizations=True)
    return nn.Dense(2, 3), nn.NoOpLayer(), nn.Chain(inner, nn.BatchNorm(2))


def optimised(model: Any, ps: Any, st: Any) -> Graph:
    """Return the graph of a model after all passes for all targets."""
    graph = lxc.trace(model, lxc.TensorSpec((4, 2)), ps, st, mode="test")
    done = run_passes(graph, passes_named((*LAYER_PIPELINE, *TENSOR_PIPELINE))).program
    assert isinstance(done, Graph)
    return done


def counted(graph: Graph) -> Counter[str]:
    return Counter(node.op.name for node in walk(graph.nodes))


@row("CHN-16")
def test_a_chain_as_given_compiles_to_the_same_under_its_own_keys(column: Column) -> None:
    models = [
        nn.Chain(parts()[0], parts()[1], parts()[2], disable_optimizations=True),
        nn.Chain(*parts()),
    ]
    trees = [lxc.setup(0, model) for model in models]
    # The inner chain as given is spliced into the one around it, its no-op included.
    assert [list(ps) for ps, _ in trees] == [
        ["layer_1", "layer_2", "layer_3"],
        ["layer_1", "layer_2", "layer_3", "layer_4", "layer_5"],
    ]
    graphs = [optimised(model, *tree) for model, tree in zip(models, trees, strict=True)]
    assert counted(graphs[0]) == counted(graphs[1])
    assert "noop" not in counted(graphs[0])
    names = [[value.name for value in graph.params] for graph in graphs]
    assert [name for name in names[0] if name.endswith("weight")] == [
        "@layer_1.weight",
        "@layer_3.layer_3.weight",
    ]
    assert [name for name in names[1] if name.endswith("weight")] == [
        "@layer_1.weight",
        "@layer_4.weight",
    ]
    x = draw(4, 2)
    results = [
        column(model, x, *tree, mode="test")
        for model, tree in zip(models, trees, strict=True)
    ]
    same(np.asarray(results[0][0]), np.asarray(results[1][0]))
    for (_, after), (_, before) in zip(results, trees, strict=True):
        assert list(after) == list(before)
    first, second = (torch.tensor(leaf) for leaf in flatten(trees[0][0])[0][0:4:2])
    expected = torch.tanh(torch.tensor(x) @ first.T) @ second.T / (1 + 1e-5) ** 0.5
    close_sums(results[0][0], expected.numpy())


@row("CHN-05", eager_because=STRUCTURE)
@pytest.mark.parametrize("item", [3, "tanh", None, object()])
def test_something_that_is_no_layer_is_refused(item: object) -> None:
    with pytest.raises(LxcError, match="neither a layer nor a function") as caught:
        nn.Chain(plus_one, item)
    assert caught.value.code == "LXC-E0101"
