"""Chain, BranchLayer, Parallel and SkipConnection."""

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


def test_con_01_branches_get_the_same_input_and_give_a_tuple(run: Mode) -> None:
    model = nn.BranchLayer(plus_one, doubled)
    y = run.fresh(model, f32([3, 4]))
    assert isinstance(y, tuple)
    same(y, (f32([4, 5]), f32([6, 8])))
    assert list(setup(0, model)[0]) == ["layer_1", "layer_2"]


def test_con_01_one_branch_gives_a_tuple_of_one(run: Mode) -> None:
    same(run.fresh(nn.BranchLayer(plus_one), f32([3])), (f32([4]),))


def test_con_01_branches_get_a_tuple_whole(run: Mode) -> None:
    y = run.fresh(
        nn.BranchLayer(lambda pair: pair[0] - pair[1], plus), (f32([3]), f32([4]))
    )
    same(y, (f32([-1]), f32([7])))


def plus(pair: Any) -> Any:
    return pair[0] + pair[1]


def test_con_02_named_branches_keep_their_names_in_order() -> None:
    ps, st = setup(0, nn.BranchLayer(b=nn.Dense(2, 3), a=nn.BatchNorm(2)))
    assert list(ps) == ["b", "a"]
    assert list(st) == ["b", "a"]
    assert st["b"] == {}


def test_con_03_no_ops_in_a_branch_copy_the_input(run: Mode) -> None:
    model = nn.BranchLayer(nn.NoOpLayer(), nn.NoOpLayer(), nn.NoOpLayer())
    x = f32([1, 2])
    same(run.fresh(model, x), (x, x, x))
    assert list(setup(0, model)[0]) == ["layer_1", "layer_2", "layer_3"]


def test_con_04_branches_and_parallel_differ_on_a_tuple(run: Mode) -> None:
    pair = (f32([3]), f32([4]))
    no_ops = (nn.NoOpLayer(), nn.NoOpLayer())
    same(run.fresh(nn.Parallel(None, *no_ops), pair), pair)
    same(run.fresh(nn.BranchLayer(*no_ops), pair), (pair, pair))
    same(run.fresh(nn.Parallel(None, plus_one, doubled), pair), (f32([4]), f32([8])))


def test_con_04_branches_and_parallel_agree_on_an_array(run: Mode) -> None:
    x = f32([3, 4])
    parallel = run.fresh(nn.Parallel(None, plus_one, doubled), x)
    same(parallel, run.fresh(nn.BranchLayer(plus_one, doubled), x))


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


def test_par_01_the_connection_is_called_once_with_every_output(run: Mode) -> None:
    calls = []

    def connection(*outputs: Any) -> Any:
        calls.append(len(outputs))
        return outputs[0] + outputs[1]

    y = run.fresh(nn.Parallel(connection, plus_one, doubled), f32([3]))
    same(y, f32([10]))
    assert calls == [2]
    same(run.fresh(nn.Parallel(doubled, plus_one), f32([3])), f32([8]))


def test_par_02_a_tuple_is_split(run: Mode) -> None:
    model = nn.Parallel(
        lambda a, b, c: a + b + c, nn.Dense(10, 2), nn.Dense(5, 2), nn.Dense(4, 2)
    )
    ps, st = setup(0, model)
    xs = (draw(1, 10), draw(1, 5, seed=1), draw(1, 4, seed=2))
    y, _ = run.lux(model, xs, ps, st)
    parts = [x @ layer["weight"].T for x, layer in zip(xs, ps.values(), strict=True)]
    close(y, sum(parts), rtol=1e-4, atol=1e-5)
    with pytest.raises(LxcError, match="one entry per layer"):
        run.lux(model, xs[:2], ps, st)


def test_par_02_a_list_is_not_split(run: Mode) -> None:
    model = nn.Parallel(None, nn.NoOpLayer(), nn.NoOpLayer())
    pair = [f32([3]), f32([4])]
    same(run.fresh(model, pair), (pair, pair))


def test_par_03_without_a_connection_the_outputs_are_a_tuple(run: Mode) -> None:
    y = run.fresh(nn.Parallel(None, plus_one, doubled), (f32([1]), f32([2])))
    same(y, (f32([2]), f32([4])))


def test_par_04_named_children_keep_their_names() -> None:
    ps, _ = setup(0, nn.Parallel(None, left=nn.Dense(1, 1), right=nn.Dense(1, 1)))
    assert list(ps) == ["left", "right"]


def test_skp_01_the_processed_value_comes_first(run: Mode) -> None:
    model = nn.SkipConnection(nn.Dense(2, 2), ops.subtract)
    ps, st = setup(0, model)
    assert list(ps) == ["weight", "bias"]
    x = draw(3, 2)
    close(run.lux(model, x, ps, st)[0], x @ ps["weight"].T - x, rtol=1e-4, atol=1e-5)
    zeros = {"weight": np.zeros((2, 2), np.float32), "bias": np.zeros(2, np.float32)}
    same(run.lux(model, x, zeros, st)[0], -x)


def test_skp_02_a_connection_layer_gets_the_tuple(run: Mode) -> None:
    joined = nn.Parallel(lambda a, b: a - 2 * b, nn.NoOpLayer(), nn.NoOpLayer())
    model = nn.SkipConnection(nn.Dense(2, 2), joined)
    ps, st = setup(0, model)
    assert list(ps) == ["layers", "connection"]
    assert list(st) == ["layers", "connection"]
    x = draw(3, 2)
    y, after = run.lux(model, x, ps, st)
    close(y, x @ ps["layers"]["weight"].T - 2 * x, rtol=1e-4, atol=1e-5)
    assert list(after) == ["layers", "connection"]


def test_skp_03_a_residual_block_of_zero_weights_is_the_identity(run: Mode) -> None:
    block = nn.Chain(nn.Dense(2, 4, nn.relu), nn.Dense(4, 2))
    model = nn.SkipConnection(block, ops.add)
    ps, st = setup(0, model)
    zeros = {name: {k: np.zeros_like(v) for k, v in ps[name].items()} for name in ps}
    x = draw(3, 2)
    same(run.lux(model, x, zeros, st)[0], x)
