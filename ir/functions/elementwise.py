"""NumPy's elementwise functions, with its broadcasting and promotion.

Python numbers take the element type of what they meet; arrays and tensors of different
types meet in NumPy's common type.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from lxc.errors import Mismatch
from lxc.ir.dim import Size
from lxc.ir.op import Op
from lxc.ir.ops import elementwise as ops
from lxc.ir.ops.shape import broadcast
from lxc.ir.tensor import Operand, Tensor, apply, implements, lifted, shape_of, type_of
from lxc.ir.types import dtype_of

Scalar = bool | int | float


def common_type(operands: tuple[Any, ...]) -> np.dtype[Any]:
    """Return the element type where operands meet; Python numbers only lend their kind."""
    typed = [x.dtype for x in operands if isinstance(x, Tensor | np.ndarray | np.generic)]
    numbers = [x for x in operands if isinstance(x, Scalar)]
    if not typed:
        return np.result_type(*(np.asarray(x) for x in operands))
    common = typed[0]
    for dtype in typed[1:]:
        common = common if dtype == common else np.result_type(common, dtype)
    is_float = dtype_of(common).is_float
    if any(isinstance(x, float) for x in numbers) and not is_float:
        return np.dtype(np.float64)
    if common == np.bool_ and any(not isinstance(x, bool) for x in numbers):
        return np.dtype(np.int64)
    return common


def broadcast_shapes(*shapes: tuple[Size, ...]) -> tuple[Size, ...]:
    """Return what all shapes broadcast to by NumPy's rule, symbolic sizes included."""
    rank = max(map(len, shapes))
    result: list[Size] = [1] * rank
    for shape in shapes:
        for place, entry in enumerate(shape, rank - len(shape)):
            if result[place] == 1:
                result[place] = entry
            elif entry not in (1, result[place]):
                raise Mismatch("y", list(result), list(shape), because="shapes broadcast")
    return tuple(result)


def broadcast_operand(x: Operand, shape: tuple[Size, ...]) -> Operand:
    """Return `x` repeated to `shape`; leading axes are added."""
    own = shape_of(x)
    if own == shape:
        return x
    axes = tuple(range(len(shape) - len(own), len(shape)))
    result: Operand = apply(broadcast, x, shape=shape, axes=axes)
    return result


def as_operand(x: Any, dtype: np.dtype[Any]) -> Operand:
    """Return `x` as an array or tensor with elements of `dtype`."""
    if isinstance(x, Tensor):
        if x.dtype == dtype:
            return x
        converted: Operand = apply(ops.cast, x, dtype=dtype_of(dtype))
        return converted
    return np.asarray(x).astype(dtype, copy=False)


def aligned(*operands: Any, dtype: Any = None) -> list[Operand]:
    """Return operands with one element type and one shape."""
    target = np.dtype(dtype) if dtype is not None else common_type(operands)
    typed = lifted(as_operand(x, target) for x in operands)
    shape = broadcast_shapes(*map(shape_of, typed))
    return [broadcast_operand(x, shape) for x in typed]


def binary(op: Op, *numpy_functions: object) -> Callable[[Any, Any], Any]:
    """Return the NumPy function for an op of two operands of one type."""

    @implements(*numpy_functions)
    def function(x: Any, y: Any) -> Any:
        return apply(op, *aligned(x, y))

    return documented(function, op)


def unary(op: Op, *numpy_functions: object, floats: bool = False) -> Callable[[Any], Any]:
    """Return the NumPy function for a unary op; `floats` converts integers first."""

    @implements(*numpy_functions)
    def function(x: Any) -> Any:
        return apply(op, as_float(x) if floats else as_operand(x, common_type((x,))))

    return documented(function, op)


def documented(function: Callable[..., Any], op: Op) -> Callable[..., Any]:
    """Name a function after its op."""
    function.__name__ = op.name
    function.__doc__ = f"{op.__doc__}"
    return function


def as_float(x: Any) -> Operand:
    """Return `x` with float elements; integers become float64, as in NumPy."""
    dtype = common_type((x,))
    return as_operand(x, dtype if dtype_of(dtype).is_float else np.dtype(np.float64))


negative = unary(ops.negate, np.negative)
absolute = unary(ops.absolute, np.absolute, np.fabs)
sign = unary(ops.sign, np.sign)
invert = unary(ops.bitwise_not, np.invert)
exp = unary(ops.exp, np.exp, floats=True)
expm1 = unary(ops.expm1, np.expm1, floats=True)
log = unary(ops.log, np.log, floats=True)
log1p = unary(ops.log1p, np.log1p, floats=True)
sqrt = unary(ops.sqrt, np.sqrt, floats=True)
rsqrt = unary(ops.rsqrt, floats=True)
sin = unary(ops.sin, np.sin, floats=True)
cos = unary(ops.cos, np.cos, floats=True)
erf = unary(ops.erf, floats=True)
floor = unary(ops.floor, np.floor, floats=True)
ceil = unary(ops.ceil, np.ceil, floats=True)
rint = unary(ops.round, np.rint, floats=True)

add = binary(ops.add, np.add)
subtract = binary(ops.subtract, np.subtract)
multiply = binary(ops.multiply, np.multiply)
floor_divide = binary(ops.floor_divide, np.floor_divide)
remainder = binary(ops.remainder, np.remainder, np.mod)
maximum = binary(ops.maximum, np.maximum)
minimum = binary(ops.minimum, np.minimum)
equal = binary(ops.equal, np.equal)
not_equal = binary(ops.not_equal, np.not_equal)
less = binary(ops.less, np.less)
less_equal = binary(ops.less_equal, np.less_equal)
bitwise_and = binary(ops.bitwise_and, np.bitwise_and)
bitwise_or = binary(ops.bitwise_or, np.bitwise_or)
bitwise_xor = binary(ops.bitwise_xor, np.bitwise_xor)
left_shift = binary(ops.shift_left, np.left_shift)
right_shift = binary(ops.shift_right, np.right_shift)


@implements(np.tanh)
def tanh(x: Any, *, fast: bool = False) -> Any:
    """Return the hyperbolic tangent; `fast` allows 8 ULP instead of 2."""
    return apply(ops.tanh, as_float(x), fast=fast)


def sigmoid(x: Any, *, fast: bool = False) -> Any:
    """Return 1 / (1 + exp(-x)) without overflow; `fast` allows 8 ULP instead of 2."""
    return apply(ops.logistic, as_float(x), fast=fast)


@implements(np.divide, np.true_divide)
def divide(x: Any, y: Any) -> Any:
    """Return x / y; integers become float64 first."""
    dtype = common_type((x, y))
    return apply(
        ops.divide, *aligned(x, y, dtype=dtype if dtype_of(dtype).is_float else np.float64)
    )


@implements(np.power)
def power(x: Any, y: Any) -> Any:
    """Return x to the power y; small whole Python exponents become products."""
    if isinstance(y, int) and not isinstance(y, bool) and 1 <= y <= 4:
        result = x
        for _ in range(y - 1):
            result = multiply(result, x)
        return result
    dtype = common_type((x, y))
    return apply(
        ops.power, *aligned(x, y, dtype=dtype if dtype_of(dtype).is_float else np.float64)
    )


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
    return apply(ops.select, *(broadcast_operand(part, shape) for part in parts))


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
    return apply(ops.cast, x, dtype=target)


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
