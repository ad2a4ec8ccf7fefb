"""NumPy's functions that move elements: reshape, transpose, slices, joins."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.ir.dim import Expression, Monomial, Size, collect, size, terms
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
    return tuple(sorted(axis_of(axis, rank) for axis in listed(axes)))


def listed(axes: Axes) -> Sequence[int]:
    """Return one axis or several as a sequence."""
    return (int(axes),) if isinstance(axes, int | np.integer) else axes


@implements(np.reshape)
def reshape(x: Any, shape: Any) -> Any:
    """Return the elements in C order in another shape; one size may be -1."""
    wanted = [
        size(entry) for entry in (shape if isinstance(shape, tuple | list) else (shape,))
    ]
    if -1 in wanted:
        rest = count_elements([entry for entry in wanted if entry != -1])
        wanted[wanted.index(-1)] = remaining_size(type_of(x).element_count, rest)
    if tuple(wanted) == shape_of(x):
        return as_operand(x, common_type((x,)))
    return apply(ops.reshape, x, shape=tuple(wanted))


def remaining_size(total: Size, rest: Size) -> Size:
    """Return the size for which -1 stands beside others of product `rest`, or raise."""
    if total == 0 and rest == 0:
        raise LxcError(
            "LXC-E0103",
            "-1 could be any size, because there are no elements",
            hint="write the size instead of -1",
        )
    return exact_quotient(total, rest)


def exact_quotient(total: Size, part: Size) -> Size:
    """Return total / part, or raise if it is not a whole number."""
    if total == part:
        return 1
    if isinstance(part, int) and part > 0 and (total // part) * part == total:
        return total // part
    if isinstance(part, Expression) and isinstance(total, Expression):
        quotient = quotient_of_polynomials(total, part)
        if quotient is not None:
            return quotient
    raise LxcError(
        "LXC-E0103", "the elements do not fill the new shape", actual=f"{total} by {part}"
    )


def quotient_of_polynomials(total: Expression, part: Expression) -> Size | None:
    """Return total / part, or None if something remains.

    Terms stand in an order that products keep, so each step takes the first one away.
    """
    quotient: Size = 0
    rest: Size = total
    while rest != 0:
        term = quotient_of_terms(terms(rest)[0], part.terms[0])
        if term is None:
            return None
        quotient = quotient + term
        rest = rest - term * part
    return quotient


def quotient_of_terms(
    total: tuple[Monomial, int], part: tuple[Monomial, int]
) -> Size | None:
    """Return the quotient of two terms, or None if it is not whole."""
    (atoms, number), (divisors, factor) = total, part
    if number % factor or any(atoms.count(a) < divisors.count(a) for a in divisors):
        return None
    left = list(atoms)
    for atom in divisors:
        left.remove(atom)
    return collect([(tuple(left), number // factor)])


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
def moveaxis(x: Any, source: Axes, destination: Axes) -> Any:
    """Return `x` with some axes at other places; the rest keep their order."""
    rank = len(shape_of(x))
    sources, places = (
        [axis_of(axis, rank) for axis in listed(axes)] for axes in (source, destination)
    )
    if len(set(sources)) != len(set(places)) or len(sources) != len(places):
        raise LxcError(
            "LXC-E0103",
            "every axis moves to a place of its own",
            actual=f"axes {sources} to places {places}",
        )
    order = [axis for axis in range(rank) if axis not in sources]
    for place, axis in sorted(zip(places, sources, strict=True)):
        order.insert(place, axis)
    return transpose(x, order)


@implements(np.broadcast_to)
def broadcast_to(x: Any, shape: Sequence[Any]) -> Any:
    """Return `x` repeated to `shape`."""
    return broadcast_operand(x, tuple(size(entry) for entry in shape))


@implements(np.expand_dims)
def expand_dims(x: Any, axis: Axes) -> Any:
    """Return `x` with axes of size 1 at the places `axis` of the result."""
    shape = list(shape_of(x))
    for place in axes_of(axis, len(shape) + len(listed(axis))):
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
def concatenate(xs: Sequence[Any], axis: int | None = 0) -> Any:
    """Return arrays one after the other along `axis`; without one as vectors."""
    dtype = common_type(tuple(xs))
    parts = [as_operand(x, dtype) for x in xs]
    if axis is None:
        parts, axis = [ravel(part) for part in parts], 0
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
        return [narrow(x, axis, low, high) for low, high in pairwise(edges)]
    entry = shape[axis]
    pairs: list[tuple[Size, Size]] = list(pairwise([0, *parts, entry]))
    if isinstance(entry, int):
        # Places count from the end and stop there as those of Python's slices do.
        ends = [slice(low, high).indices(entry) for low, high in pairs]
        pairs = [(low, max(low, high)) for low, high, _ in ends]
    return [narrow(x, axis, low, high) for low, high in pairs]


def narrow(x: Any, axis: int, low: Size, high: Size) -> Any:
    """Return `x` from `low` up to `high` along one axis."""
    shape = shape_of(x)
    start, stop = [0] * len(shape), list(shape)
    ends: list[Size] = [*start]
    ends[axis], stop[axis] = low, high
    if tuple(stop) == shape and low == 0:
        return x
    return apply(ops.slice, x, start=tuple(ends), stop=tuple(stop), step=(1,) * len(shape))
