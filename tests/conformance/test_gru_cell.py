"""GRUCell, one step at a time."""

from typing import Any

import numpy as np
import torch

import lxc
from lxc import nn
from tests.conformance.cells import KEYS, ones, tensor, torch_cell
from tests.conformance.columns import Column, close, close_sums, draw, f32
from tests.conformance.rows import row


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
