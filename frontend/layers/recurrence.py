"""Cells along a sequence, and cells that keep their carry between calls."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.frontend.layer import Layer
from lxc.frontend.layers.recurrent_cell import RecurrentCell
from lxc.frontend.optional import chosen, value_or
from lxc.ir import functions as ops
from lxc.ir.dim import bounds
from lxc.ir.types import shape_text
from lxc.structure import LEAF
from lxc.tree import Optional, Unstacked, flatten, unflatten


@dataclass(frozen=True)
class Recurrence(Layer):
    """Run a cell along a sequence; return its last output, or all of them.

    x is [batch, time, ...], walked along axis 1, or a list or tuple of steps. The first
    step is fed alone, the later ones with the carry of the one before; the state goes from
    step to step. With `return_sequence` the result is a list of outputs, one per step (a
    compiled model has one buffer for them all; Lux.jl returns a Vector, where its page says
    "the entire sequence"). Parameters and state are those of the cell.
    A traced model holds one loop, whatever the length, which may be a `Dim`.
    """

    cell: Layer
    return_sequence: bool = False

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return the parameters of the cell."""
        return self.cell.init_params(rng)

    def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return the state of the cell."""
        return self.cell.init_state(rng)

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the last output or the list of all, and the state after the last step."""
        y, _, st = self.walk(x, None, ps, st)
        return y, st

    def walk(self, x: Any, carry: Any, ps: Any, st: Any) -> tuple[Any, Any, Any]:
        """Return the output, the carry and the state after a sequence.

        `carry` is that of an earlier part of the sequence: None, a tree, or an `Optional`.
        """
        steps, axis = steps_of(x)
        if steps_only(self.cell):
            carry, st = started(self.cell, carry, ps, st, first_of(steps, axis))
            carry, outputs = self.walk_cell(steps, axis, carry, ps, st)
            y = Unstacked(outputs, axis) if self.return_sequence else carry[0]
        else:
            outputs, carry, st = self.walk_any(steps, axis, carry, ps, st)
            y = Unstacked(outputs, axis) if self.return_sequence else at(outputs, axis, -1)
        if isinstance(y, Unstacked) and isinstance(y.stacked, np.ndarray):
            y = list(y)
        return y, carry, st

    def walk_cell(
        self, steps: Any, axis: int, carry: Any, ps: Any, st: Any
    ) -> tuple[Any, Any]:
        """Return last carry and stacked outputs of a cell that leaves its state alone."""

        def step(carry: Any, x: Any) -> tuple[Any, Any]:
            (y, after), _ = self.cell((x, carry), ps, st)
            return after, y if self.return_sequence else None

        carry, outputs = ops.scan(step, carry, steps, axis=axis)
        return carry, outputs

    def walk_any(
        self, steps: Any, axis: int, carry: Any, ps: Any, st: Any
    ) -> tuple[Any, Any, Any]:
        """Return stacked outputs, carry and state of a cell of the user's own.

        It has to show what its first carry is, so the first step is run by itself. Where
        the length is symbolic and may be 1 the loop makes it once more, and what comes out
        there is what the first step gave.
        """
        (y, carry), st = run_from(self.cell, first_of(steps, axis), carry, ps, st)
        check_output(y, listed=self.return_sequence)
        length = length_of(steps, axis)
        again = bounds(length)[0] == 1 and length != 1

        def step(before: Any, x: Any) -> tuple[Any, Any]:
            is_first, carry, state = before
            result = self.cell((x, carry), ps, state)
            if again:
                result = chosen(is_first, ((y, carry), state), result)
            (output, carry), state = result
            later = ops.zeros_like(is_first) if again else is_first
            return (later, carry, state), output

        outputs = mapped(lambda leaf: ops.expand_dims(leaf, axis), y)
        if length != 1:
            rest = steps if again else at(steps, axis, slice(1, None))
            start = (np.asarray(True), carry, st)
            (_, carry, st), later = ops.scan(step, start, rest, axis=axis)
            outputs = later if again else joined(outputs, later, axis)
        return outputs, carry, st


@dataclass(frozen=True)
class StatefulRecurrentCell(Layer):
    """Keep the carry of a cell in the state, and return its output only.

    Every call is the next step: of a cell, or with a `Recurrence`, the next part of its
    sequence, so that a long one can be fed in pieces. Parameters are those of the cell,
    the state is {cell, carry}. The carry is None until the first call and again after
    `lxc.update_state(st, "carry", None)`. A compiled model takes None or the carry and
    always returns the carry.
    """

    cell: Layer

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return the parameters of the cell."""
        return self.cell.init_params(rng)

    def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return the state of the cell, and no carry."""
        return {"cell": self.cell.init_state(rng), "carry": None}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the output of the next step, and the state with the carry after it."""
        if isinstance(self.cell, Recurrence):
            y, carry, inner = self.cell.walk(x, st["carry"], ps, st["cell"])
        else:
            (y, carry), inner = run_from(self.cell, x, st["carry"], ps, st["cell"])
        return y, {"cell": inner, "carry": carry}


def run_from(cell: Layer, x: Any, carry: Any, ps: Any, st: Any) -> tuple[Any, Any]:
    """Return ((y, carry), st) of one step from a carry that may be missing."""
    if isinstance(cell, RecurrentCell):
        carry, st = started(cell, carry, ps, st, x)
        return cell((x, carry), ps, st)
    if carry is None:
        return cell(x, ps, st)
    if not isinstance(carry, Optional):
        return cell((x, carry), ps, st)
    later = cell((x, carry.value), ps, st)
    result: tuple[Any, Any] = chosen(carry.present, later, cell(x, ps, st))
    return result


def started(cell: RecurrentCell, carry: Any, ps: Any, st: Any, x: Any) -> tuple[Any, Any]:
    """Return the carry to begin with and the state: the first ones where it is missing."""
    if carry is not None and not isinstance(carry, Optional):
        return carry, st
    initial, moved = cell.initial_carry(ps, st, x)
    if carry is None:
        return initial, moved
    return value_or(carry, initial), chosen(carry.present, st, moved)


def steps_only(cell: Layer) -> TypeGuard[RecurrentCell]:
    """Tell whether a call of `cell` is its step: it leaves the state alone."""
    return isinstance(cell, RecurrentCell) and type(cell).__call__ is RecurrentCell.__call__


def steps_of(x: Any) -> tuple[Any, int]:
    """Return a sequence as trees of arrays with the steps along one axis, and that axis."""
    if isinstance(x, Unstacked):
        return x.stacked, x.axis
    if isinstance(x, list | tuple):
        if not x:
            raise LxcError(
                "LXC-E0103", "a sequence has at least one step", actual="no steps"
            )
        return stacked(x), 0
    if len(getattr(x, "shape", ())) < 3:
        raise Mismatch(
            "x",
            "[batch, time, ...], or a list of steps",
            shape_text(getattr(x, "shape", ())),
            because="a sequence is walked along axis 1",
        )
    return x, 1


def stacked(steps: Sequence[Any]) -> Any:
    """Return a tree whose leaves are those of all steps, along a new first axis."""
    rows = [flatten(step) for step in steps]
    structure = rows[0][1]
    for _, other in rows:
        if other != structure:
            raise LxcError(
                "LXC-E0103",
                "the steps of a sequence differ in structure",
                expected=str(structure),
                actual=str(other),
            )
    columns = zip(*(leaves for leaves, _ in rows), strict=True)
    return unflatten(structure, [ops.stack(column) for column in columns])


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """Return a tree with a function applied to each leaf."""
    leaves, structure = flatten(tree)
    return unflatten(structure, [function(leaf) for leaf in leaves])


def at(tree: Any, axis: int, place: Any) -> Any:
    """Return the entry, or those of a slice, at a place along an axis of each leaf."""
    return mapped(lambda leaf: leaf[(*(slice(None),) * axis, place)], tree)


def joined(one: Any, other: Any, axis: int) -> Any:
    """Return a tree with the leaves of two trees, one behind the other."""
    (first, structure), (second, _) = flatten(one), flatten(other)
    pairs = zip(first, second, strict=True)
    return unflatten(structure, [ops.concatenate(pair, axis) for pair in pairs])


def first_of(steps: Any, axis: int) -> Any:
    """Return the first step of a sequence."""
    length = length_of(steps, axis)
    if bounds(length)[0] < 1:
        raise LxcError(
            "LXC-E0103",
            "a sequence has at least one step",
            expected=f"1 or more along axis {axis}",
            actual=f"{length}",
            hint=None if length == 0 else "give a symbolic length a lower bound of 1",
        )
    return at(steps, axis, 0)


def check_output(y: Any, *, listed: bool) -> None:
    """Refuse outputs of a cell that are trees where a list of them is asked for."""
    _, structure = flatten(y)
    if listed and structure != LEAF:
        raise LxcError(
            "LXC-E0103",
            "the outputs of all steps are one array, and the cell returns a tree",
            expected="a cell that returns one array",
            actual=str(structure),
            hint="return what is needed as one array, or use ops.scan",
        )


def length_of(steps: Any, axis: int) -> Any:
    """Return the number of steps."""
    return flatten(steps)[0][0].shape[axis]
