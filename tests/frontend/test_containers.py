"""BranchLayer, Parallel and SkipConnection."""

from typing import Any

import numpy as np
import pytest

from lxc import nn
from lxc.errors import LxcError
from lxc.frontend import setup
from lxc.ir import functions as ops
from tests.frontend.modes import Mode, close, draw, f32, same


def plus_one(x: Any) -> Any:
    return x + 1


def plus_two(x: Any) -> Any:
    return x + 2


def doubled(x: Any) -> Any:
    return x * 2


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
