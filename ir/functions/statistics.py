"""NumPy's statistics beyond plain reductions, and those that leave out NaN."""

from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.ir.functions.cumulative import without_nan
from lxc.ir.functions.elementwise import (
    add,
    as_bool,
    divide,
    exp,
    isfinite,
    isnan,
    log,
    logical_not,
    maximum,
    multiply,
    sqrt,
    subtract,
    where,
)
from lxc.ir.functions.half import in_float32
from lxc.ir.functions.promotion import as_float, as_operand, common_type
from lxc.ir.functions.reduce import max, mean, min, prod, sum, summing_type
from lxc.ir.functions.shape import Axes, axes_of, broadcast_to, reshape
from lxc.ir.tensor import Operand, implements, shape_of
from lxc.ir.types import dtype_of


@implements(np.count_nonzero)
def count_nonzero(x: Any, axis: Axes | None = None, *, keepdims: bool = False) -> Any:
    """Return how many elements along axes differ from zero."""
    return sum(as_bool(x), axis, keepdims=keepdims)


@implements(np.ptp)
def ptp(x: Any, axis: Axes | None = None, *, keepdims: bool = False) -> Any:
    """Return the distance from the minimum to the maximum along axes."""
    return subtract(max(x, axis, keepdims=keepdims), min(x, axis, keepdims=keepdims))


@implements(np.average)
def average(
    x: Any,
    axis: Axes | None = None,
    weights: Any = None,
    returned: bool = False,
    *,
    keepdims: bool = False,
) -> Any:
    """Return the mean along axes, weighted if `weights` are given.

    Weights have the shape of `x`, or that of the axes. `returned` adds the sums of the
    weights.
    """
    x = as_operand(x, common_type((x,)))
    if weights is None:
        result = mean(x, axis, keepdims=keepdims)
        ones = np.ones((), result.dtype)
        total = sum(broadcast_to(ones, shape_of(x)), axis, keepdims=keepdims)
        return (result, total) if returned else result
    kind = common_type((x, weights))
    if x.dtype.kind in "iub" or not dtype_of(kind).is_float:
        kind = np.result_type(kind, np.float64)
    wide = as_operand(weights_along(x, weights, axis), kind)
    total = sum(wide, axis, keepdims=keepdims)
    products = multiply(as_operand(x, kind), wide)
    result = divide(sum(products, axis, keepdims=keepdims), total)
    return (result, total) if returned else result


def weights_along(x: Operand, weights: Any, axis: Axes | None) -> Any:
    """Return weights in the shape of `x`."""
    sizes, own = shape_of(x), shape_of(weights)
    if own == sizes:
        return weights
    axes = axes_of(axis, len(sizes))
    if axis is None or own != tuple(sizes[place] for place in axes):
        raise LxcError(
            "LXC-E0103",
            "the weights do not fit",
            expected=f"weights: {list(sizes)}, or the sizes of the axes",
            actual=f"weights: {list(own)}",
        )
    column = tuple(n if place in axes else 1 for place, n in enumerate(sizes))
    return broadcast_to(reshape(weights, column), sizes)


@implements(np.nansum)
def nansum(x: Any, axis: Axes | None = None, dtype: Any = None, **options: Any) -> Any:
    """Return the sum along axes with zero for NaN."""
    return sum(without_nan(x, 0), axis, dtype, **options)


@implements(np.nanprod)
def nanprod(x: Any, axis: Axes | None = None, dtype: Any = None, **options: Any) -> Any:
    """Return the product along axes with one for NaN."""
    return prod(without_nan(x, 1), axis, dtype, **options)


@implements(np.nanmax)
def nanmax(x: Any, axis: Axes | None = None, **options: Any) -> Any:
    """Return the maximum along axes without NaN; of nothing but NaN it is NaN."""
    largest = max(without_nan(x, -np.inf), axis, **options)
    return nan_where_empty(x, largest, axis, options.get("keepdims", False))


@implements(np.nanmin)
def nanmin(x: Any, axis: Axes | None = None, **options: Any) -> Any:
    """Return the minimum along axes without NaN; of nothing but NaN it is NaN."""
    smallest = min(without_nan(x, np.inf), axis, **options)
    return nan_where_empty(x, smallest, axis, options.get("keepdims", False))


def nan_where_empty(x: Any, result: Operand, axis: Axes | None, keepdims: bool) -> Any:
    """Return NaN where all elements along axes are NaN, else the result."""
    if result.dtype.kind in "iub":
        return result
    numbers = sum(logical_not(isnan(x)), axis, keepdims=keepdims)
    return where(numbers, result, np.asarray(np.nan).astype(result.dtype))


@implements(np.nanmean)
def nanmean(
    x: Any, axis: Axes | None = None, dtype: Any = None, *, keepdims: bool = False
) -> Any:
    """Return the mean along axes of what is not NaN."""
    return mean(x, axis, dtype, keepdims=keepdims, where=logical_not(isnan(x)))


@implements(np.nanvar)
def nanvar(
    x: Any,
    axis: Axes | None = None,
    dtype: Any = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
) -> Any:
    """Return the variance along axes of what is not NaN; NaN where too little is left."""
    x = as_float(x) if dtype is None else as_operand(x, np.dtype(dtype))
    wide, numbers = summing_type(x), logical_not(isnan(x))
    middle = mean(wide, axis, keepdims=True, where=numbers)
    centred = where(numbers, subtract(wide, middle), np.zeros((), wide.dtype))
    total = sum(multiply(centred, centred), axis, keepdims=keepdims)
    count = as_operand(sum(numbers, axis, keepdims=keepdims), wide.dtype)
    left = subtract(count, ddof)
    nan = np.asarray(np.nan).astype(wide.dtype)
    return as_operand(where(maximum(left, 0), divide(total, left), nan), x.dtype)


@implements(np.nanstd)
def nanstd(x: Any, axis: Axes | None = None, dtype: Any = None, **options: Any) -> Any:
    """Return the square root of `nanvar`, which has the same options."""
    x = as_float(x) if dtype is None else as_operand(x, np.dtype(dtype))
    return as_operand(sqrt(nanvar(summing_type(x), axis, **options)), x.dtype)


@in_float32
def logsumexp(x: Any, axis: Axes | None = None, *, keepdims: bool = False) -> Any:
    """Return log(sum(exp(x))) along axes, without overflow."""
    x = as_float(x)
    largest = max(x, axis, keepdims=True)
    base = where(isfinite(largest), largest, np.zeros((), x.dtype))
    total = log(sum(exp(subtract(x, base)), axis, keepdims=keepdims))
    return add(total, base if keepdims else reshape(base, shape_of(total)))
