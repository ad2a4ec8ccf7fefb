"""LSTMCell, one step at a time."""

import numpy as np
import pytest
import torch

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.cells import KEYS, ones, tensor, torch_cell
from tests.conformance.columns import Column, close, close_sums, draw, f32
from tests.conformance.rows import row


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
