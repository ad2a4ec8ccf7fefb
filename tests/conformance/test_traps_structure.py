"""What is easily mistaken about containers, names and keys."""

from typing import Any

import numpy as np

import lxc
from lxc import kaun, nn
from tests.conformance.columns import Column, close_sums, draw, f32, same
from tests.conformance.rows import row


@row("T28")
def test_no_ops_shift_the_keys_of_a_chain_and_empty_slots_stay_in_kaun(
    column: Column,
) -> None:
    model = nn.Chain(nn.Dense(2, 3), nn.Dropout(0.0), nn.identity, nn.Dense(3, 1))
    ps, st = lxc.setup(0, model)
    assert list(ps) == list(st) == ["layer_1", "layer_2"]
    assert list(column(model, draw(4, 2), ps, st)[1]) == ["layer_1", "layer_2"]
    linear = kaun.linear(in_features=2, out_features=2)
    layer = kaun.sequential([linear, kaun.relu(), kaun.dropout(rate=0.5), linear])
    vars = kaun.init(layer, rng=0)
    assert [bool(part) for part in vars.params] == [True, False, False, True]
    assert vars.params[1] == vars.params[2] == []
    x = f32([[1, -2]])
    y, after = column.kaun(layer, x, vars)
    assert len(after.params) == len(after.state) == 4
    hidden = np.maximum(x @ vars.params[0]["weight"], 0)
    close_sums(y, hidden @ vars.params[3]["weight"])


@row("T30")
def test_a_chain_of_one_is_unwrapped_and_a_slice_of_one_is_not(column: Column) -> None:
    dense = nn.Dense(2, 3)
    assert list(lxc.setup(0, nn.Chain(dense))[0]) == ["weight", "bias"]
    part = nn.Chain(dense, np.tanh)[0:1]
    ps, st = lxc.setup(0, part)
    assert list(ps) == list(st) == ["layer_1"]
    x = draw(4, 2)
    y, after = column(part, x, ps, st)
    close_sums(y, x @ ps["layer_1"]["weight"].T)
    assert after == {"layer_1": {}}
    same(np.asarray(column(dense, x, ps["layer_1"], {})[0]), np.asarray(y))


@row("T31")
def test_the_skipped_value_is_the_second(column: Column) -> None:
    model = nn.SkipConnection(nn.Dense(2, 2), np.subtract)
    ps, st = lxc.setup(0, model)
    x = draw(3, 2)
    y, _ = column(model, x, ps, st)
    close_sums(y, x @ ps["weight"].T - x)
    zeros = {"weight": np.zeros((2, 2), np.float32), "bias": np.zeros(2, np.float32)}
    same(np.asarray(column(model, x, zeros, st)[0]), -x)


@row("T32")
def test_parallel_splits_a_tuple_and_branches_do_not(column: Column) -> None:
    pair = (f32([3]), f32([4]))
    no_ops = (nn.NoOpLayer(), nn.NoOpLayer())
    both = nn.BranchLayer(nn.Parallel(None, *no_ops), nn.BranchLayer(*no_ops))
    split, whole = column.fresh(both, pair)
    same(split, pair)
    same(whole, (pair, pair))


def mask(y: Any) -> Any:
    return np.asarray(y) != 0


@row("T33")
def test_one_key_gives_one_mask_and_the_next_another_as_in_eager(column: Column) -> None:
    model = nn.Chain(lambda x: x + 1, nn.Dropout(0.4), nn.Dropout(0.3, dims=(0, 2)))
    ps, st = lxc.setup(7, model)
    x = np.ones((5, 3, 7), np.float32)
    call = column.built(model, x, ps, st)
    first, after = call(x, ps, st)
    again, _ = call(x, ps, st)
    second, last = call(x, ps, after)
    same(np.asarray(first), np.asarray(again))
    assert not np.array_equal(mask(first), mask(second))
    eager, eager_after = model(x, ps, st)
    same(mask(first), mask(eager))
    same(after, eager_after)
    eager_second, eager_last = model(x, ps, eager_after)
    same(mask(second), mask(eager_second))
    same(last, eager_last)


@row("T52")
def test_parallel_hands_a_list_to_each_layer(column: Column) -> None:
    pair = [f32([3]), f32([4])]
    model = nn.Parallel(None, nn.NoOpLayer(), lambda both: both[0] - both[1])
    whole, difference = column.fresh(model, pair)
    same(whole, pair)
    same(np.asarray(difference), f32([-1]))
