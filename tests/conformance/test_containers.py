"""BranchLayer and Parallel."""

import operator
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close_sums, draw, f32, same
from tests.conformance.dense_layers import batch, dense, with_biases
from tests.conformance.rows import row

REFUSED = "the layer is refused when it is made"


def plus_one(x: Any) -> Any:
    return x + 1


def doubled(x: Any) -> Any:
    return x * 2


def minus(pair: Any) -> Any:
    return pair[0] - pair[1]


@row("CON-01")
def test_branches_get_the_same_input_and_give_a_tuple(column: Column) -> None:
    model = nn.BranchLayer(nn.Dense(3, 2), nn.BatchNorm(3), plus_one)
    ps, st = lxc.setup(0, model)
    assert list(ps) == list(st) == ["layer_1", "layer_2", "layer_3"]
    ps = with_biases(ps)
    call = column.built(model, batch(3), ps, st)
    for count in (2, 5, 8):
        x = draw(count, 3, seed=count)
        y, after = call(x, ps, st)
        assert isinstance(y, tuple)
        assert len(y) == 3
        close_sums(y[0], dense(x, ps["layer_1"]))
        same(np.asarray(y[2]), x + 1)
        assert list(after) == ["layer_1", "layer_2", "layer_3"]
        close_sums(after["layer_2"]["running_mean"], x.mean(0) / 10)
        assert after["layer_1"] == after["layer_3"] == {}


@row("CON-01")
def test_branches_get_a_tuple_whole_and_one_gives_a_tuple_of_one(column: Column) -> None:
    pair = (f32([3]), f32([4]))
    inner = nn.BranchLayer(minus)
    y = column.fresh(nn.BranchLayer(minus, nn.NoOpLayer(), inner), pair)
    same(y, (f32([-1]), pair, (f32([-1]),)))


@row("CON-02")
def test_named_branches_keep_their_names_in_order(column: Column) -> None:
    model = nn.BranchLayer(b=nn.Dense(2, 2), a=nn.BatchNorm(2), self=doubled)
    ps, st = lxc.setup(0, model)
    assert list(ps) == list(st) == ["b", "a", "self"]
    assert ps["self"] == st["b"] == {}
    ps = ps | {"b": with_biases(ps["b"])}
    x = draw(3, 2)
    y, after = column(model, x, ps, st)
    close_sums(y[0], dense(x, ps["b"]))
    same(np.asarray(y[2]), x * 2)
    assert list(after) == ["b", "a", "self"]


@row("CON-03")
def test_no_ops_in_a_branch_copy_the_input(column: Column) -> None:
    model = nn.BranchLayer(nn.NoOpLayer(), nn.NoOpLayer(), nn.NoOpLayer())
    ps, st = lxc.setup(0, model)
    assert ps == st == {"layer_1": {}, "layer_2": {}, "layer_3": {}}
    x = f32([1, 2])
    y, after = column(model, x, ps, st)
    same(y, (x, x, x))
    assert after == st


@row("CON-04")
def test_branches_split_no_tuple_and_parallel_does(column: Column) -> None:
    pair = (f32([3]), f32([4]))
    branches = nn.BranchLayer(
        lambda both: tuple(plus_one(x) for x in both),
        lambda both: tuple(doubled(x) for x in both),
    )
    parallel = nn.Parallel(None, plus_one, doubled)
    both = nn.BranchLayer(branches, parallel)
    of_branches, of_parallel = column.fresh(both, pair)
    same(of_branches, ((f32([4]), f32([5])), (f32([6]), f32([8]))))
    same(of_parallel, (f32([4]), f32([8])))


@row("CON-04")
def test_branches_and_parallel_agree_on_an_array(column: Column) -> None:
    both = nn.BranchLayer(
        nn.Parallel(None, plus_one, doubled), nn.BranchLayer(plus_one, doubled)
    )
    of_parallel, of_branches = column.fresh(both, f32([3, 4]))
    same(of_parallel, of_branches)
    same(of_branches, (f32([4, 5]), f32([6, 8])))


@row("PAR-01")
def test_the_connection_is_called_once_with_every_output(column: Column) -> None:
    calls = []

    def connection(*outputs: Any) -> Any:
        calls.append(len(outputs))
        return outputs[0] - outputs[1] * outputs[2]

    model = nn.Parallel(connection, plus_one, nn.NoOpLayer(), doubled)
    same(np.asarray(column.fresh(model, f32([3, 5]))), f32([-14, -44]))
    assert calls == [3]


@row("PAR-01")
def test_the_connection_of_one_layer_is_called_too(column: Column) -> None:
    model = nn.Parallel(doubled, plus_one)
    ps, st = lxc.setup(0, model)
    assert ps == {"layer_1": {}}
    call = column.built(model, batch(2), ps, st)
    for count in (1, 4):
        x = draw(count, 2)
        same(np.asarray(call(x, ps, st)[0]), (x + 1) * 2)


@row("PAR-02")
def test_a_tuple_is_split_and_its_length_checked(column: Column) -> None:
    model = nn.Parallel(np.add, nn.Dense(10, 2), nn.Dense(5, 2), nn.Dense(4, 2))
    ps, st = lxc.setup(0, model)
    ps = with_biases(ps)
    xs = tuple(draw(1, size, seed=size) for size in (10, 5, 4))
    call = column.built(model, xs, ps, st)
    y, _ = call(xs, ps, st)
    close_sums(y, sum(dense(x, part) for x, part in zip(xs, ps.values(), strict=True)))
    for wrong in (xs[:2], (*xs, xs[0])):
        with pytest.raises(LxcError, match="one entry per layer") as caught:
            column.built(model, wrong, ps, st)(wrong, ps, st)
        assert caught.value.code == "LXC-E0103"
        assert caught.value.expected == "3 entries"
        assert caught.value.actual == f"{len(wrong)} entries"


@row("PAR-02")
def test_sums_products_and_extremes_join_any_number_of_outputs(column: Column) -> None:
    parts = (plus_one, nn.NoOpLayer(), doubled)
    model = nn.BranchLayer(
        nn.Parallel(operator.add, *parts),
        nn.Parallel(lxc.ops.multiply, *parts),
        nn.Parallel(np.maximum, *parts),
        nn.Parallel(lxc.ops.minimum, *parts),
        nn.Parallel(operator.mul, doubled),
    )
    expected = ([9, -7], [24, -8], [4, -1], [2, -4], [4, -4])
    same(column.fresh(model, f32([2, -2])), tuple(map(f32, expected)))


@row("PAR-02", eager_because=REFUSED)
def test_a_connection_of_another_number_of_values_is_refused() -> None:
    wrong: tuple[Any, ...] = (np.subtract, operator.sub, lambda a, b, c: a, 3)
    for connection in wrong:
        with pytest.raises(LxcError, match="connection") as caught:
            nn.Parallel(connection, plus_one, doubled, doubled, doubled)
        assert caught.value.code == "LXC-E0101"
    with pytest.raises(LxcError, match="as many values"):
        nn.SkipConnection(doubled, plus_one)
    pairwise: Any = nn.PairwiseFusion
    with pytest.raises(LxcError, match="as many values"):
        pairwise(plus_one, doubled)


@row("PAR-03")
def test_without_a_connection_the_outputs_are_a_tuple(column: Column) -> None:
    model = nn.Parallel(None, plus_one, doubled)
    same(column.fresh(model, (f32([1]), f32([2, 3]))), (f32([2]), f32([4, 6])))


@row("PAR-04")
def test_named_parallel_layers_keep_their_names(column: Column) -> None:
    model = nn.Parallel(np.subtract, right=nn.Dense(2, 2), connection=plus_one)
    ps, st = lxc.setup(0, model)
    assert list(ps) == list(st) == ["right", "connection"]
    ps = with_biases(ps)
    x = draw(3, 2)
    y, after = column(model, x, ps, st)
    close_sums(y, dense(x, ps["right"]) - (x + 1))
    assert after == st


@row("PAR-05")
def test_a_connection_layer_gets_the_tuple_of_outputs(column: Column) -> None:
    join = nn.Chain(minus, nn.Dense(2, 2), nn.BatchNorm(2))
    model = nn.Parallel(join, nn.Dense(3, 2), nn.Dense(2, 2))
    ps, st = lxc.setup(0, model)
    assert list(ps) == list(st) == ["layers", "connection"]
    assert list(ps["layers"]) == ["layer_1", "layer_2"]
    assert list(ps["connection"]) == ["layer_1", "layer_2", "layer_3"]
    st = lxc.testmode(st)
    xs = (draw(4, 3), draw(4, 2, seed=1))
    y, after = column(model, xs, ps, st)
    parts = [dense(x, ps["layers"][f"layer_{n}"]) for n, x in enumerate(xs, 1)]
    joined = dense(parts[0] - parts[1], ps["connection"]["layer_2"])
    close_sums(y, joined / (1 + 1e-5) ** 0.5)
    same(after, st)


@row("CON-01", eager_because=REFUSED)
@row("PAR-01", eager_because=REFUSED)
def test_a_layer_around_nothing_is_refused() -> None:
    for make in (
        lambda: nn.BranchLayer(),
        lambda: nn.Parallel(None),
        lambda: nn.PairwiseFusion(np.add),
    ):
        with pytest.raises(LxcError, match="needs at least one layer inside") as caught:
            make()
        assert caught.value.code == "LXC-E0101"
