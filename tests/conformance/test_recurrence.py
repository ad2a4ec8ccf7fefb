"""Recurrence, StatefulRecurrentCell, and sequences that come in pieces."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

import lxc
from lxc import nn
from lxc.errors import LxcError
from lxc.frontend.layer import Layer
from lxc.ir.graph import Graph
from lxc.ir.node import walk
from tests.conformance.columns import Column, close, close_sums, draw, f32, same
from tests.conformance.rows import row


def tensor(values: Any) -> Any:
    return torch.tensor(np.asarray(values))


def adding_cell() -> tuple[Any, Any, Any]:
    """Return a cell that adds its inputs up from 0, with its parameters and state."""
    model = nn.RNNCell(1, 1, nn.identity, init_state=nn.zeros32)
    ps, st = lxc.setup(0, model)
    return model, {k: f32(np.full_like(v, "weight" in k)) for k, v in ps.items()}, st


def torch_lstm(ps: Any, x: Any) -> np.ndarray[Any, Any]:
    """Return all outputs of torch's LSTM on [batch, time, features]."""
    sizes = ps["weight_i"].shape[1], ps["weight_h"].shape[1]
    lstm: Any = torch.nn.LSTM(*sizes, batch_first=True)
    with torch.no_grad():
        lstm.weight_ih_l0.copy_(tensor(ps["weight_i"]))
        lstm.weight_hh_l0.copy_(tensor(ps["weight_h"]))
        lstm.bias_ih_l0.copy_(tensor(ps["bias"]))
        lstm.bias_hh_l0.zero_()
        return np.asarray(lstm(tensor(x))[0].numpy())


@row("RCR-01")
@row("RCR-02")
def test_the_last_output_of_a_sequence(column: Column) -> None:
    model, x = nn.Recurrence(nn.LSTMCell(3, 5)), draw(2, 4, 3)
    ps, st = lxc.setup(0, model)
    assert list(ps) == ["weight_i", "weight_h", "bias"]
    assert list(st) == ["rng"]
    expected = torch_lstm(ps, x)[:, -1]
    y, after = column(model, x, ps, st)
    close_sums(y, expected)
    same(after["rng"], np.asarray(st["rng"]))
    steps = [x[:, step] for step in range(4)]
    for sequence in (steps, tuple(steps)):
        close_sums(column(model, sequence, ps, st)[0], expected)
    close_sums(column(model, x[:, :1], ps, st)[0], torch_lstm(ps, x)[:, 0])


@row("RCR-01")
@row("RCR-02")
def test_what_is_no_sequence(column: Column) -> None:
    model = nn.Recurrence(nn.LSTMCell(3, 5))
    ps, st = lxc.setup(0, model)
    wrong: tuple[Any, ...] = ([], (), draw(2, 0, 3))
    for x in wrong:
        with pytest.raises(LxcError, match="at least one"):
            column(model, x, ps, st)
    with pytest.raises(LxcError, match="batch, time"):
        column(model, draw(4, 3), ps, st)


@row("RCR-03")
@row("T19")
@row("D17")
@row("T52")
def test_the_outputs_of_all_steps_are_a_list(column: Column) -> None:
    cell, ps, st = adding_cell()
    model = nn.Recurrence(cell, return_sequence=True)
    x = f32([0.5, 0.0, 0.7, 0.8]).reshape(1, 4, 1)
    y, _ = column(model, x, ps, st)
    assert isinstance(y, list)
    assert len(y) == 4
    close(np.concatenate(y).ravel(), [0.5, 0.5, 1.2, 2.0])
    lstm, x = nn.Recurrence(nn.LSTMCell(3, 5), return_sequence=True), draw(2, 4, 3)
    ps, st = lxc.setup(0, lstm)
    y, _ = column(lstm, x, ps, st)
    assert [step.shape for step in y] == [(2, 5)] * 4
    close_sums(np.stack(y, 1), torch_lstm(ps, x))
    y, _ = column(lstm, [x[:, 0], x[:, 1]], ps, st)
    close_sums(np.stack(y, 1), torch_lstm(ps, x)[:, :2])


@row("RCR-03")
def test_the_list_of_outputs_feeds_the_next_layer(column: Column) -> None:
    model = nn.Chain(
        nn.Recurrence(nn.LSTMCell(3, 5), return_sequence=True),
        nn.Recurrence(nn.GRUCell(5, 2), return_sequence=True),
        lambda steps: lxc.ops.stack([*steps], 1),
        lambda y: lxc.ops.concatenate([y[:, 0], y[:, -1]], 1),
    )
    ps, st = lxc.setup(0, model)
    x = draw(2, 4, 3)
    first = torch_lstm(ps["layer_1"], x)
    gru: Any = torch.nn.GRU(5, 2, batch_first=True)
    own = ps["layer_2"]
    with torch.no_grad():
        gru.weight_ih_l0.copy_(tensor(own["weight_i"]))
        gru.weight_hh_l0.copy_(tensor(own["weight_h"]))
        gru.bias_ih_l0.zero_()
        gru.bias_hh_l0.copy_(tensor(own["bias_h"]))
        second = gru(tensor(first))[0].numpy()
    expected = np.concatenate([second[:, 0], second[:, -1]], 1)
    close_sums(column(model, x, ps, st)[0], expected)


@dataclass(frozen=True)
class Counter(Layer):
    """A cell of one's own: it counts its steps in the state and adds the count to x."""

    def init_state(self, rng: Any) -> dict[str, Any]:
        """Return no steps."""
        return {"steps": np.zeros((), np.float32)}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return x plus what was carried, plus the number of steps so far."""
        before = 0
        if isinstance(x, tuple):
            x, (before,) = x
        count = st["steps"] + 1
        y = x + before + count
        return (y, (y,)), {"steps": count}


@row("RCR-04")
def test_the_state_goes_from_step_to_step(column: Column) -> None:
    model = nn.Recurrence(Counter(), return_sequence=True)
    x, st = np.zeros((1, 3, 1), np.float32), {"steps": f32(0)}
    y, after = column(model, x, {}, st)
    close(np.concatenate(y).ravel(), [1, 3, 6])
    close(after["steps"], 3)
    last, after = column(nn.Recurrence(Counter()), x[:, :1], {}, st)
    close(last, [[1]])
    close(after["steps"], 1)


@row("RCR-04")
def test_a_random_first_state_is_drawn_once_per_sequence(column: Column) -> None:
    cell = nn.GRUCell(3, 2, init_state=nn.randn32)
    model, x = nn.Recurrence(cell), draw(2, 4, 3)
    ps, st = lxc.setup(0, model)
    y, after = column(model, x, ps, st)
    expected, want = model(x, ps, st)
    close_sums(y, expected)
    np.testing.assert_array_equal(after["rng"], want["rng"])
    np.testing.assert_array_equal(after["rng"], lxc.ops.random_split(st["rng"])[0])


def loops(graph: Graph) -> list[Any]:
    """Return the loops of a graph, those in bodies included."""
    return [node for node in walk(graph.nodes) if str(node.op) == "scan"]


@row("RCR-05", eager_because="an eager call is a loop in Python, the others are compared")
def test_a_sequence_is_one_loop_whatever_its_length() -> None:
    model = nn.Recurrence(nn.LSTMCell(8, 8), return_sequence=True)
    ps, st = lxc.setup(0, model)
    time = lxc.Dim("T", 1, 512)
    sizes = []
    for length in (8, 512, time):
        graph = lxc.trace(model, lxc.TensorSpec((2, length, 8)), ps, st)
        assert len(loops(graph)) == 1
        sizes.append(len(list(walk(graph.nodes))))
    assert len(set(sizes)) == 1


@row("RCR-05")
def test_one_artifact_runs_sequences_of_any_length(column: Column) -> None:
    model = nn.Recurrence(nn.LSTMCell(3, 5), return_sequence=True)
    ps, st = lxc.setup(0, model)
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 4), lxc.Dim("T", 1, 512), 3))
    call = column.built(model, spec, ps, st)
    for samples, length in ((1, 1), (3, 7), (4, 40)):
        x = draw(samples, length, 3)
        y, _ = call(x, ps, st)
        assert len(y) == length
        close_sums(np.stack(y, 1), torch_lstm(ps, x))


@row("SRC-01")
@row("SRC-03")
@row("T29")
def test_a_stateful_cell_keeps_its_carry(column: Column) -> None:
    model, x = nn.StatefulRecurrentCell(nn.LSTMCell(3, 5)), draw(2, 6, 3)
    ps, st = lxc.setup(0, model)
    assert list(ps) == ["weight_i", "weight_h", "bias"]
    assert list(st) == ["cell", "carry"]
    assert st["carry"] is None
    expected = torch_lstm(ps, x)
    call = column.built(model, x[:, 0], ps, st)
    for step in range(3):
        y, st = call(x[:, step], ps, st)
        close_sums(y, expected[:, step])
        assert [entry.shape for entry in st["carry"]] == [(2, 5), (2, 5)]
        np.testing.assert_array_equal(y, st["carry"][0])


@row("SRC-02")
def test_a_stateful_cell_begins_anew(column: Column) -> None:
    model, x = nn.StatefulRecurrentCell(nn.LSTMCell(3, 5)), draw(2, 3)
    ps, st = lxc.setup(0, model)
    call = column.built(model, x, ps, st)
    first, after = call(x, ps, st)
    second, after = call(x, ps, after)
    assert np.abs(first - second).max() > 1e-3
    again, _ = call(x, ps, lxc.update_state(after, "carry", None))
    np.testing.assert_array_equal(again, first)


@row("SRC-02")
def test_a_stale_carry_of_another_batch_is_refused_by_name(column: Column) -> None:
    model = nn.StatefulRecurrentCell(nn.LSTMCell(3, 5))
    ps, st = lxc.setup(0, model)
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 4), 3))
    call = column.built(model, spec, ps, st)
    _, after = call(draw(2, 3), ps, st)
    with pytest.raises(LxcError, match="carry"):
        call(draw(3, 3), ps, after)
    fresh, _ = call(draw(3, 3), ps, lxc.update_state(after, "carry", None))
    close_sums(fresh, model(draw(3, 3), ps, st)[0])


@row("SRC-01")
@row("SRC-03")
def test_a_random_carry_is_drawn_only_where_it_is_missing(column: Column) -> None:
    model = nn.StatefulRecurrentCell(nn.GRUCell(3, 2, init_state=nn.randn32))
    ps, st = lxc.setup(0, model)
    x = draw(2, 3)
    call = column.built(model, x, ps, st)
    want = st
    for _ in range(3):
        y, st = call(x, ps, st)
        expected, want = model(x, ps, want)
        close_sums(y, expected)
        np.testing.assert_array_equal(st["cell"]["rng"], want["cell"]["rng"])


@row("SRC-01")
def test_a_cell_of_ones_own_keeps_its_carry(column: Column) -> None:
    model, x = nn.StatefulRecurrentCell(Counter()), f32([[0.5]])
    st = {"cell": {"steps": f32(0)}, "carry": None}
    call = column.built(model, x, {}, st)
    for expected in (1.5, 4.0, 7.5):
        y, st = call(x, {}, st)
        close(y, [[expected]])


@pytest.mark.parametrize(
    "cell",
    [nn.LSTMCell(3, 8), nn.GRUCell(3, 8), nn.RNNCell(3, 8)],
    ids=["lstm", "gru", "rnn"],
)
@row("SRC-01")
@row("RCR-05")
def test_pieces_of_a_sequence_give_the_bits_of_the_whole(column: Column, cell: Any) -> None:
    model = nn.StatefulRecurrentCell(nn.Recurrence(cell, return_sequence=True))
    ps, st = lxc.setup(0, model)
    x = draw(2, 12, 3)
    spec = lxc.TensorSpec((2, lxc.Dim("T", 1, 512), 3))
    call = column.built(model, spec, ps, st)
    whole, last = call(x, ps, st)
    for ends in ((12,), (1, 12), (5, 12), (1, 2, 3, 7, 12), tuple(range(1, 13))):
        pieces, after, begin = [], st, 0
        for end in ends:
            y, after = call(x[:, begin:end], ps, after)
            pieces += y
            begin = end
        np.testing.assert_array_equal(np.stack(pieces), np.stack(whole))
        for entry, expected in zip(after["carry"], last["carry"], strict=True):
            np.testing.assert_array_equal(entry, expected)
