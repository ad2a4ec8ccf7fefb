"""NumPy's functions that turn and add axes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.ir.functions.promotion import (
    as_operand,
    broadcast_operand,
    broadcast_shapes,
    common_type,
)
from lxc.ir.functions.shape import (
    axis_of,
    expand_dims,
    flip,
    moveaxis,
    reshape,
    swapaxes,
)
from lxc.ir.tensor import implements, lifted, shape_of


def atleast(x: Any, rank: int) -> Any:
    """Return `x` with axes of size 1 in front, up to a rank."""
    x = as_operand(x, common_type((x,)))
    sizes = shape_of(x)
    return reshape(x, (*(1,) * (rank - len(sizes)), *sizes))


def one_or_all(results: tuple[Any, ...]) -> Any:
    """Return the only result, or the tuple of several."""
    return results[0] if len(results) == 1 else results


@implements(np.atleast_1d)
def atleast_1d(*xs: Any) -> Any:
    """Return operands with one axis or more."""
    return one_or_all(tuple(atleast(x, 1) for x in xs))


@implements(np.atleast_2d)
def atleast_2d(*xs: Any) -> Any:
    """Return operands with two axes or more; a vector becomes a row."""
    return one_or_all(tuple(atleast(x, 2) for x in xs))


@implements(np.atleast_3d)
def atleast_3d(*xs: Any) -> Any:
    """Return operands with three axes or more; a matrix gets its new axis at the end."""

    def widened(x: Any) -> Any:
        x = atleast(x, 2)
        return expand_dims(x, 2) if len(shape_of(x)) == 2 else x

    return one_or_all(tuple(map(widened, xs)))


@implements(np.broadcast_arrays)
def broadcast_arrays(*xs: Any) -> tuple[Any, ...]:
    """Return operands repeated to one shape; each keeps its element type."""
    typed = lifted([as_operand(x, common_type((x,))) for x in xs])
    shared = broadcast_shapes(*map(shape_of, typed))
    return tuple(broadcast_operand(x, shared) for x in typed)


@implements(np.rollaxis)
def rollaxis(x: Any, axis: int, start: int = 0) -> Any:
    """Return `x` with one axis moved before the place `start`."""
    rank = len(shape_of(x))
    axis = axis_of(axis, rank)
    start = start + rank if start < 0 else start
    if not 0 <= start <= rank:
        raise LxcError("LXC-E0103", f"there is no place {start} for an axis")
    return moveaxis(x, axis, start - 1 if axis < start else start)


@implements(np.matrix_transpose)
def matrix_transpose(x: Any) -> Any:
    """Return matrices with rows and columns exchanged."""
    return swapaxes(x, -2, -1)


@implements(np.fliplr)
def fliplr(x: Any) -> Any:
    """Return `x` reversed along its second axis."""
    return flip(x, 1)


@implements(np.flipud)
def flipud(x: Any) -> Any:
    """Return `x` reversed along its first axis."""
    return flip(x, 0)


@implements(np.rot90)
def rot90(x: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Any:
    """Return `x` turned k times by 90 degrees, from the first of two axes to the second."""
    first, second = (axis_of(axis, len(shape_of(x))) for axis in axes)
    if first == second:
        raise LxcError("LXC-E0103", "a plane has two different axes", actual=str(axes))
    turns = k % 4
    if turns == 0:
        return x
    if turns == 2:
        return flip(x, (first, second))
    if turns == 1:
        return swapaxes(flip(x, second), first, second)
    return flip(swapaxes(x, first, second), second)
