"""LSTM, GRU and RNN of ONNX: loops over time in one or both directions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from lxc.frontend.layers.recurrent_cell import product
from lxc.frontend.onnx.gate_functions import Direction, Function, Functions
from lxc.frontend.onnx.operator import Operator, operator_of
from lxc.ir import functions as ops
from lxc.ir.functions.counting import counter
from lxc.ir.tensor import shape_of

Layout = Literal[0, 1]


@dataclass(frozen=True)
class Cell:
    """The parameters of one direction: blocks of rows, one block per gate."""

    weight: Any
    recurrent: Any
    bias: Any
    functions: tuple[Function, ...]
    peepholes: Any = None

    @property
    def size(self) -> Any:
        """The number of features of the state."""
        return shape_of(self.recurrent)[-1]

    def bias_of(self, start: int, count: int) -> Any:
        """Return the sum of both biases of `count` gates from `start`, or None."""
        if self.bias is None:
            return None
        gates = shape_of(self.weight)[0]
        low, high = start * self.size, (start + count) * self.size
        return ops.add(self.bias[low:high], self.bias[gates + low : gates + high])


Step = Callable[[Cell, Any, tuple[Any, ...]], tuple[Any, ...]]


def plus(total: Any, bias: Any) -> Any:
    """Return a sum with a bias, if there is one."""
    return total if bias is None else ops.add(total, bias)


def rnn_step(cell: Cell, x: Any, carry: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return f(x W.T + h R.T + b)."""
    total = ops.add(product(x, cell.weight), product(carry[0], cell.recurrent))
    return (cell.functions[0](plus(total, cell.bias_of(0, 1))),)


def lstm_step(cell: Cell, x: Any, carry: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return (h', c') with the gates i, o, f, c in this order."""
    hidden, memory = carry
    inner, candidate, outer = cell.functions
    total = ops.add(product(x, cell.weight), product(hidden, cell.recurrent))
    i, o, f, c = ops.split(plus(total, cell.bias_of(0, 4)), 4, -1)
    if cell.peepholes is not None:
        at_i, at_o, at_f = ops.split(cell.peepholes, 3)
        i, f = (ops.add(g, ops.multiply(p, memory)) for g, p in ((i, at_i), (f, at_f)))
    kept = ops.multiply(inner(f), memory)
    memory = ops.add(kept, ops.multiply(inner(i), candidate(c)))
    if cell.peepholes is not None:
        o = ops.add(o, ops.multiply(at_o, memory))
    return ops.multiply(inner(o), outer(memory)), memory


def gru_step(reset_after: bool) -> Step:
    """Return the step of a GRU whose reset gate comes after the product or before it."""

    def step(cell: Cell, x: Any, carry: tuple[Any, ...]) -> tuple[Any, ...]:
        (hidden,) = carry
        gate, candidate = cell.functions
        n = cell.size
        update_reset = ops.add(
            product(x, cell.weight[: 2 * n]), product(hidden, cell.recurrent[: 2 * n])
        )
        z, r = ops.split(gate(plus(update_reset, cell.bias_of(0, 2))), 2, -1)
        own = product(x, cell.weight[2 * n :])
        if reset_after:
            bias = cell.bias
            own = plus(own, None if bias is None else bias[2 * n : 3 * n])
            behind = product(hidden, cell.recurrent[2 * n :])
            behind = plus(behind, None if bias is None else bias[5 * n :])
            new = candidate(ops.add(own, ops.multiply(r, behind)))
        else:
            behind = product(ops.multiply(r, hidden), cell.recurrent[2 * n :])
            new = candidate(plus(ops.add(own, behind), cell.bias_of(2, 1)))
        kept = ops.multiply(z, hidden)
        return (ops.add(ops.multiply(ops.subtract(1, z), new), kept),)

    return step


def rnn(
    x: Any,
    w: Any,
    r: Any,
    b: Any = None,
    sequence_lens: Any = None,
    initial_h: Any = None,
    *,
    activation_alpha: Sequence[float] = (),
    activation_beta: Sequence[float] = (),
    activations: Sequence[str] = (),
    clip: float | None = None,
    direction: Direction = "forward",
    hidden_size: int | None = None,
    layout: Layout = 0,
) -> Any:
    """Return all states and the last ones of a simple recurrent network."""
    chosen = Functions(activations or ("Tanh",), activation_alpha, activation_beta, clip)
    cells = cells_of((w, r, b, None), direction, chosen.of(direction, 1))
    return walk(x, cells, rnn_step, sequence_lens, (initial_h,), layout)


def lstm(
    x: Any,
    w: Any,
    r: Any,
    b: Any = None,
    sequence_lens: Any = None,
    initial_h: Any = None,
    initial_c: Any = None,
    p: Any = None,
    *,
    activation_alpha: Sequence[float] = (),
    activation_beta: Sequence[float] = (),
    activations: Sequence[str] = (),
    clip: float | None = None,
    direction: Direction = "forward",
    hidden_size: int | None = None,
    input_forget: Literal[0] = 0,
    layout: Layout = 0,
) -> Any:
    """Return all outputs, the last ones and the last memory of an LSTM."""
    names = activations or ("Sigmoid", "Tanh", "Tanh")
    chosen = Functions(names, activation_alpha, activation_beta, clip)
    cells = cells_of((w, r, b, p), direction, chosen.of(direction, 3))
    return walk(x, cells, lstm_step, sequence_lens, (initial_h, initial_c), layout)


def gru(
    x: Any,
    w: Any,
    r: Any,
    b: Any = None,
    sequence_lens: Any = None,
    initial_h: Any = None,
    *,
    activation_alpha: Sequence[float] = (),
    activation_beta: Sequence[float] = (),
    activations: Sequence[str] = (),
    clip: float | None = None,
    direction: Direction = "forward",
    hidden_size: int | None = None,
    layout: Layout = 0,
    linear_before_reset: int = 0,
) -> Any:
    """Return all states and the last ones of a GRU."""
    names = activations or ("Sigmoid", "Tanh")
    chosen = Functions(names, activation_alpha, activation_beta, clip)
    cells = cells_of((w, r, b, None), direction, chosen.of(direction, 2))
    step = gru_step(bool(linear_before_reset))
    return walk(x, cells, step, sequence_lens, (initial_h,), layout)


def cells_of(
    parameters: tuple[Any, Any, Any, Any],
    direction: Direction,
    functions: Sequence[tuple[Function, ...]],
) -> list[tuple[Cell, bool]]:
    """Return the cell of each direction, and whether it walks from the end."""
    backwards = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}
    found = []
    for place, backward in enumerate(backwards[direction]):
        w, r, b, p = (None if part is None else part[place] for part in parameters)
        found.append((Cell(w, r, b, functions[place], p), backward))
    return found


def walk(
    x: Any,
    cells: Sequence[tuple[Cell, bool]],
    step: Step,
    lengths: Any,
    initial: tuple[Any, ...],
    layout: int,
) -> tuple[Any, ...]:
    """Return outputs of all steps, then the last carry, of all directions."""
    time, batch = (1, 0) if layout else (0, 1)
    every, last = [], []
    for place, (cell, backward) in enumerate(cells):
        start = tuple(first_of(part, place, x, cell, batch, layout) for part in initial)
        carry, outputs = loop(x, cell, step, start, lengths, time, backward)
        every.append(outputs)
        last.append(carry)
    stacked = ops.stack(every, 2 if layout else 1)
    ends = [ops.stack(parts, 1 if layout else 0) for parts in zip(*last, strict=True)]
    return (stacked, *ends)


def first_of(part: Any, place: int, x: Any, cell: Cell, batch: int, layout: int) -> Any:
    """Return the part of the carry that a direction starts with; zeros if not given."""
    if part is not None:
        return part[:, place] if layout else part[place]
    sizes = (shape_of(x)[batch], cell.size)
    return ops.full(sizes, 0, x.dtype, like=x)


def loop(
    x: Any,
    cell: Cell,
    step: Step,
    start: tuple[Any, ...],
    lengths: Any,
    time: int,
    backward: bool,
) -> tuple[tuple[Any, ...], Any]:
    """Return the last carry and all outputs; steps behind a given length do nothing."""
    if lengths is None:

        def plain(carry: Any, x: Any) -> Any:
            after = step(cell, x, carry)
            return after, after[0]

        return ops.scan(plain, start, x, axis=time, reverse=backward)
    shape: list[Any] = [1, 1]
    shape[time] = shape_of(x)[time]
    limit = ops.reshape(ops.astype(lengths, np.int64), (-1, 1))

    def limited(carry: Any, slices: Any) -> Any:
        x, at = slices
        inside = ops.less(ops.reshape(at, (1, 1)), limit)
        after = step(cell, x, carry)
        kept = tuple(ops.where(inside, *pair) for pair in zip(after, carry, strict=True))
        return kept, ops.where(inside, after[0], 0)

    steps = (x, counter(x, tuple(shape), time))
    return ops.scan(limited, start, steps, axis=time, reverse=backward)


RECURRENT: Mapping[str, Operator] = {
    "GRU": operator_of(gru, outputs=2),
    "LSTM": operator_of(lstm, outputs=3),
    "RNN": operator_of(rnn, outputs=2),
}
