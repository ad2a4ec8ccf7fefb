"""RNNCell, one step at a time."""

import numpy as np
import pytest
import torch

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.cells import KEYS, ones, tensor, torch_cell
from tests.conformance.columns import Column, close, close_sums, draw, f32
from tests.conformance.rows import row


@row("RNN-01")
@row("RNN-02")
@row("RNN-05a")
@row("T18")
def test_an_rnn_cell_starts_from_ones(column: Column) -> None:
    model = nn.RNNCell(1, 1)
    ps, st = lxc.setup(0, model)
    assert list(ps) == ["weight_ih", "weight_hh", "bias"]
    assert list(st) == ["rng"]
    (y, carry), after = column(model, f32([[0.5]]), ones(ps), st)
    close(y, [[0.905148]])
    np.testing.assert_array_equal(y, carry[0])
    assert len(carry) == 1
    np.testing.assert_array_equal(after["rng"], st["rng"])
    linear = nn.RNNCell(1, 1, nn.identity)
    close(column(linear, f32([[0.5]]), ones(ps), st)[0][0], [[1.5]])


@row("RNN-01")
@row("RNN-04")
def test_an_rnn_cell_is_that_of_torch(column: Column) -> None:
    model, x, h = nn.RNNCell(5, 3), draw(2, 5), draw(2, 3, seed=1)
    ps, st = lxc.setup(0, model)
    ps = {**ps, "bias": draw(3, seed=2)}
    expected = torch_cell(torch.nn.RNNCell, ps, ps["bias"], np.zeros(3))(
        tensor(x), tensor(h)
    )
    (y, (carry,)), _ = column(model, (x, (h,)), ps, st)
    close_sums(y, expected.detach().numpy())
    (again, _), _ = column(model, (x, (carry,)), ps, st)
    twice = torch_cell(torch.nn.RNNCell, ps, ps["bias"], np.zeros(3))(tensor(x), expected)
    close_sums(again, twice.detach().numpy())


@row("RNN-03")
@row("RNN-04")
@row("RNN-05f")
def test_a_trained_first_state_of_an_rnn_cell_is_a_parameter(column: Column) -> None:
    model, x = nn.RNNCell(2, 3, train_state=True), draw(4, 2)
    ps, st = lxc.setup(0, model)
    assert list(ps) == ["weight_ih", "weight_hh", "bias", "hidden_state"]
    np.testing.assert_array_equal(ps["hidden_state"], np.ones(3, np.float32))
    call = column.built(model, x, ps, st)
    ps = {**ps, "hidden_state": f32([1, -2, 3])}
    plain = nn.RNNCell(2, 3)
    given = np.tile(ps["hidden_state"], (4, 1))
    expected = plain((x, (given,)), ps, st)[0][0]
    close_sums(call(x, ps, st)[0][0], expected)
    h = draw(4, 3, seed=3)
    expected = plain((x, (h,)), ps, st)[0][0]
    close_sums(column(model, (x, (h,)), ps, st)[0][0], expected)


@row("RNN-05b")
def test_an_rnn_cell_without_bias_has_no_key(column: Column) -> None:
    model = nn.RNNCell(2, 3, use_bias=False)
    ps, st = lxc.setup(0, model)
    assert list(ps) == ["weight_ih", "weight_hh"]
    assert list(lxc.setup(0, nn.RNNCell(2, 3, bias=False))[0]) == list(ps)
    with pytest.raises(LxcError, match="use_bias"):
        nn.RNNCell(2, 3, use_bias=True, bias=False)
    x, h = draw(1, 2), draw(1, 3, seed=1)
    zeros = np.zeros(3, np.float32)
    expected = torch_cell(torch.nn.RNNCell, ps, zeros, zeros)(tensor(x), tensor(h))
    close_sums(column(model, (x, (h,)), ps, st)[0][0], expected.detach().numpy())


@row("RNN-05c", eager_because=KEYS)
@row("RNN-05d", eager_because=KEYS)
def test_the_initialisers_of_an_rnn_cell() -> None:
    ps, _ = lxc.setup(0, nn.RNNCell(50, 30))
    np.testing.assert_array_equal(ps["bias"], np.zeros(30, np.float32))
    for name, fans in (("weight_ih", 80), ("weight_hh", 60)):
        bound = (6 / fans) ** 0.5
        assert 0.95 * bound < np.abs(ps[name]).max() <= bound
    made = nn.RNNCell(2, 3, init_weight=nn.ones32, init_bias=nn.ones32)
    for leaf in lxc.setup(0, made)[0].values():
        np.testing.assert_array_equal(leaf, np.ones_like(leaf))


@row("RNN-05e")
@row("RNN-06")
def test_a_first_state_is_what_its_initialiser_makes(column: Column) -> None:
    x = f32([[0.5], [0.25]])
    zeros = nn.RNNCell(1, 2, init_state=nn.zeros32)
    ps, st = lxc.setup(0, zeros)
    close(column(zeros, x, ones(ps), st)[0][0], np.tanh(np.repeat(x, 2, 1)))
    own = nn.RNNCell(1, 2, init_state=lambda rng, *shape: np.full(shape, 2.0, np.float32))
    close(column(own, x, ones(ps), st)[0][0], np.tanh(np.repeat(x, 2, 1) + 4))
    for make in (nn.randn32, nn.rand32, nn.glorot_uniform, nn.glorot_normal):
        model = nn.RNNCell(1, 2, nn.identity, init_state=make)
        call = column.built(model, x, ones(ps), st)
        (first, _), after = call(x, ones(ps), st)
        close(first, model(x, ones(ps), st)[0][0], rtol=1e-5, atol=1e-5)
        assert (after["rng"] != st["rng"]).any()
        np.testing.assert_array_equal(after["rng"], model(x, ones(ps), st)[1]["rng"])
        assert np.abs(call(x, ones(ps), after)[0][0] - first).max() > 1e-3
        _, kept = column(model, (x, (draw(2, 2),)), ones(ps), st)
        np.testing.assert_array_equal(kept["rng"], st["rng"])


@row("RNN-06", eager_because="a draw of the user's own happens in Python")
def test_a_random_first_state_of_ones_own_runs_in_python_only() -> None:
    model = nn.RNNCell(1, 2, init_state=lambda rng, *shape: rng.random(shape))
    ps, st = lxc.setup(0, model)
    x = f32([[0.5]])
    (first, _), after = model(x, ps, st)
    np.testing.assert_array_equal(first, model(x, ps, st)[0][0])
    assert (after["rng"] != st["rng"]).any()
    with pytest.raises(LxcError, match="random initial state of one's own"):
        lxc.trace(model, x, ps, st)
