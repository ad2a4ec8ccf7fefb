"""Chain: names, simplification, indexing."""

from typing import Any

import numpy as np
import pytest

from lxc import nn
from lxc.errors import LxcError
from lxc.frontend import setup, trace_layer
from lxc.ir import TensorSpec
from lxc.ir import functions as ops
from tests.frontend.modes import Mode, close, draw, f32, ops_of, same


def plus_one(x: Any) -> Any:
    return x + 1


def plus_two(x: Any) -> Any:
    return x + 2


def doubled(x: Any) -> Any:
    return x * 2


def sizes(model: Any) -> int:
    ps, _ = setup(0, model)
    return sum(int(np.prod(leaf.shape)) for leaf in leaves(ps))


def leaves(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        return [leaf for child in tree.values() for leaf in leaves(child)]
    return [tree]


def test_chn_01_the_chain_of_the_page_has_23_parameters(run: Mode) -> None:
    model = nn.Chain(nn.Dense(2, 3, nn.relu), nn.BatchNorm(3), nn.Dense(3, 2))
    assert sizes(model) == 23
    ps, st = setup(0, model)
    x = draw(4, 2)
    y, after = run.lux(model, x, ps, st)
    hidden = np.maximum(x @ ps["layer_1"]["weight"].T + ps["layer_1"]["bias"], 0)
    centred = (hidden - hidden.mean(0)) / np.sqrt(hidden.var(0) + 1e-5)
    close(
        y, centred @ ps["layer_3"]["weight"].T + ps["layer_3"]["bias"], rtol=1e-4, atol=1e-5
    )
    assert list(after) == ["layer_1", "layer_2", "layer_3"]
    close(after["layer_2"]["running_mean"], 0.1 * hidden.mean(0))


def test_chn_02_a_named_chain_keeps_names_and_no_ops(run: Mode) -> None:
    model = nn.Chain(first=nn.Dense(2, 2), idle=nn.NoOpLayer(), last=np.tanh)
    assert model.keys() == ("first", "idle", "last")
    ps, st = setup(0, model)
    assert list(ps) == ["first", "idle", "last"]
    x = draw(3, 2)
    close(run.lux(model, x, ps, st)[0], np.tanh(x @ ps["first"]["weight"].T))


def test_chn_02_simplifying_a_named_chain_is_an_error() -> None:
    with pytest.raises(LxcError, match="named layers cannot be simplified"):
        nn.Chain(a=nn.NoOpLayer(), disable_optimizations=False)


def test_chn_03_without_optimizations_every_child_stays(run: Mode) -> None:
    inner = nn.Chain(plus_one, plus_two)
    model = nn.Chain(nn.NoOpLayer(), inner, doubled, disable_optimizations=True)
    assert len(model) == 3
    assert model[1] is inner
    same(run.fresh(model, f32([1])), f32([8]))
    assert len(nn.Chain(doubled, disable_optimizations=True)) == 1


def test_chn_04_lists_of_layers_are_spliced(run: Mode) -> None:
    assert len(nn.Chain(plus_one, (plus_two, doubled))) == 3
    assert nn.Chain([plus_one, doubled]).keys() == ("layer_1", "layer_2")
    same(run.fresh(nn.Chain(plus_one, (plus_two, doubled)), f32([1])), f32([8]))


def test_chn_04_an_inner_chain_as_given_is_spliced_one_level_only() -> None:
    deep = nn.Chain(plus_one, doubled)
    inner = nn.Chain(nn.NoOpLayer(), deep, disable_optimizations=True)
    model = nn.Chain(inner, plus_two)
    assert len(model) == 3
    assert isinstance(model[0], nn.NoOpLayer)
    assert model[1] is deep


def test_chn_05_a_function_of_one_argument_gets_x_alone(run: Mode) -> None:
    model = nn.Chain(nn.Dense(2, 2), np.tanh)
    assert isinstance(model[1], nn.WrappedFunction)
    ps, st = setup(0, model)
    assert ps["layer_2"] == {}
    x = draw(3, 2)
    close(run.lux(model, x, ps, st)[0], np.tanh(x @ ps["layer_1"]["weight"].T))


def test_chn_06_a_function_of_three_arguments_is_a_layer(run: Mode) -> None:
    def clipped(x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        assert ps == {}
        assert st == {}
        return nn.relu(x), st

    model = nn.Chain(plus_one, clipped)
    same(run.fresh(model, f32([-3, 1])), f32([0, 2]))


def test_chn_07_a_nested_chain_is_flattened_and_renumbered(run: Mode) -> None:
    model = nn.Chain(nn.Chain(a=nn.Dense(2, 3), b=np.tanh), nn.Dense(3, 1))
    ps, st = setup(0, model)
    assert list(ps) == ["layer_1", "layer_2", "layer_3"]
    x = draw(4, 2)
    hidden = np.tanh(x @ ps["layer_1"]["weight"].T)
    close(run.lux(model, x, ps, st)[0], hidden @ ps["layer_3"]["weight"].T)


def test_chn_07_only_chains_are_flattened() -> None:
    skip = nn.SkipConnection(nn.Chain(plus_one, doubled), ops.add)
    model = nn.Chain(skip, nn.Parallel(None, nn.Chain(plus_one, doubled)))
    assert len(model) == 2


def test_chn_08_no_ops_vanish_and_keys_are_renumbered() -> None:
    model = nn.Chain(nn.Dense(2, 3), nn.Dropout(0.0), nn.identity, nn.Dense(3, 1))
    ps, _ = setup(0, model)
    assert list(ps) == ["layer_1", "layer_2"]
    assert ps["layer_2"]["weight"].shape == (1, 3)


def test_chn_09_a_single_child_is_returned_itself() -> None:
    dense = nn.Dense(2, 3)
    assert nn.Chain(dense) is dense
    assert nn.Chain(nn.NoOpLayer(), dense) is dense
    assert list(setup(0, nn.Chain(dense))[0]) == ["weight", "bias"]


def test_chn_10_nothing_left_is_a_no_op(run: Mode) -> None:
    for model in (nn.Chain(), nn.Chain(nn.NoOpLayer())):
        assert isinstance(model, nn.NoOpLayer)
        same(run.fresh(model, f32([1, 2])), f32([1, 2]))


def test_chn_11_an_index_gives_the_child() -> None:
    first, last = nn.Dense(2, 3), nn.Dense(3, 4)
    model = nn.Chain(first, np.tanh, last)
    assert model[0] is first
    assert model[-1] is last
    with pytest.raises(IndexError):
        model[3]


def test_chn_12_a_range_gives_a_chain_with_the_old_names(run: Mode) -> None:
    model = nn.Chain(a=nn.Dense(2, 3), b=np.tanh, c=nn.Dense(3, 1))
    ps, st = setup(0, model)
    part = model[0:2]
    assert part.keys() == ("a", "b")
    x = draw(4, 2)
    chosen = [{name: tree[name] for name in ("a", "b")} for tree in (ps, st)]
    close(run.lux(part, x, *chosen)[0], np.tanh(x @ ps["a"]["weight"].T))
    assert model[1:2].keys() == ("b",)
    assert isinstance(nn.Chain(nn.Dense(2, 2), np.tanh)[0:1], nn.Chain)


def test_chn_13_a_list_of_places_gives_them_in_its_order() -> None:
    model = nn.Chain(nn.Dense(2, 2), np.tanh, nn.Dense(2, 2))
    assert model[[0, 2]].keys() == ("layer_1", "layer_3")
    assert model[[2, 0]].keys() == ("layer_3", "layer_1")
    with pytest.raises(LxcError, match="twice"):
        model[[0, 0]]


def test_chn_14_length_last_and_keys() -> None:
    last = nn.Dense(2, 3)
    model = nn.Chain(nn.Dense(2, 2), last)
    assert len(model) == 2
    assert model[-1] is last
    assert model.keys() == ("layer_1", "layer_2")


def test_chn_15_a_dict_names_the_children(run: Mode) -> None:
    model = nn.Chain({"up": plus_one, "twice": doubled})
    assert model.keys() == ("up", "twice")
    same(run.fresh(model, f32([1])), f32([4]))


def test_chn_16_a_chain_as_given_computes_the_same_under_other_keys() -> None:
    parts = (nn.Dense(2, 3), nn.NoOpLayer(), nn.Chain(np.tanh, nn.Dense(3, 1)))
    kept, simple = nn.Chain(*parts, disable_optimizations=True), nn.Chain(*parts)
    x = TensorSpec((4, 2))
    graphs = [trace_layer(model, x, *setup(0, model)) for model in (kept, simple)]
    computing = [[name for name in ops_of(graph) if name != "noop"] for graph in graphs]
    assert computing[0] == computing[1]
    assert [value.name for value in graphs[0].params][-1] == "@layer_3.layer_2.bias"
    assert [value.name for value in graphs[1].params][-1] == "@layer_3.bias"


def test_children_are_either_all_named_or_all_unnamed() -> None:
    with pytest.raises(LxcError, match="all named or all unnamed"):
        nn.Chain(nn.Dense(2, 2), last=nn.Dense(2, 2))


def test_something_that_is_no_layer_is_refused() -> None:
    with pytest.raises(LxcError, match="neither a layer nor a function"):
        nn.Chain(nn.Dense(2, 2), 3)
