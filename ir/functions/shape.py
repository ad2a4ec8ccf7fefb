"""NumPy's functions that move elements: reshape, transpose, slices, joins."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.ir.dim import Dim, Size, size
from lxc.ir.functions.promotion import as_operand, broadcast_operand, common_type
from lxc.ir.ops import shape as ops
from lxc.ir.tensor import apply, implements, shape_of, type_of
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
