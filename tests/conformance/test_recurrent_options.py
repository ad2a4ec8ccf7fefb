"""What the recurrent cells are made with, and what they start from."""

from typing import Any

import numpy as np
import pytest
import torch

import lxc
from lxc import nn
from lxc.errors import LxcError
from lxc.ir.node import walk
from tests.conformance.columns import Column, close, close_sums, draw, f32
from tests.conformance.rows import row

KEYS = "the keys and values of fresh parameters are decided before anything is computed"
CELLS = [nn.RNNCell, nn.LSTMCell, nn.GRUCell]
TORCH_CELLS = {
    nn.RNNCell: torch.nn.RNNCell,
    nn.LSTMCell: torch.nn.LSTMCell,
    nn.GRUCell: torch.nn.GRUCell,
}


def tensor(values: Any) -> torch.Tensor:
    return torch.tensor(np.asarray(values))


def constant(value: float, dtype: Any = np.float32) -> Any:
    """Return an initialiser of one value."""
    return lambda rng, *shape: np.full(shape, value, dtype)


def torch_cell(kind: Any, ps: Any) -> Any:
    """Return torch's cell with our parameters; a missing bias is zero."""
    first, second = list(ps.values())[:2]
    size = second.shape[1]
    cell = TORCH_CELLS[kind](first.shape[1], size)
    zeros = np.zeros(second.shape[0], np.float32)
    biases = ps.get("bias", zeros), zeros
    if "bias_i" in ps:
        biases = (
            np.concatenate([np.zeros(2 * size, np.float32), ps["bias_i"]]),
            ps["bias_h"],
        )
    with torch.no_grad():
        cell.weight_ih.copy_(tensor(first))
        cell.weight_hh.copy_(tensor(second))
        cell.bias_ih.copy_(tensor(biases[0]))
        cell.bias_hh.copy_(tensor(biases[1]))
    return cell


def op_names(model: Any, x: Any, ps: Any, st: Any) -> list[str]:
    return [node.op.name for node in walk(lxc.trace(model, x, ps, st).nodes)]


@row("RNN-02")
def test_every_sample_starts_from_ones(column: Column) -> None:
    model, x = nn.RNNCell(5, 3), draw(4, 5)
    ps, st = lxc.setup(0, model)
    (y, _), _ = column(model, x, ps, st)
    expected = torch_cell(nn.RNNCell, ps)(tensor(x), torch.ones(4, 3))
    close_sums(y, expected.detach().numpy())


@row("RNN-05a")
def test_the_activation_of_an_rnn_cell_is_any_function(column: Column) -> None:
    x = (draw(2, 5), (draw(2, 3, seed=1),))
    given: list[tuple[Any, Any]] = [
        (nn.relu, torch.relu),
        (lambda v: v * v + 1, lambda v: v * v + 1),
    ]
    ps, st = lxc.setup(0, nn.RNNCell(5, 3))
    total = tensor(x[0]) @ tensor(ps["weight_ih"]).T
    total = total + tensor(x[1][0]) @ tensor(ps["weight_hh"]).T
    for activation, oracle in given:
        (y, _), _ = column(nn.RNNCell(5, 3, activation), x, ps, st)
        close_sums(y, oracle(total).numpy())
    plain, bent = (
        op_names(nn.RNNCell(5, 3, *options), x, ps, st) for options in ((nn.identity,), ())
    )
    assert sorted([*plain, "tanh"]) == sorted(bent)
    with pytest.raises(LxcError, match="an activation is a function") as caught:
        nn.RNNCell(5, 3, 2)  # type: ignore[arg-type]
    assert caught.value.code == "LXC-E0101"


@pytest.mark.parametrize("kind", CELLS)
@row("RNN-04")
@row("LST-03")
@row("GRU-03c")
def test_the_carry_that_is_returned_feeds_straight_back_in(
    column: Column, kind: Any
) -> None:
    model, cell = kind(3, 4), None
    ps, st = lxc.setup(0, model)
    ps = {k: draw(*v.shape, seed=5) if "bias" in k else v for k, v in ps.items()}
    cell = torch_cell(kind, ps)
    carry: Any = (draw(2, 4, seed=1), draw(2, 4, seed=2))[: 1 + (kind is nn.LSTMCell)]
    wanted: Any = tuple(map(tensor, carry))
    call = column.built(model, (draw(2, 3), carry), ps, st)
    for step in range(3):
        x = draw(2, 3, seed=step)
        (y, carry), after = call((x, carry), ps, st)
        wanted = cell(tensor(x), wanted if kind is nn.LSTMCell else wanted[0])
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        np.testing.assert_array_equal(y, carry[0])
        for entry, expected in zip(carry, wanted, strict=True):
            close_sums(entry, expected.detach().numpy())
        np.testing.assert_array_equal(after["rng"], st["rng"])


@pytest.mark.parametrize("kind", CELLS)
@row("RNN-05f")
@row("RNN-05e")
@row("LST-06b")
@row("LST-06c")
@row("GRU-03b")
@row("GRU-03e")
def test_a_trained_start_is_made_at_set_up_and_draws_nothing_later(
    column: Column, kind: Any
) -> None:
    options: dict[str, Any] = {"train_state": True, "init_state": nn.randn32}
    names = ["hidden_state"]
    if kind is nn.LSTMCell:
        options |= {"train_memory": True, "init_memory": constant(2)}
        names = ["hidden_state", "memory"]
    model, x = kind(3, 4, **options), draw(2, 3)
    ps, st = lxc.setup(0, model)
    biases = ["bias_i", "bias_h"] if kind is nn.GRUCell else ["bias"]
    assert list(ps)[2:] == [*biases, *names]
    assert list(st) == ["rng"]
    assert ps["hidden_state"].shape == (4,)
    assert len(set(ps["hidden_state"])) == 4
    if kind is nn.LSTMCell:
        np.testing.assert_array_equal(ps["memory"], f32([2] * 4))
    start = tuple(tensor(ps[name]).expand(2, 4) for name in names)
    (y, _), after = column(model, x, ps, st)
    expected = torch_cell(kind, ps)(tensor(x), start if len(start) > 1 else start[0])
    expected = expected[0] if isinstance(expected, tuple) else expected
    close_sums(y, expected.detach().numpy())
    np.testing.assert_array_equal(after["rng"], st["rng"])


@pytest.mark.parametrize("kind", CELLS)
@row("RNN-06")
@row("LST-06f")
@row("GRU-03i")
def test_a_key_is_needed_only_to_draw(column: Column, kind: Any) -> None:
    model, x = kind(3, 4), draw(2, 3)
    ps, st = lxc.setup(0, model)
    assert list(st) == ["rng"]
    assert "random_bits" not in op_names(model, x, ps, st)
    with_key, _ = column(model, x, ps, st)
    without, after = column(model, x, ps, {})
    assert after == {}
    np.testing.assert_array_equal(with_key[0], without[0])
    y, after = column(nn.Recurrence(model), np.stack([x] * 3, 1), ps, {})
    assert after == {}
    close_sums(y, model_after(model, x, 3, ps))
    random = kind(3, 4, init_state=nn.randn32)
    carry = with_key[1]
    _, kept = column(random, (x, carry), ps, st)
    np.testing.assert_array_equal(kept["rng"], st["rng"])
    with pytest.raises(LxcError, match="no entry for rng") as caught:
        column(random, x, ps, {})
    assert caught.value.code == "LXC-E0105"


def model_after(model: Any, x: Any, steps: int, ps: Any) -> np.ndarray[Any, Any]:
    """Return torch's output after some steps on one input."""
    cell, carry = torch_cell(type(model), ps), None
    if isinstance(model, nn.RNNCell):
        carry = torch.ones(len(x), model.outputs)
    for _ in range(steps):
        carry = cell(tensor(x), carry)
    last: Any = carry[0] if isinstance(carry, tuple) else carry
    return np.asarray(last.detach().numpy())


@row("LST-04", eager_because=KEYS)
@row("LST-05", eager_because=KEYS)
@row("LST-01", eager_because=KEYS)
def test_the_blocks_of_an_lstm_cell() -> None:
    ps, st = lxc.setup(0, nn.LSTMCell(4, 2))
    assert list(st) == ["rng"]
    np.testing.assert_array_equal(ps["bias"], f32([0, 0, 0, 0, 1, 1, 0, 0]))
    four = tuple(map(constant, (1, 2, 3, 4)))
    ps, _ = lxc.setup(0, nn.LSTMCell(4, 2, init_weight=four, init_bias=four))
    np.testing.assert_array_equal(ps["bias"], f32([1, 1, 2, 2, 3, 3, 4, 4]))
    np.testing.assert_array_equal(
        ps["weight_h"], np.repeat(f32([1, 2, 3, 4]), 4).reshape(8, 2)
    )
    check_bounds(lambda seed: lxc.setup(seed, nn.LSTMCell(4, 2))[0])


@row("GRU-03f", eager_because=KEYS)
@row("GRU-01", eager_because=KEYS)
def test_the_blocks_of_a_gru_cell() -> None:
    check_bounds(lambda seed: lxc.setup(seed, nn.GRUCell(4, 2))[0])
    for given in ((nn.zeros32,) * 4, 3):
        with pytest.raises(LxcError, match="one initialiser per gate"):
            nn.GRUCell(4, 2, init_weight=given)  # type: ignore[arg-type]


def check_bounds(made: Any) -> None:
    """Assert that weights of (4, 2) spread as their blocks do, not as the whole matrix."""
    drawn = [made(seed) for seed in range(20)]
    for name, bound in (("weight_i", 1.0), ("weight_h", 1.5**0.5)):
        largest = max(np.abs(ps[name]).max() for ps in drawn)
        assert 0.95 * bound < largest <= bound


@pytest.mark.parametrize("kind", CELLS)
@row("RNN-05b")
@row("RNN-05f")
@row("LST-06a")
@row("LST-06b")
@row("GRU-03d")
@row("GRU-03e")
def test_the_options_decide_which_parameters_count(column: Column, kind: Any) -> None:
    full, bare = kind(3, 4, train_state=True), kind(3, 4, use_bias=False)
    x = draw(2, 3)
    ps, st = lxc.setup(0, full)
    for name in list(ps)[2:]:
        lacking = {key: leaf for key, leaf in ps.items() if key != name}
        with pytest.raises(LxcError, match=f"no entry for {name}") as caught:
            column(full, x, lacking, st)
        assert caught.value.code == "LXC-E0105"
    more = {
        key: leaf + 1 if key not in lxc.setup(0, bare)[0] else leaf
        for key, leaf in ps.items()
    }
    weights = {key: ps[key] for key in list(ps)[:2]}
    close_sums(column(bare, x, more, st)[0][0], model_after(bare, x, 1, weights))


@row("RCR-01")
@row("API-12")
@pytest.mark.parametrize("kind", CELLS)
def test_a_wider_bias_widens_the_carry(column: Column, kind: Any) -> None:
    cell = kind(3, 4, init_bias=constant(0.3, np.float64), train_state=True)
    model, x = nn.Recurrence(cell), draw(2, 3, 3)
    ps, st = lxc.setup(0, model)
    y, _ = column(model, x, ps, st)
    assert y.dtype == np.float64
    wide = {name: leaf.astype(np.float64) for name, leaf in ps.items()}
    twin = torch_cell(kind, wide).double()
    carry: Any = tensor(wide["hidden_state"]).expand(2, 4)
    if kind is nn.LSTMCell:
        carry = (carry, torch.zeros(2, 4, dtype=torch.float64))
    for step in range(3):
        carry = twin(tensor(x[:, step].astype(np.float64)), carry)
    last = carry[0] if isinstance(carry, tuple) else carry
    close_sums(y, last.detach().numpy())


@row("RCR-02")
def test_steps_keep_the_axes_behind_time(column: Column) -> None:
    class Sum(nn.Layer):
        def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
            x, before = (x[0], x[1][0]) if isinstance(x, tuple) else (x, x * 0)
            return (x + before, (x + before,)), st

    x = draw(2, 4, 3, 5)
    steps, _ = column(nn.Recurrence(Sum(), return_sequence=True), x, {}, {})
    assert [step.shape for step in steps] == [(2, 3, 5)] * 4
    close_sums(np.stack(steps, 1), torch.cumsum(tensor(x), 1).numpy())


@row("RCR-05")
def test_a_sequence_of_512_steps(column: Column) -> None:
    model, x = nn.Recurrence(nn.GRUCell(3, 4)), draw(2, 512, 3)
    ps, st = lxc.setup(0, model)
    cell, carry = torch_cell(nn.GRUCell, ps), torch.zeros(2, 4)
    with torch.no_grad():
        for step in range(512):
            carry = cell(tensor(x[:, step]), carry)
    close(column(model, x, ps, st)[0], carry.numpy(), rtol=1e-4, atol=1e-5)
