"""NumPy's elementwise functions, with its broadcasting and promotion.

Python numbers take the element type of what they meet; arrays and tensors of different
types meet in NumPy's common type.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from lxc.errors import Mismatch
from lxc.ir.functions.promotion import (
    Scalar,
    aligned,
    as_near_float,
    as_operand,
    broadcast_operand,
    broadcast_shapes,
    common_type,
)
from lxc.ir.op import Op
from lxc.ir.ops import arithmetic, functions, logic
from lxc.ir.tensor import Operand, Tensor, apply, implements, lifted, shape_of, type_of
from lxc.ir.types import dtype_of


def binary(op: Op, *numpy_functions: object) -> Callable[[Any, Any], Any]:
    """Return the NumPy function for an op of two operands of one type."""

    @implements(*numpy_functions)
    def function(x: Any, y: Any) -> Any:
        return apply(op, *aligned(x, y))

    return documented(function, op, *numpy_functions)


def unary(op: Op, *numpy_functions: object, floats: bool = False) -> Callable[[Any], Any]:
    """Return the NumPy function for a unary op; `floats` converts integers first."""

    @implements(*numpy_functions)
    def function(x: Any) -> Any:
        return apply(op, as_near_float(x) if floats else as_operand(x, common_type((x,))))

    return documented(function, op, *numpy_functions)


def rounding(op: Op, *numpy_functions: object) -> Callable[[Any], Any]:
    """Return the NumPy function that rounds floats and leaves integers alone."""

    @implements(*numpy_functions)
    def function(x: Any) -> Any:
        dtype = common_type((x,))
        typed = as_operand(x, dtype)
        return apply(op, typed) if dtype_of(dtype).is_float else typed

    return documented(function, op, *numpy_functions)


def documented(
    function: Callable[..., Any], op: Op, *numpy_functions: Any
) -> Callable[..., Any]:
    """Name a function as NumPy does, or after its op, so that pickles can find it."""
    function.__name__ = numpy_functions[0].__name__ if numpy_functions else op.name
    function.__qualname__ = function.__name__
    function.__doc__ = f"{op.__doc__}"
    return function


negative = unary(arithmetic.negate, np.negative)
absolute = unary(arithmetic.absolute, np.absolute)
sign = unary(arithmetic.sign, np.sign)
invert = unary(logic.bitwise_not, np.invert)
exp = unary(functions.exp, np.exp, floats=True)
expm1 = unary(functions.expm1, np.expm1, floats=True)
log = unary(functions.log, np.log, floats=True)
log1p = unary(functions.log1p, np.log1p, floats=True)
sqrt = unary(functions.sqrt, np.sqrt, floats=True)
rsqrt = unary(functions.rsqrt, floats=True)
sin = unary(functions.sin, np.sin, floats=True)
cos = unary(functions.cos, np.cos, floats=True)
erf = unary(functions.erf, floats=True)
floor = rounding(functions.floor, np.floor)
ceil = rounding(functions.ceil, np.ceil)
rint = unary(functions.round, np.rint, floats=True)

add = binary(arithmetic.add, np.add)
subtract = binary(arithmetic.subtract, np.subtract)
multiply = binary(arithmetic.multiply, np.multiply)
floor_divide = binary(arithmetic.floor_divide, np.floor_divide)
remainder = binary(arithmetic.remainder, np.remainder, np.mod)
maximum = binary(arithmetic.maximum, np.maximum)
minimum = binary(arithmetic.minimum, np.minimum)
equal = binary(logic.equal, np.equal)
not_equal = binary(logic.not_equal, np.not_equal)
less = binary(logic.less, np.less)
less_equal = binary(logic.less_equal, np.less_equal)
bitwise_and = binary(logic.bitwise_and, np.bitwise_and)
bitwise_or = binary(logic.bitwise_or, np.bitwise_or)
bitwise_xor = binary(logic.bitwise_xor, np.bitwise_xor)
left_shift = binary(logic.shift_left, np.left_shift)
right_shift = binary(logic.shift_right, np.right_shift)


@implements(np.tanh)
def tanh(x: Any, *, fast: bool = False) -> Any:
    """Return the hyperbolic tangent; `fast` allows 8 ULP instead of 2."""
    return apply(functions.tanh, as_near_float(x), fast=fast)


def sigmoid(x: Any, *, fast: bool = False) -> Any:
    """Return 1 / (1 + exp(-x)) without overflow; `fast` allows 8 ULP instead of 2."""
    return apply(functions.logistic, as_near_float(x), fast=fast)


@implements(np.divide, np.true_divide)
def divide(x: Any, y: Any) -> Any:
    """Return x / y; integers become float64 first."""
    dtype = common_type((x, y))
    return apply(
        arithmetic.divide,
        *aligned(x, y, dtype=dtype if dtype_of(dtype).is_float else np.float64),
    )


@implements(np.power)
def power(x: Any, y: Any) -> Any:
    """Return x to the power y; small whole Python exponents become products.

    An integer to the power of an array of integers is refused: negative exponents would
    have no result.
    """
    dtype = common_type((x, y))
    is_float = dtype_of(dtype).is_float
    if isinstance(y, int) and y == 0:
        return ones_like(as_operand(x, dtype))
    if isinstance(y, int) and 1 <= y <= (4 if is_float else 64):
        result = as_operand(x, dtype)
        for _ in range(y - 1):
            result = multiply(result, x)
        return result
    if not is_float:
        raise Mismatch("x", "a float", type_of(x), hint="convert it with astype first")
    return apply(arithmetic.power, *aligned(x, y, dtype=dtype))


@implements(np.square)
def square(x: Any) -> Any:
    """Return x * x."""
    return multiply(x, x)


@implements(np.reciprocal)
def reciprocal(x: Any) -> Any:
    """Return 1 / x."""
    return divide(1.0, x)


@implements(np.positive)
def positive(x: Any) -> Any:
    """Return x."""
    return x


@implements(np.greater)
def greater(x: Any, y: Any) -> Any:
    """Return whether x > y."""
    return less(y, x)


@implements(np.greater_equal)
def greater_equal(x: Any, y: Any) -> Any:
    """Return whether x >= y."""
    return less_equal(y, x)


def as_bool(x: Any) -> Operand:
    """Return whether elements differ from zero."""
    if common_type((x,)) == np.bool_:
        return as_operand(x, np.dtype(np.bool_))
    result: Operand = not_equal(x, 0)
    return result


@implements(np.logical_and)
def logical_and(x: Any, y: Any) -> Any:
    """Return whether both are true."""
    return bitwise_and(as_bool(x), as_bool(y))


@implements(np.logical_or)
def logical_or(x: Any, y: Any) -> Any:
    """Return whether one is true."""
    return bitwise_or(as_bool(x), as_bool(y))


@implements(np.logical_xor)
def logical_xor(x: Any, y: Any) -> Any:
    """Return whether exactly one is true."""
    return bitwise_xor(as_bool(x), as_bool(y))


@implements(np.logical_not)
def logical_not(x: Any) -> Any:
    """Return whether x is false."""
    return invert(as_bool(x))


@implements(np.isnan)
def isnan(x: Any) -> Any:
    """Return whether x is not a number."""
    return not_equal(x, x)


@implements(np.where)
def where(condition: Any, x: Any, y: Any) -> Any:
    """Return x where the condition holds, y elsewhere."""
    x, y = aligned(x, y)
    shape = broadcast_shapes(shape_of(condition), shape_of(x))
    parts = lifted((as_bool(condition), x, y))
    return apply(logic.select, *(broadcast_operand(part, shape) for part in parts))


@implements(np.clip)
def clip(x: Any, low: Any = None, high: Any = None) -> Any:
    """Return x limited to [low, high]; NaN stays NaN."""
    if low is not None:
        x = maximum(x, low)
    return x if high is None else minimum(x, high)


@implements(np.ndarray.astype, np.astype)
def astype(x: Any, dtype: Any) -> Any:
    """Return the elements converted to `dtype`; the same object where nothing changes."""
    target = dtype_of(dtype)
    if type_of(x).dtype is target:
        return x
    return apply(logic.cast, x, dtype=target)


@implements(np.full_like)
def full_like(x: Any, value: Scalar) -> Any:
    """Return a tensor of the shape and element type of `x` full of `value`."""
    filled = np.asarray(value).astype(type_of(x).dtype.numpy)
    if not isinstance(x, Tensor):
        return np.broadcast_to(filled, x.shape)
    return broadcast_operand(Tensor(x.builder.array(filled), x.builder), x.shape)


@implements(np.zeros_like)
def zeros_like(x: Any) -> Any:
    """Return zeros of the shape and element type of `x`."""
    return full_like(x, 0)


@implements(np.ones_like)
def ones_like(x: Any) -> Any:
    """Return ones of the shape and element type of `x`."""
    return full_like(x, 1)
