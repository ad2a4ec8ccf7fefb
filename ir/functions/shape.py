"""NumPy's functions that move elements: reshape, transpose, slices, joins."""

from collections.abc import Sequence
from itertools import pairwise
from types import EllipsisType
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.ir.dim import Dim, Size, bounds, size
from lxc.ir.functions.elementwise import (
    as_operand,
    broadcast_operand,
    common_type,
)
from lxc.ir.ops import shape as ops
from lxc.ir.tensor import Operand, Tensor, apply, implements, refusal, shape_of, type_of
from lxc.ir.types import count_elements

Axes = int | Sequence[int]


def axis_of(axis: int, rank: int) -> int:
    """Return `axis` counted from the front, or raise if there is none."""
    if not -rank <= axis < rank:
        raise LxcError(
            "LXC-E0103",
            f"there is no axis {axis}",
            expected=f"axis: {-rank}..{rank - 1}",
            actual=f"axis: {axis}",
        )
    return axis % rank


def axes_of(axes: Axes | None, rank: int) -> tuple[int, ...]:
    """Return axes counted from the front in ascending order; None means all."""
    if axes is None:
        return tuple(range(rank))
    listed = (axes,) if isinstance(axes, int) else axes
    return tuple(sorted(axis_of(axis, rank) for axis in listed))


@implements(np.reshape)
def reshape(x: Any, shape: Any) -> Any:
    """Return the elements in C order in another shape; one size may be -1."""
    wanted = [
        size(entry) for entry in (shape if isinstance(shape, tuple | list) else (shape,))
    ]
    if -1 in wanted:
        rest = count_elements([entry for entry in wanted if entry != -1])
        wanted[wanted.index(-1)] = exact_quotient(type_of(x).element_count, rest)
    if tuple(wanted) == shape_of(x):
        return x
    return apply(ops.reshape, x, shape=tuple(wanted))


def exact_quotient(total: Size, part: Size) -> Size:
    """Return total / part, or raise if it is not a whole number."""
    if total == part:
        return 1
    if isinstance(part, int) and part > 0 and (total // part) * part == total:
        return total // part
    if not isinstance(part, int) and not isinstance(total, int) and len(part.terms) == 1:
        (monomial, factor), *_ = part.terms
        reduced = []
        for terms, number in total.terms:
            left = list(terms)
            if number % factor or any(left.count(a) < monomial.count(a) for a in monomial):
                break
            for atom in monomial:
                left.remove(atom)
            reduced.append((left, number // factor))
        else:
            quotient: Size = 0
            for atoms, number in reduced:
                term: Size = number
                for atom in atoms:
                    if not isinstance(atom, Dim):
                        break
                    term = atom * term
                quotient = quotient + term
            if part * quotient == total:
                return quotient
    raise LxcError(
        "LXC-E0103", "the elements do not fill the new shape", actual=f"{total} by {part}"
    )


@implements(np.ravel)
def ravel(x: Any) -> Any:
    """Return all elements in C order on one axis."""
    return reshape(x, (-1,))


@implements(np.transpose, np.permute_dims)
def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """Return `x` with permuted axes; without `axes` in reverse order."""
    rank = len(shape_of(x))
    order = range(rank)[::-1] if axes is None else [axis_of(axis, rank) for axis in axes]
    if tuple(order) == tuple(range(rank)):
        return x
    return apply(ops.transpose, x, permutation=tuple(order))


@implements(np.swapaxes)
def swapaxes(x: Any, first: int, second: int) -> Any:
    """Return `x` with two axes exchanged."""
    order = list(range(len(shape_of(x))))
    first, second = axis_of(first, len(order)), axis_of(second, len(order))
    order[first], order[second] = second, first
    return transpose(x, order)


@implements(np.moveaxis)
def moveaxis(x: Any, source: int, destination: int) -> Any:
    """Return `x` with one axis at another place."""
    rank = len(shape_of(x))
    order = [axis for axis in range(rank) if axis != axis_of(source, rank)]
    order.insert(axis_of(destination, rank), axis_of(source, rank))
    return transpose(x, order)


@implements(np.broadcast_to)
def broadcast_to(x: Any, shape: Sequence[Any]) -> Any:
    """Return `x` repeated to `shape`."""
    return broadcast_operand(x, tuple(size(entry) for entry in shape))


@implements(np.expand_dims)
def expand_dims(x: Any, axis: Axes) -> Any:
    """Return `x` with axes of size 1 at the places `axis` of the result."""
    shape = list(shape_of(x))
    count = 1 if isinstance(axis, int) else len(axis)
    for place in axes_of(axis, len(shape) + count):
        shape.insert(place, 1)
    return reshape(x, tuple(shape))


@implements(np.squeeze)
def squeeze(x: Any, axis: Axes | None = None) -> Any:
    """Return `x` without axes of size 1: all of them, or those named."""
    shape = shape_of(x)
    if axis is None:
        return reshape(x, tuple(entry for entry in shape if entry != 1))
    gone = axes_of(axis, len(shape))
    if any(shape[place] != 1 for place in gone):
        raise LxcError("LXC-E0103", "only axes of size 1 can go", actual=str(type_of(x)))
    return reshape(x, tuple(n for place, n in enumerate(shape) if place not in gone))


@implements(np.flip)
def flip(x: Any, axis: Axes | None = None) -> Any:
    """Return `x` reversed along axes; all of them without `axis`."""
    return apply(ops.reverse, x, axes=axes_of(axis, len(shape_of(x))))


@implements(np.concatenate)
def concatenate(xs: Sequence[Any], axis: int = 0) -> Any:
    """Return arrays one after the other along `axis`."""
    dtype = common_type(tuple(xs))
    parts = [as_operand(x, dtype) for x in xs]
    return apply(ops.concat, *parts, axis=axis_of(axis, len(shape_of(parts[0]))))


@implements(np.stack)
def stack(xs: Sequence[Any], axis: int = 0) -> Any:
    """Return arrays of one shape along a new axis."""
    return concatenate([expand_dims(x, axis) for x in xs], axis)


@implements(np.split)
def split(x: Any, parts: int | Sequence[int], axis: int = 0) -> list[Any]:
    """Return equal parts of `x` along `axis`, or parts that end at the given places."""
    shape = shape_of(x)
    axis = axis_of(axis, len(shape))
    if isinstance(parts, int):
        step = exact_quotient(shape[axis], parts)
        edges = [step * part for part in range(parts)] + [shape[axis]]
    else:
        edges = [0, *parts, shape[axis]]
    return [narrow(x, axis, low, high) for low, high in pairwise(edges)]


def narrow(x: Any, axis: int, low: Size, high: Size) -> Any:
    """Return `x` from `low` up to `high` along one axis."""
    shape = shape_of(x)
    start, stop = [0] * len(shape), list(shape)
    ends: list[Size] = [*start]
    ends[axis], stop[axis] = low, high
    if tuple(stop) == shape and low == 0:
        return x
    return apply(ops.slice, x, start=tuple(ends), stop=tuple(stop), step=(1,) * len(shape))


@implements(np.pad)
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    """Return `x` inside a constant; `pad_width` is n, (before, after) or one per axis."""
    if mode != "constant":
        raise LxcError("LXC-E0103", f"there is no padding mode {mode!r}", hint="constant")
    rank = len(shape_of(x))
    listed = [pad_width] if isinstance(pad_width, int) else list(pad_width)
    if len(listed) == 2 and all(isinstance(pair, int) for pair in listed):
        listed = [tuple(listed)]
    pairs = [(pair, pair) if isinstance(pair, int) else tuple(pair) for pair in listed]
    pairs = pairs * rank if len(pairs) == 1 else pairs
    value = as_operand(constant_values, type_of(x).dtype.numpy)
    low, high = (tuple(size(pair[end]) for pair in pairs) for end in (0, 1))
    return apply(ops.pad, x, value, low=low, high=high, interior=(0,) * rank)


@implements(Tensor.__getitem__)
def getitem(x: Operand, index: Any) -> Any:
    """Return a slice of `x` by ints, slices, None and `...`, as NumPy's basic indexing."""
    items = list(index) if isinstance(index, tuple) else [index]
    shape = shape_of(x)
    taken = sum(item is not None and not isinstance(item, EllipsisType) for item in items)
    if not any(isinstance(item, EllipsisType) for item in items):
        items.append(...)
    place = next(i for i, item in enumerate(items) if isinstance(item, EllipsisType))
    items[place : place + 1] = [np.s_[:]] * (len(shape) - taken)
    parts = Indexing(shape)
    for item in items:
        parts.take(item)
    if parts.reversed:
        x = flip(x, parts.reversed)
    if (parts.start, parts.stop) != ([0] * len(shape), list(shape)) or max(
        parts.step, default=1
    ) > 1:
        x = apply(
            ops.slice,
            x,
            start=tuple(parts.start),
            stop=tuple(parts.stop),
            step=tuple(parts.step),
        )
    return reshape(x, tuple(parts.final(shape_of(x))))


class Indexing:
    """What basic indexing does to each axis in turn."""

    def __init__(self, shape: tuple[Size, ...]) -> None:
        """Start before the first axis."""
        self.shape = shape
        self.start: list[Size] = []
        self.stop: list[Size] = []
        self.step: list[int] = []
        self.reversed: list[int] = []
        self.axes: list[int | None] = []

    def take(self, item: Any) -> None:
        """Apply one entry of an index."""
        if item is None:
            self.axes.append(None)
            return
        axis = len(self.start)
        if axis >= len(self.shape):
            raise LxcError(
                "LXC-E0103", f"there are too many indices for {list(self.shape)}"
            )
        entry = self.shape[axis]
        if isinstance(item, slice):
            low, high, step = slice_ends(item, entry)
            if step < 0:
                self.reversed.append(axis)
                step = -step
            self.axes.append(axis)
        elif isinstance(item, int | np.integer):
            low, high, step = int(item), int(item) + 1, 1
            if low < 0:
                low, high = entry + low, entry + low + 1
            if not bounds(low)[0] >= 0 or bounds(entry - high)[0] < 0:
                raise LxcError(
                    "LXC-E0103", f"index {item} is outside of an axis of size {entry}"
                )
        else:
            raise refusal(f"an index by {type(item).__name__}", "LXC-E0110")
        self.start.append(low)
        self.stop.append(high)
        self.step.append(step)

    def final(self, sliced: tuple[Size, ...]) -> list[Size]:
        """Return the shape after single indices went and new axes came."""
        return [1 if axis is None else sliced[axis] for axis in self.axes]


def slice_ends(item: slice, entry: Size) -> tuple[Size, Size, int]:
    """Return start, stop and step of a Python slice on an axis of size `entry`."""
    step = 1 if item.step is None else int(item.step)
    if isinstance(entry, int):
        start, stop, step = item.indices(entry)
        if step < 0:
            # On the reversed axis, cell i is cell entry - 1 - i of the axis.
            start, stop = entry - 1 - start, entry - 1 - stop
        return start, max(start, stop), step
    start_size: Size = item.start or 0
    stop_size: Size = entry if item.stop is None else item.stop
    if step < 1:
        raise refusal("a backward slice of an axis of unknown size")
    if isinstance(start_size, int) and start_size < 0:
        start_size = entry + start_size
    if isinstance(stop_size, int) and stop_size < 0:
        stop_size = entry + stop_size
    return start_size, stop_size, step
