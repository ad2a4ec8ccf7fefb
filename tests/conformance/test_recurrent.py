"""RNNCell, LSTMCell and GRUCell, one step at a time."""

from typing import Any

import numpy as np
import pytest
import torch

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close, close_sums, draw, f32
from tests.conformance.rows import row

KEYS = "the keys and values of fresh parameters are decided before anything is computed"


def ones(ps: Any, **changed: Any) -> Any:
    """Return parameters with ones for weights, and some of them changed."""
    weights = {k: np.ones_like(v) if "weight" in k else v for k, v in ps.items()}
    return weights | {name: f32(value) for name, value in changed.items()}


def tensor(values: Any) -> torch.Tensor:
    return torch.tensor(np.asarray(values))


def torch_cell(kind: Any, ps: Any, bias_ih: Any, bias_hh: Any) -> Any:
    """Return torch's cell with our parameters."""
    first = ps.get("weight_ih", ps.get("weight_i"))
    second = ps.get("weight_hh", ps.get("weight_h"))
    cell = kind(first.shape[1], second.shape[1])
    with torch.no_grad():
        cell.weight_ih.copy_(tensor(first))
        cell.weight_hh.copy_(tensor(second))
        cell.bias_ih.copy_(tensor(bias_ih))
        cell.bias_hh.copy_(tensor(bias_hh))
    return cell


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


@row("LST-01")
@row("LST-04")
@row("T15")
@row("D6")
def test_an_lstm_cell_has_gates_i_f_g_o_and_ones_on_g(column: Column) -> None:
    model = nn.LSTMCell(1, 1)
    ps, st = lxc.setup(0, model)
    assert list(ps) == ["weight_i", "weight_h", "bias"]
    np.testing.assert_array_equal(ps["bias"], f32([0, 0, 1, 0]))
    x = f32([[1]])
    (y, (h, c)), after = column(model, x, ones(ps), st)
    close(c, [[0.704761]])
    close(h, [[0.444031]])
    np.testing.assert_array_equal(y, h)
    np.testing.assert_array_equal(after["rng"], st["rng"])
    close(column(model, x, ones(ps, bias=[0, 1, 0, 0]), st)[0][0], [[0.369606]])


@row("LST-01")
@row("LST-03")
def test_an_lstm_cell_is_that_of_torch(column: Column) -> None:
    model, x, carry = (
        nn.LSTMCell(5, 3),
        draw(2, 5),
        (draw(2, 3, seed=1), draw(2, 3, seed=2)),
    )
    ps, st = lxc.setup(0, model)
    ps = {**ps, "bias": draw(12, seed=4)}
    cell = torch_cell(torch.nn.LSTMCell, ps, ps["bias"], np.zeros(12))
    expected = cell(tensor(x), tuple(map(tensor, carry)))
    (y, after), _ = column(model, (x, carry), ps, st)
    close_sums(y, expected[0].detach().numpy())
    close_sums(after[0], expected[0].detach().numpy())
    close_sums(after[1], expected[1].detach().numpy())


@row("LST-02")
@row("LST-06b")
@row("LST-06c")
@row("LST-06d")
@row("LST-06e")
@row("D7")
@row("T16")
def test_where_an_lstm_cell_begins(column: Column) -> None:
    x = draw(3, 2)
    for state in (False, True):
        for memory in (False, True):
            model = nn.LSTMCell(
                2,
                2,
                train_state=state,
                train_memory=memory,
                init_state=nn.zeros32,
                init_memory=nn.ones32,
            )
            ps, st = lxc.setup(0, model)
            wanted = ["hidden_state"] * state + ["memory"] * memory
            assert list(ps)[3:] == wanted
            h, c = np.zeros((3, 2), np.float32), np.ones((3, 2), np.float32)
            if state:
                np.testing.assert_array_equal(ps["hidden_state"], h[0])
                ps = {**ps, "hidden_state": f32([0.5, -0.5])}
                h = h + ps["hidden_state"]
            if memory:
                np.testing.assert_array_equal(ps["memory"], c[0])
                ps = {**ps, "memory": f32([2, -2])}
                c = 0 * c + ps["memory"]
            expected = torch_cell(torch.nn.LSTMCell, ps, ps["bias"], np.zeros(8))(
                tensor(x), (tensor(h), tensor(c))
            )
            (_, after), _ = column(model, x, ps, st)
            close_sums(after[0], expected[0].detach().numpy())
            close_sums(after[1], expected[1].detach().numpy())


@row("LST-05", eager_because=KEYS)
def test_each_gate_of_an_lstm_cell_has_its_initialiser() -> None:
    ps, _ = lxc.setup(0, nn.LSTMCell(4, 2))
    assert ps["weight_i"].shape == (8, 4)
    assert ps["weight_h"].shape == (8, 2)
    big = lxc.setup(0, nn.LSTMCell(400, 200))[0]
    assert 0.099 < np.abs(big["weight_i"]).max() <= (6 / 600) ** 0.5
    four = (nn.zeros32, nn.ones32, nn.zeros32, nn.ones32)
    ps, _ = lxc.setup(0, nn.LSTMCell(4, 2, init_weight=four))
    for name in ("weight_i", "weight_h"):
        np.testing.assert_array_equal(ps[name][:, 0], f32([0, 0, 1, 1, 0, 0, 1, 1]))
    with pytest.raises(LxcError, match="one initialiser per gate"):
        nn.LSTMCell(4, 2, init_weight=four[:3])


@row("LST-06a")
@row("LST-06f")
def test_an_lstm_cell_without_bias_and_its_key(column: Column) -> None:
    model, x, carry = (
        nn.LSTMCell(2, 3, use_bias=False),
        draw(1, 2),
        (draw(1, 3), draw(1, 3)),
    )
    ps, st = lxc.setup(0, model)
    assert list(ps) == ["weight_i", "weight_h"]
    zeros = np.zeros(12, np.float32)
    expected = torch_cell(torch.nn.LSTMCell, ps, zeros, zeros)(
        tensor(x), tuple(map(tensor, carry))
    )
    close_sums(column(model, (x, carry), ps, st)[0][0], expected[0].detach().numpy())
    random = nn.LSTMCell(2, 3, init_state=nn.randn32, init_memory=nn.randn32)
    ps, st = lxc.setup(0, random)
    (_, (h, c)), after = column(random, x, ps, st)
    (_, (want_h, want_c)), want = random(x, ps, st)
    close(h, want_h, atol=1e-5)
    close(c, want_c, atol=1e-5)
    np.testing.assert_array_equal(after["rng"], want["rng"])
    assert (after["rng"] != st["rng"]).any()


@row("GRU-01")
@row("GRU-02")
@row("GRU-03a")
@row("T17")
def test_the_reset_gate_of_a_gru_cell_multiplies_the_product(column: Column) -> None:
    model, x, h = nn.GRUCell(1, 1), f32([[1]]), f32([[1]])
    ps, st = lxc.setup(0, model)
    assert {k: v.shape for k, v in ps.items()} == {
        "weight_i": (3, 1),
        "weight_h": (3, 1),
        "bias_i": (1,),
        "bias_h": (3,),
    }
    (y, carry), after = column(model, x, ones(ps), st)
    close(y, [[0.204824]])
    assert len(carry) == 1
    np.testing.assert_array_equal(after["rng"], st["rng"])
    call = column.built(model, (x, (h,)), ones(ps), st)
    close(call((x, (h,)), ones(ps), st)[0][0], [[0.994584]])
    close(call((x, (h,)), ones(ps, bias_h=[0, 0, 1]), st)[0][0], [[0.999052]])


@row("GRU-01")
@row("GRU-03c")
def test_a_gru_cell_is_that_of_torch(column: Column) -> None:
    model, x, h = nn.GRUCell(5, 3), draw(2, 5), draw(2, 3, seed=1)
    ps, st = lxc.setup(0, model)
    ps = {**ps, "bias_i": draw(3, seed=5), "bias_h": draw(9, seed=6)}
    bias = np.concatenate([np.zeros(6, np.float32), ps["bias_i"]])
    cell = torch_cell(torch.nn.GRUCell, ps, bias, ps["bias_h"])
    (y, (carry,)), _ = column(model, (x, (h,)), ps, st)
    expected = cell(tensor(x), tensor(h)).detach().numpy()
    close_sums(y, expected)
    close_sums(carry, expected)


@row("GRU-03b")
@row("GRU-03e")
@row("GRU-03h")
@row("GRU-03i")
def test_where_a_gru_cell_begins(column: Column) -> None:
    x = draw(3, 2)
    for options in ({"train_state": True}, {"init_state": nn.ones32}, {}):
        model = nn.GRUCell(2, 2, **options)
        ps, st = lxc.setup(0, model)
        h = np.zeros((3, 2), np.float32)
        if "train_state" in options:
            np.testing.assert_array_equal(ps["hidden_state"], h[0])
            ps = {**ps, "hidden_state": f32([0.5, -0.5])}
            h = h + ps["hidden_state"]
        if "init_state" in options:
            h = h + 1
        bias = np.concatenate([np.zeros(4, np.float32), ps["bias_i"]])
        cell = torch_cell(torch.nn.GRUCell, ps, bias, ps["bias_h"])
        (y, _), after = column(model, x, ps, st)
        close_sums(y, cell(tensor(x), tensor(h)).detach().numpy())
        np.testing.assert_array_equal(after["rng"], st["rng"])
    random = nn.GRUCell(2, 2, init_state=nn.rand32)
    _, after = column(random, x, ps, st)
    assert (after["rng"] != st["rng"]).any()


@row("GRU-03d")
def test_a_gru_cell_without_bias_has_none(column: Column) -> None:
    model, x, h = nn.GRUCell(2, 3, use_bias=False), draw(1, 2), draw(1, 3)
    ps, st = lxc.setup(0, model)
    assert list(ps) == ["weight_i", "weight_h"]
    zeros = np.zeros(9, np.float32)
    expected = torch_cell(torch.nn.GRUCell, ps, zeros, zeros)(tensor(x), tensor(h))
    close_sums(column(model, (x, (h,)), ps, st)[0][0], expected.detach().numpy())


@row("GRU-03f", eager_because=KEYS)
@row("GRU-03g", eager_because=KEYS)
def test_each_gate_of_a_gru_cell_has_its_initialiser() -> None:
    def constant(value: float) -> Any:
        return lambda rng, *shape: np.full(shape, value, np.float32)

    three = tuple(map(constant, (1, 2, 3)))
    ps, _ = lxc.setup(0, nn.GRUCell(4, 2, init_weight=three, init_bias=three))
    for name in ("weight_i", "weight_h"):
        np.testing.assert_array_equal(ps[name][:, 0], f32([1, 1, 2, 2, 3, 3]))
    np.testing.assert_array_equal(ps["bias_h"], f32([1, 1, 2, 2, 3, 3]))
    np.testing.assert_array_equal(ps["bias_i"], f32([1, 1]))
    fresh = lxc.setup(0, nn.GRUCell(400, 200))[0]
    assert 0.099 < np.abs(fresh["weight_i"]).max() <= (6 / 600) ** 0.5
    np.testing.assert_array_equal(fresh["bias_h"], np.zeros(600, np.float32))


@pytest.mark.parametrize("kind", [nn.RNNCell, nn.LSTMCell, nn.GRUCell])
@row("RNN-04")
@row("LST-03")
@row("GRU-03c")
def test_what_a_cell_refuses(column: Column, kind: Any) -> None:
    model = kind(4, 3)
    ps, st = lxc.setup(0, model)
    for x in (draw(2, 5), draw(4), draw(2, 2, 4), (draw(2, 4), draw(2, 3))):
        with pytest.raises(LxcError) as caught:
            column(model, x, ps, st)
        assert caught.value.code == "LXC-E0103"
    count = 2 if kind is nn.LSTMCell else 1
    with pytest.raises(LxcError, match="carry"):
        column(model, (draw(2, 4), (draw(3, 3),) * count), ps, st)


@pytest.mark.parametrize("kind", [nn.RNNCell, nn.LSTMCell, nn.GRUCell])
@row("RNN-01")
@row("LST-01")
@row("GRU-01")
def test_a_cell_takes_any_number_of_samples(column: Column, kind: Any) -> None:
    model = kind(4, 3)
    ps, st = lxc.setup(0, model)
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 8), 4), "float32")
    call = column.built(model, spec, ps, st)
    for count in (1, 3, 8):
        x = draw(count, 4, seed=count)
        close_sums(call(x, ps, st)[0][0], model(x, ps, st)[0][0])
