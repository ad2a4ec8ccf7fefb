"""NumPy's reductions and what is built from them.

Where a reduction takes them: `dtype` is the element type of the result, `keepdims` keeps
reduced axes at size 1, `where` leaves out elements for which it is false, and `initial`
is combined with the result.
"""

from typing import Any

import numpy as np

from lxc.ir.functions.counting import axes_length
from lxc.ir.functions.elementwise import (
    add,
    as_bool,
    bitwise_and,
    bitwise_or,
    divide,
    exp,
    log,
    maximum,
    minimum,
    multiply,
    sqrt,
    subtract,
)
from lxc.ir.functions.elementwise import where as chosen
from lxc.ir.functions.half import in_float32
from lxc.ir.functions.promotion import as_float, as_operand, common_type
from lxc.ir.functions.shape import Axes, axes_of, broadcast_to, reshape
from lxc.ir.ops import reduce as ops
from lxc.ir.tensor import Operand, apply, implements, shape_of
from lxc.ir.types import DType, dtype_of

COMBINE = {
    "add": add,
    "multiply": multiply,
    "max": maximum,
    "min": minimum,
    "and": bitwise_and,
    "or": bitwise_or,
}
"""The function of two operands that belongs to a kind of reduction."""


def reduced(
    x: Operand,
    kind: str,
    axis: Axes | None,
    keepdims: bool,
    where: Any = True,
    initial: Any = None,
) -> Any:
    """Return a reduction along axes, kept as size 1 if wanted."""
    if where is not True:
        neutral = np.asarray(ops.identity(kind, x.dtype)).astype(x.dtype)
        x = chosen(where, x, neutral)
    shape = shape_of(x)
    axes = axes_of(axis, len(shape))
    result = apply(ops.reduce, x, kind=kind, axes=axes) if axes else x
    if initial is not None:
        result = COMBINE[kind](result, as_operand(initial, x.dtype))
    if not keepdims:
        return result
    return reshape(result, tuple(1 if i in axes else n for i, n in enumerate(shape)))


def summable(x: Any, dtype: Any = None) -> Operand:
    """Return `x` in the type of NumPy's sum: small integers and bools become int64."""
    kind = common_type((x,)) if dtype is None else np.dtype(dtype)
    if dtype is None and (kind == np.bool_ or (kind.kind in "iu" and kind.itemsize < 8)):
        kind = np.dtype(np.uint64 if kind.kind == "u" else np.int64)
    return as_operand(x, kind)


@implements(np.sum)
def sum(
    x: Any,
    axis: Axes | None = None,
    dtype: Any = None,
    *,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """Return the sum along axes; half types accumulate in float32."""
    return reduced(summable(x, dtype), "add", axis, keepdims, where, initial)


@implements(np.prod)
def prod(
    x: Any,
    axis: Axes | None = None,
    dtype: Any = None,
    *,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """Return the product along axes."""
    return reduced(summable(x, dtype), "multiply", axis, keepdims, where, initial)


@implements(np.max, np.amax)
def max(
    x: Any,
    axis: Axes | None = None,
    *,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """Return the maximum along axes; NaN if there is one, the least number of nothing."""
    x = as_operand(x, common_type((x,)))
    kind = "or" if x.dtype == np.bool_ else "max"
    return reduced(x, kind, axis, keepdims, where, initial)


@implements(np.min, np.amin)
def min(
    x: Any,
    axis: Axes | None = None,
    *,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """Return the minimum along axes; NaN if there is one, the largest number of nothing."""
    x = as_operand(x, common_type((x,)))
    kind = "and" if x.dtype == np.bool_ else "min"
    return reduced(x, kind, axis, keepdims, where, initial)


@implements(np.all)
def all(
    x: Any, axis: Axes | None = None, *, keepdims: bool = False, where: Any = True
) -> Any:
    """Return whether every element along axes is true."""
    return reduced(as_bool(x), "and", axis, keepdims, where)


@implements(np.any)
def any(
    x: Any, axis: Axes | None = None, *, keepdims: bool = False, where: Any = True
) -> Any:
    """Return whether some element along axes is true."""
    return reduced(as_bool(x), "or", axis, keepdims, where)


def element_count(x: Operand, axis: Axes | None, where: Any = True) -> Operand:
    """Return how many elements a reduction combines, in the type of `x`."""
    axes = axes_of(axis, len(shape_of(x)))
    if where is True:
        return as_operand(axes_length(x, axes), x.dtype)
    counted: Operand = as_operand(sum(broadcast_to(where, shape_of(x)), axes), x.dtype)
    return counted


@implements(np.mean)
def mean(
    x: Any,
    axis: Axes | None = None,
    dtype: Any = None,
    *,
    keepdims: bool = False,
    where: Any = True,
) -> Any:
    """Return the mean along axes: the sum divided by the number of elements."""
    x = as_float(x) if dtype is None else as_operand(x, np.dtype(dtype))
    wide = summing_type(x)
    total = sum(wide, axis, keepdims=keepdims, where=where)
    count = kept(element_count(wide, axis, where), total)
    return as_operand(divide(total, count), x.dtype)


def kept(count: Operand, total: Operand) -> Any:
    """Return counts in the shape of totals, which may have kept their axes."""
    return reshape(count, shape_of(total)) if shape_of(count) else count


def summing_type(x: Operand) -> Operand:
    """Return a half-type `x` in float32, anything else as it is."""
    if dtype_of(x.dtype) in (DType.F16, DType.BF16):
        return as_operand(x, np.dtype(np.float32))
    return x


@implements(np.var)
def var(
    x: Any,
    axis: Axes | None = None,
    dtype: Any = None,
    *,
    ddof: float = 0,
    correction: float | None = None,
    keepdims: bool = False,
    where: Any = True,
) -> Any:
    """Return the mean of squared distances from the mean, along axes.

    The sum is divided by the number of elements less `ddof`, also called `correction`;
    without it the result is biased. Half types are computed in float32.
    """
    x = as_float(x) if dtype is None else as_operand(x, np.dtype(dtype))
    wide = summing_type(x)
    centred = subtract(wide, mean(wide, axis, keepdims=True, where=where))
    squares = multiply(centred, centred)
    less = ddof if correction is None else correction
    if not less:
        return as_operand(mean(squares, axis, keepdims=keepdims, where=where), x.dtype)
    total = sum(squares, axis, keepdims=keepdims, where=where)
    count = maximum(subtract(element_count(wide, axis, where), less), 0)
    return as_operand(divide(total, kept(count, total)), x.dtype)


@implements(np.std)
def std(x: Any, axis: Axes | None = None, dtype: Any = None, **options: Any) -> Any:
    """Return the square root of `var`, which has the same options."""
    x = as_float(x) if dtype is None else as_operand(x, np.dtype(dtype))
    return as_operand(sqrt(var(summing_type(x), axis, **options)), x.dtype)


@in_float32
def softmax(x: Any, axis: int = -1) -> Any:
    """Return exp(x) / sum(exp(x)) along one axis, without overflow.

    Half types are computed in float32 and rounded once.
    """
    powers = exp(subtract(x, max(x, axis, keepdims=True)))
    return divide(powers, sum(powers, axis, keepdims=True))


@in_float32
def log_softmax(x: Any, axis: int = -1) -> Any:
    """Return the logarithm of `softmax` along one axis."""
    shifted = subtract(x, max(x, axis, keepdims=True))
    return subtract(shifted, log(sum(exp(shifted), axis, keepdims=True)))
