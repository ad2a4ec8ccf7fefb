"""Loops over a sequence that hand a state from each step to the next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.ir.builder import Builder
from lxc.ir.dim import Size, bounds
from lxc.ir.functions.shape import axis_of
from lxc.ir.node import Body, Location, Value
from lxc.ir.ops import structure as ops
from lxc.ir.tensor import Tensor, innermost, shape_of, source_line, type_of, value_in
from lxc.ir.types import shape_text
from lxc.structure import Structure
from lxc.tree import flatten, unflatten

Step = Callable[[Any, Any], tuple[Any, Any]]


def scan(
    step: Step, carry: Any, xs: Any, *, axis: int = 0, reverse: bool = False
) -> tuple[Any, Any]:
    """Return the last carry and what all steps returned, stacked along `axis`.

    `step(carry, x) -> (carry, y)` is called for each slice of `xs` along `axis`, which
    disappears from it, in order or, with `reverse`, from the end. `carry`, `xs` and `y` are
    trees; `y` may be None. The carry keeps its shapes and types. The function may use
    tensors from outside. A traced loop is one node, whatever its length, and the length may
    be a `Dim`; on arrays it is a loop in Python.
    """
    axis, length = walked(xs, axis)
    builder = innermost([*flatten(carry)[0], *flatten(xs)[0]])
    if builder is None:
        results, builder = loop(step, carry, xs, axis, reverse)
        if builder is None:
            return results
    return Recording(builder, axis, length, reverse).run(step, carry, xs)


def walked(xs: Any, axis: int) -> tuple[int, Size]:
    """Return the axis from the front and its length, which all sequences share."""
    leaves, _ = flatten(xs)
    if not leaves:
        raise LxcError("LXC-E0103", "a scan needs a sequence to walk along")
    place = axis_of(axis, len(shape_of(leaves[0])))
    length = shape_of(leaves[0])[place]
    for leaf in leaves:
        shape = shape_of(leaf)
        if len(shape) <= place or shape[place] != length:
            raise Mismatch(
                "sequence", f"{length} entries along axis {place}", shape_text(shape)
            )
    if bounds(length)[0] < 1:
        raise LxcError(
            "LXC-E0103",
            "a sequence has at least one entry",
            expected=f"1 or more along axis {place}",
            actual=f"{length}",
            hint="give a symbolic length a lower bound of 1" if length != 0 else None,
        )
    return place, length


def loop(
    step: Step, carry: Any, xs: Any, axis: int, reverse: bool
) -> tuple[tuple[Any, Any], Builder | None]:
    """Return what the loop on arrays returns, or the builder if a step made tensors."""
    leaves, structure = flatten(xs)
    count = leaves[0].shape[axis]
    rows: list[list[Any]] = []
    tree: Structure | None = None
    for place in reversed(range(count)) if reverse else range(count):
        taken = [np.take(leaf, place, axis) for leaf in leaves]
        following, y = step(carry, unflatten(structure, taken))
        row, tree = flatten(y)
        builder = innermost([*flatten(following)[0], *row])
        if builder is not None:
            return (None, None), builder
        check_carry(carry, following)
        carry = following
        rows.append(row)
    if reverse:
        rows.reverse()
    columns = [np.stack(column, axis) for column in zip(*rows, strict=True)]
    return (carry, None if tree is None else unflatten(tree, columns)), None


def check_carry(before: Any, after: Any) -> None:
    """Refuse a step that changes structure, shapes or types of the carry."""
    (old, structure), (new, other) = flatten(before), flatten(after)
    if structure != other:
        raise LxcError(
            "LXC-E0103",
            "a step returned a carry of another structure",
            expected=str(structure),
            actual=str(other),
        )
    for was, now in zip(old, new, strict=True):
        if type_of(was) != type_of(now):
            raise Mismatch(
                "carry", type_of(was), type_of(now), because="every step takes and gives it"
            )


@dataclass(frozen=True)
class Recording:
    """A loop that becomes a node of `builder`."""

    builder: Builder
    axis: int
    length: Size
    reverse: bool

    def run(self, step: Step, carry: Any, xs: Any) -> tuple[Any, Any]:
        """Trace one step in a body of its own, append the node, and return its results.

        A part of the carry that a step hands on as it is becomes a constant of the loop.
        """
        inner = Builder(self.builder, self.location)
        flat = [flatten(tree) for tree in (carry, xs)]
        given = [self.values(leaves) for leaves, _ in flat]
        states = [Value(value.type) for value in given[0]]
        slices = [Value(self.slice_type(value)) for value in given[1]]
        own, taken = (
            unflatten(flat[part][1], [Tensor(value, inner) for value in values])
            for part, values in enumerate((states, slices))
        )
        following, y = step(own, taken)
        check_carry(own, following)
        after = [value_in(inner, leaf) for leaf in flatten(following)[0]]
        row, tree = flatten(y)
        yielded = [value_in(inner, leaf) for leaf in row]
        moving = [i for i, state in enumerate(states) if after[i] is not state]
        fixed = [i for i in range(len(states)) if i not in moving]
        inner.closed = True
        body = Body(
            (
                *(states[i] for i in moving),
                *(states[i] for i in fixed),
                *inner.captures.values(),
                *slices,
            ),
            tuple(inner.nodes),
            (*(after[i] for i in moving), *yielded),
        )
        results = self.append(
            body,
            [given[0][i] for i in moving],
            [*(given[0][i] for i in fixed), *inner.captures],
            given[1],
        )
        leaves = list(flat[0][0])
        for i, value in zip(moving, results, strict=False):
            leaves[i] = Tensor(value, self.builder)
        stacked = [Tensor(value, self.builder) for value in results[len(moving) :]]
        return unflatten(flat[0][1], leaves), unflatten(tree, stacked)

    @property
    def location(self) -> Location:
        """Where messages say that the loop stands."""
        outer = self.builder.location
        return Location(outer.layers, source_line(outer.source))

    def values(self, leaves: Sequence[Any]) -> list[Value]:
        """Return the values outside that stand for leaves."""
        return [value_in(self.builder, leaf) for leaf in leaves]

    def slice_type(self, value: Value) -> Any:
        """Return the type of one entry of a sequence."""
        shape = value.type.shape
        return value.type.with_shape((*shape[: self.axis], *shape[self.axis + 1 :]))

    def append(
        self,
        body: Body,
        carries: Sequence[Value],
        consts: Sequence[Value],
        sequences: Sequence[Value],
    ) -> tuple[Value, ...]:
        """Append the node, or nothing where a step neither changes nor yields anything."""
        if not body.outputs:
            return ()
        return self.builder.add(
            ops.scan,
            *carries,
            *consts,
            *sequences,
            bodies=(body,),
            location=self.location,
            carries=len(carries),
            consts=len(consts),
            length=self.length,
            axis=self.axis,
            reverse=self.reverse,
        )
