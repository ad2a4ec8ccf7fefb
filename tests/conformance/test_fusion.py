"""PairwiseFusion and SkipConnection."""

import operator
from typing import Any

import numpy as np
import pytest
import torch

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close_sums, draw, f32, same
from tests.conformance.dense_layers import batch, dense, with_biases
from tests.conformance.rows import row

REFUSED = "the layer is refused when it is made"


def plus_one(x: Any) -> Any:
    return x + 1


def plus_two(x: Any) -> Any:
    return x + 2


def cubed(x: Any) -> Any:
    return x**3


def doubled(x: Any) -> Any:
    return x * 2


def appended(one: Any, two: Any) -> Any:
    return np.concatenate([one, two])


@row("PWF-01")
@row("D1")
def test_pairwise_fusion_joins_the_next_input_with_the_output(column: Column) -> None:
    model = nn.PairwiseFusion(appended, plus_one, plus_two, cubed)
    x = (f32([2]), f32([10]), f32([20]), f32([40]))
    ps, st = lxc.setup(0, model)
    assert ps == st == {"layer_1": {}, "layer_2": {}, "layer_3": {}}
    y, after = column(model, x, ps, st)
    # Lux.jl's code, with the arguments the other way round, gives [125, 1728, 8000, 40].
    same(np.asarray(y), f32([40, 8000, 1728, 125]))
    assert after == st


@row("PWF-02")
@row("D1")
def test_pairwise_fusion_uses_any_other_input_each_time(column: Column) -> None:
    model = nn.PairwiseFusion(appended, plus_one, plus_two, cubed)
    same(np.asarray(column.fresh(model, f32([7]))), f32([7, 343, 729, 1000]))


@row("PWF-02")
def test_pairwise_fusion_threads_parameters_and_state(column: Column) -> None:
    model = nn.PairwiseFusion(np.subtract, nn.Dense(2, 2), nn.BatchNorm(2), nn.Dense(2, 2))
    ps, st = lxc.setup(0, model)
    first = with_biases(ps["layer_1"])
    ps, st = ps | {"layer_1": first}, lxc.testmode(st)
    call = column.built(model, batch(2), ps, st)
    for count in (1, 3, 8):
        x = draw(count, 2, seed=count)
        y, after = call(x, ps, st)
        one = x - dense(x, first)
        two = x - one / (1 + 1e-5) ** 0.5
        close_sums(y, x - dense(two, ps["layer_3"]))
        same(after, st)


@row("PWF-03")
def test_pairwise_fusion_has_names_and_refuses_another_length(column: Column) -> None:
    model = nn.PairwiseFusion(np.subtract, up=plus_one, twice=doubled)
    ps, st = lxc.setup(0, model)
    assert ps == st == {"up": {}, "twice": {}}
    for count in (2, 4):
        with pytest.raises(LxcError, match="one entry per layer") as caught:
            column(model, (f32([1]),) * count, ps, st)
        assert caught.value.code == "LXC-E0103"
        assert caught.value.expected == "3 entries"
        assert caught.value.actual == f"{count} entries"
    y, _ = column(model, (f32([1]), f32([10]), f32([20])), ps, st)
    same(np.asarray(y), f32([4]))


@row("PWF-03", eager_because=REFUSED)
def test_pairwise_fusion_has_no_layer_for_a_connection() -> None:
    connection: Any = nn.Dense(2, 2)
    with pytest.raises(LxcError, match="no parameters of its own") as caught:
        nn.PairwiseFusion(connection, plus_one)
    assert caught.value.code == "LXC-E0101"


@row("SKP-01")
def test_skip_connection_hands_the_processed_value_first(column: Column) -> None:
    model = nn.SkipConnection(nn.Dense(2, 2), np.subtract)
    ps, st = lxc.setup(0, model)
    assert list(ps) == ["weight", "bias"]
    assert st == {}
    ps = with_biases(ps)
    call = column.built(model, batch(2), ps, st)
    for count in (1, 3, 8):
        x = draw(count, 2, seed=count)
        y, after = call(x, ps, st)
        close_sums(y, dense(x, ps) - x)
        assert after == {}


@row("SKP-02")
def test_a_connection_layer_of_a_skip_gets_the_tuple(column: Column) -> None:
    model = nn.SkipConnection(nn.Dense(2, 2), nn.Bilinear((2, 2), 3))
    ps, st = lxc.setup(0, model)
    assert list(ps) == list(st) == ["layers", "connection"]
    assert list(ps["connection"]) == ["weight", "bias"]
    ps = {"layers": with_biases(ps["layers"]), "connection": ps["connection"]}
    x = draw(5, 2)
    y, after = column(model, x, ps, st)
    assert np.shape(y) == (5, 3)
    one, two = torch.tensor(dense(x, ps["layers"])), torch.tensor(x)
    weight, bias = (torch.tensor(leaf) for leaf in ps["connection"].values())
    close_sums(y, torch.nn.functional.bilinear(one, two, weight, bias).numpy())
    assert after == st == {"layers": {}, "connection": {}}


@row("SKP-03")
def test_a_residual_block_of_zero_weights_is_the_identity(column: Column) -> None:
    block = nn.Chain(nn.Dense(2, 4, nn.relu), nn.BatchNorm(4), nn.Dense(4, 2))
    model = nn.SkipConnection(block, operator.add)
    ps, st = lxc.setup(0, model)
    assert list(ps) == ["layer_1", "layer_2", "layer_3"]
    zeros = {n: {k: np.zeros_like(v) for k, v in layer.items()} for n, layer in ps.items()}
    x = draw(3, 2)
    y, after = column(model, x, zeros, st)
    same(np.asarray(y), x)
    assert list(after) == ["layer_1", "layer_2", "layer_3"]
