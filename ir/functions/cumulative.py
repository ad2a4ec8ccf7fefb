"""NumPy's functions of neighbours along an axis: running sums and products, differences."""

from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.ir.dim import Size
from lxc.ir.functions.elementwise import (
    add,
    divide,
    isnan,
    multiply,
    not_equal,
    subtract,
    where,
)
from lxc.ir.functions.promotion import (
    as_operand,
    broadcast_operand,
    common_type,
)
from lxc.ir.functions.reduce import sum, summable
from lxc.ir.functions.shape import axis_of, concatenate, narrow, ravel, reshape
from lxc.ir.ops.cumulative import cumulative
from lxc.ir.tensor import apply, implements, shape_of


def running(x: Any, kind: str, axis: int | None, dtype: Any) -> Any:
    """Return all partial results along an axis; without one, of all elements in C order."""
    x = summable(x, dtype)
    if axis is None:
        x, axis = ravel(x), 0
    if not shape_of(x):
        x = reshape(x, (1,))
    return apply(cumulative, x, kind=kind, axis=axis_of(axis, len(shape_of(x))))


@implements(np.cumsum)
def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Return the sums of all elements up to each, added one after the other.

    Half types accumulate in float32.
    """
    return running(x, "add", axis, dtype)


@implements(np.cumprod)
def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Return the products of all elements up to each."""
    return running(x, "multiply", axis, dtype)


@implements(np.cumulative_sum)
def cumulative_sum(
    x: Any, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    """Return `cumsum` along an axis, after a zero if wanted."""
    return with_initial(cumsum(x, only_axis(x, axis), dtype), axis, 0, include_initial)


@implements(np.cumulative_prod)
def cumulative_prod(
    x: Any, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    """Return `cumprod` along an axis, after a one if wanted."""
    return with_initial(cumprod(x, only_axis(x, axis), dtype), axis, 1, include_initial)


def only_axis(x: Any, axis: int | None) -> int:
    """Return the axis, which only a vector may leave out."""
    if axis is None and len(shape_of(x)) != 1:
        raise LxcError("LXC-E0103", "the axis must be named", actual=str(shape_of(x)))
    return 0 if axis is None else axis


def with_initial(x: Any, axis: int | None, number: int, wanted: bool) -> Any:
    """Return `x` after one entry of a number along an axis, if wanted."""
    if not wanted:
        return x
    sizes = list(shape_of(x))
    place = axis_of(axis or 0, len(sizes))
    sizes[place] = 1
    return extended(x, place, as_operand(number, x.dtype), None, tuple(sizes))


@implements(np.nancumsum)
def nancumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Return `cumsum` with zero for NaN."""
    return cumsum(without_nan(x, 0), axis, dtype)


@implements(np.nancumprod)
def nancumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Return `cumprod` with one for NaN."""
    return cumprod(without_nan(x, 1), axis, dtype)


def without_nan(x: Any, number: float) -> Any:
    """Return `x` with a number for NaN."""
    x = as_operand(x, common_type((x,)))
    if x.dtype.kind in "iub":
        return x
    return where(isnan(x), np.asarray(number).astype(x.dtype), x)


@implements(np.diff)
def diff(
    x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None
) -> Any:
    """Return the differences of neighbours along an axis, n times in a row."""
    if n < 0:
        raise LxcError("LXC-E0103", "differences are taken 0 times or more", actual=str(n))
    if n == 0:
        return x
    x = as_operand(x, common_type((x,)))
    axis = axis_of(axis, len(shape_of(x)))
    sizes = list(shape_of(x))
    sizes[axis] = 1
    x = extended(x, axis, prepend, append, tuple(sizes))
    for _ in range(n):
        length = shape_of(x)[axis]
        if isinstance(length, int) and length < 2:
            return narrow(x, axis, 0, 0)
        after, before = narrow(x, axis, 1, length), narrow(x, axis, 0, length - 1)
        x = (not_equal if x.dtype == np.bool_ else subtract)(after, before)
    return x


def extended(x: Any, axis: int, before: Any, after: Any, single: Any) -> Any:
    """Return `x` between what is given; a number fills a shape of one entry."""
    parts = [before, x, after]
    for place in (0, 2):
        given = parts[place]
        if given is not None and not shape_of(given):
            given = broadcast_operand(as_operand(given, common_type((given,))), single)
        parts[place] = given
    kept = [part for part in parts if part is not None]
    return concatenate(kept, axis) if len(kept) > 1 else x


@implements(np.ediff1d)
def ediff1d(x: Any) -> Any:
    """Return the differences of neighbours among all elements in C order."""
    return diff(ravel(x))


@implements(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """Return the area below the lines between the points of y along an axis."""
    y = as_operand(y, common_type((y,)))
    axis = axis_of(axis, len(shape_of(y)))
    width: Any = dx
    if x is not None:
        width = diff(x, axis=axis if len(shape_of(x)) > 1 else -1)
        if len(shape_of(x)) == 1:
            sizes: list[Size] = [1] * len(shape_of(y))
            sizes[axis] = shape_of(width)[0]
            width = reshape(width, tuple(sizes))
    length = shape_of(y)[axis]
    pair = add(narrow(y, axis, 1, length), narrow(y, axis, 0, length - 1))
    return sum(divide(multiply(width, pair), 2.0), axis)
