"""NumPy's reductions and what is built from them."""

from typing import Any

import numpy as np

from lxc.ir.dim import Size
from lxc.ir.functions.elementwise import as_bool, divide, exp, log, multiply, sqrt, subtract
from lxc.ir.functions.promotion import as_float, as_operand, common_type
from lxc.ir.functions.shape import Axes, axes_of, reshape
from lxc.ir.ops import reduce as ops
from lxc.ir.ops import shape as shape_ops
from lxc.ir.ops.logic import cast
from lxc.ir.tensor import Operand, apply, implements, shape_of, type_of
from lxc.ir.types import DType, count_elements, dtype_of


def reduced(x: Operand, kind: str, axis: Axes | None, keepdims: bool) -> Any:
    """Return a reduction along axes, kept as size 1 if wanted."""
    shape = shape_of(x)
    axes = axes_of(axis, len(shape))
    result = apply(ops.reduce, x, kind=kind, axes=axes) if axes else x
    if not keepdims:
        return result
    return reshape(result, tuple(1 if i in axes else n for i, n in enumerate(shape)))


def summable(x: Any) -> Operand:
    """Return `x` in the type of NumPy's sum: small integers and bools become int64."""
    dtype = common_type((x,))
    if dtype == np.bool_ or (dtype.kind in "iu" and dtype.itemsize < 8):
        dtype = np.dtype(np.uint64 if dtype.kind == "u" else np.int64)
    return as_operand(x, dtype)


@implements(np.sum)
def sum(x: Any, axis: Axes | None = None, *, keepdims: bool = False) -> Any:
    """Return the sum along axes; half types accumulate in float32."""
    return reduced(summable(x), "add", axis, keepdims)


@implements(np.prod)
def prod(x: Any, axis: Axes | None = None, *, keepdims: bool = False) -> Any:
    """Return the product along axes."""
    return reduced(summable(x), "multiply", axis, keepdims)


@implements(np.max, np.amax)
def max(x: Any, axis: Axes | None = None, *, keepdims: bool = False) -> Any:
    """Return the maximum along axes; NaN if there is one."""
    return reduced(x, "max", axis, keepdims)


@implements(np.min, np.amin)
def min(x: Any, axis: Axes | None = None, *, keepdims: bool = False) -> Any:
    """Return the minimum along axes; NaN if there is one."""
    return reduced(x, "min", axis, keepdims)


@implements(np.all)
def all(x: Any, axis: Axes | None = None, *, keepdims: bool = False) -> Any:
    """Return whether every element along axes is true."""
    return reduced(as_bool(x), "and", axis, keepdims)


@implements(np.any)
def any(x: Any, axis: Axes | None = None, *, keepdims: bool = False) -> Any:
    """Return whether some element along axes is true."""
    return reduced(as_bool(x), "or", axis, keepdims)


def element_count(x: Operand, axis: Axes | None) -> Operand:
    """Return how many elements a reduction combines, as a scalar of the type of `x`."""
    shape = shape_of(x)
    axes = axes_of(axis, len(shape))
    dtype = type_of(x).dtype
    number: Size = count_elements([shape[place] for place in axes])
    if isinstance(number, int):
        return np.asarray(number).astype(dtype.numpy)
    total: Operand = np.asarray(1, np.int64)
    for place in axes:
        total = multiply(total, apply(shape_ops.dim, x, axis=place))
    result: Operand = apply(cast, total, dtype=dtype)
    return result


@implements(np.mean)
def mean(x: Any, axis: Axes | None = None, *, keepdims: bool = False) -> Any:
    """Return the mean along axes: the sum divided by the number of elements."""
    x = as_float(x)
    wide = summing_type(x)
    total = sum(wide, axis, keepdims=keepdims)
    return as_operand(divide(total, element_count(wide, axis)), x.dtype)


def summing_type(x: Operand) -> Operand:
    """Return a half-type `x` in float32, anything else as it is."""
    if dtype_of(x.dtype) in (DType.F16, DType.BF16):
        return as_operand(x, np.dtype(np.float32))
    return x


@implements(np.var)
def var(x: Any, axis: Axes | None = None, *, keepdims: bool = False) -> Any:
    """Return the mean of squared distances from the mean (biased), along axes."""
    x = as_float(x)
    centred = subtract(x, mean(x, axis, keepdims=True))
    return mean(multiply(centred, centred), axis, keepdims=keepdims)


@implements(np.std)
def std(x: Any, axis: Axes | None = None, *, keepdims: bool = False) -> Any:
    """Return the square root of `var`."""
    return sqrt(var(x, axis, keepdims=keepdims))


def softmax(x: Any, axis: int = -1) -> Any:
    """Return exp(x) / sum(exp(x)) along one axis, without overflow."""
    powers = exp(subtract(x, max(x, axis, keepdims=True)))
    return divide(powers, sum(powers, axis, keepdims=True))


def log_softmax(x: Any, axis: int = -1) -> Any:
    """Return the logarithm of `softmax` along one axis."""
    shifted = subtract(x, max(x, axis, keepdims=True))
    return subtract(shifted, log(sum(exp(shifted), axis, keepdims=True)))
