"""Ops whose result element i depends on element i of every operand.

Operands have one shape: broadcasting is a node of its own. NaN in gives NaN out of
`maximum` and `minimum`; comparisons with NaN are false, `not_equal` is true.
"""

from collections.abc import Callable
from math import erf as erf_of_number
from typing import Any

import numpy as np

from lxc.errors import Mismatch
from lxc.ir.op import Op, op
from lxc.ir.types import Array, DType, TensorType


def same_type(x: TensorType, y: TensorType) -> TensorType:
    """Return the one type of two operands, or raise."""
    if y != x:
        raise Mismatch("y", x, y, because=f"x is {x}")
    return x


def float_type(x: TensorType) -> TensorType:
    """Return `x` if its elements are floats, or raise."""
    if not x.dtype.is_float:
        raise Mismatch("x", x.with_dtype(DType.F32), x, because="the op is for floats")
    return x


def number_type(x: TensorType) -> TensorType:
    """Return `x` if its elements are numbers, or raise."""
    if x.dtype is DType.BOOL:
        raise Mismatch("x", x.with_dtype(DType.F32), x, because="the op is for numbers")
    return x


def bits_type(x: TensorType) -> TensorType:
    """Return `x` if its elements are integers, or raise."""
    if not x.dtype.is_integer:
        raise Mismatch("x", x.with_dtype(DType.U32), x, because="the op is for integers")
    return x


@op(kind="elementwise")
def negate(x: TensorType) -> TensorType:
    """Return -x."""
    return number_type(x)


@op(kind="elementwise")
def absolute(x: TensorType) -> TensorType:
    """Return |x|."""
    return number_type(x)


@op(kind="elementwise")
def sign(x: TensorType) -> TensorType:
    """Return -1, 0 or 1 with the sign of x; NaN stays NaN."""
    return number_type(x)


@op(kind="elementwise")
def exp(x: TensorType) -> TensorType:
    """Return e to the power x."""
    return float_type(x)


@op(kind="elementwise")
def expm1(x: TensorType) -> TensorType:
    """Return e to the power x, minus one, accurate near zero."""
    return float_type(x)


@op(kind="elementwise")
def log(x: TensorType) -> TensorType:
    """Return the natural logarithm: -inf at 0, NaN below."""
    return float_type(x)


@op(kind="elementwise")
def log1p(x: TensorType) -> TensorType:
    """Return the natural logarithm of 1 + x, accurate near zero."""
    return float_type(x)


@op(kind="elementwise")
def sqrt(x: TensorType) -> TensorType:
    """Return the square root; NaN below zero."""
    return float_type(x)


@op(kind="elementwise")
def rsqrt(x: TensorType) -> TensorType:
    """Return 1 / sqrt(x)."""
    return float_type(x)


@op(kind="elementwise")
def sin(x: TensorType) -> TensorType:
    """Return the sine of x in radians."""
    return float_type(x)


@op(kind="elementwise")
def cos(x: TensorType) -> TensorType:
    """Return the cosine of x in radians."""
    return float_type(x)


@op(kind="elementwise")
def erf(x: TensorType) -> TensorType:
    """Return the error function."""
    return float_type(x)


@op(kind="elementwise")
def tanh(x: TensorType, *, fast: bool = False) -> TensorType:
    """Return the hyperbolic tangent; `fast` allows 8 ULP (and 1e-6 absolute), not 2."""
    return float_type(x)


@op(kind="elementwise")
def logistic(x: TensorType, *, fast: bool = False) -> TensorType:
    """Return 1 / (1 + exp(-x)); `fast` allows 8 ULP (and 1e-6 absolute), not 2."""
    return float_type(x)


@op(kind="elementwise")
def floor(x: TensorType) -> TensorType:
    """Return the largest whole number that is not above x."""
    return float_type(x)


@op(kind="elementwise")
def ceil(x: TensorType) -> TensorType:
    """Return the smallest whole number that is not below x."""
    return float_type(x)


@op(kind="elementwise")
def round(x: TensorType) -> TensorType:
    """Return the nearest whole number, halves to even."""
    return float_type(x)


@op(kind="elementwise", commutative=True)
def add(x: TensorType, y: TensorType) -> TensorType:
    """Return x + y."""
    return same_type(number_type(x), y)


@op(kind="elementwise")
def subtract(x: TensorType, y: TensorType) -> TensorType:
    """Return x - y."""
    return same_type(number_type(x), y)


@op(kind="elementwise", commutative=True)
def multiply(x: TensorType, y: TensorType) -> TensorType:
    """Return x * y."""
    return same_type(number_type(x), y)


@op(kind="elementwise")
def divide(x: TensorType, y: TensorType) -> TensorType:
    """Return x / y by IEEE rules; only for floats."""
    return same_type(float_type(x), y)


@op(kind="elementwise")
def floor_divide(x: TensorType, y: TensorType) -> TensorType:
    """Return the floor of x / y; an integer divided by zero gives 0."""
    return same_type(number_type(x), y)


@op(kind="elementwise")
def remainder(x: TensorType, y: TensorType) -> TensorType:
    """Return x - y * floor(x / y), the sign of y; an integer divided by zero gives 0."""
    return same_type(number_type(x), y)


@op(kind="elementwise")
def power(x: TensorType, y: TensorType) -> TensorType:
    """Return x to the power y; only for floats."""
    return same_type(float_type(x), y)


@op(kind="elementwise", commutative=True)
def maximum(x: TensorType, y: TensorType) -> TensorType:
    """Return the larger of x and y; NaN if either is NaN."""
    return same_type(x, y)


@op(kind="elementwise", commutative=True)
def minimum(x: TensorType, y: TensorType) -> TensorType:
    """Return the smaller of x and y; NaN if either is NaN."""
    return same_type(x, y)


@op(kind="elementwise", commutative=True)
def equal(x: TensorType, y: TensorType) -> TensorType:
    """Return whether x = y."""
    return same_type(x, y).with_dtype(DType.BOOL)


@op(kind="elementwise", commutative=True)
def not_equal(x: TensorType, y: TensorType) -> TensorType:
    """Return whether x differs from y."""
    return same_type(x, y).with_dtype(DType.BOOL)


@op(kind="elementwise")
def less(x: TensorType, y: TensorType) -> TensorType:
    """Return whether x < y."""
    return same_type(x, y).with_dtype(DType.BOOL)


@op(kind="elementwise")
def less_equal(x: TensorType, y: TensorType) -> TensorType:
    """Return whether x <= y."""
    return same_type(x, y).with_dtype(DType.BOOL)


def logical_type(x: TensorType) -> TensorType:
    """Return `x` if its elements are bool or integers, or raise."""
    return x if x.dtype is DType.BOOL else bits_type(x)


@op(kind="elementwise", commutative=True)
def bitwise_and(x: TensorType, y: TensorType) -> TensorType:
    """Return the bitwise conjunction; the logical one on bools."""
    return same_type(logical_type(x), y)


@op(kind="elementwise", commutative=True)
def bitwise_or(x: TensorType, y: TensorType) -> TensorType:
    """Return the bitwise disjunction; the logical one on bools."""
    return same_type(logical_type(x), y)


@op(kind="elementwise", commutative=True)
def bitwise_xor(x: TensorType, y: TensorType) -> TensorType:
    """Return the bitwise exclusive disjunction; the logical one on bools."""
    return same_type(logical_type(x), y)


@op(kind="elementwise")
def bitwise_not(x: TensorType) -> TensorType:
    """Return the bitwise negation; the logical one on bools."""
    return logical_type(x)


@op(kind="elementwise")
def shift_left(x: TensorType, y: TensorType) -> TensorType:
    """Return x shifted left by y bits, y below the width of x."""
    return same_type(bits_type(x), y)


@op(kind="elementwise")
def shift_right(x: TensorType, y: TensorType) -> TensorType:
    """Return x shifted right by y bits, y below the width; signed types keep their sign."""
    return same_type(bits_type(x), y)


@op(kind="elementwise")
def select(condition: TensorType, x: TensorType, y: TensorType) -> TensorType:
    """Return x where the condition holds, y elsewhere."""
    if condition != x.with_dtype(DType.BOOL):
        raise Mismatch(
            "condition", x.with_dtype(DType.BOOL), condition, because=f"x is {x}"
        )
    return same_type(x, y)


@op(kind="elementwise")
def cast(x: TensorType, *, dtype: DType) -> TensorType:
    """Return x as `dtype`: floats round to nearest even, or toward zero to an integer.

    A NaN or a number outside the range of an integer type gives an unspecified integer.
    """
    return x.with_dtype(dtype)


def integer_safe(function: Callable[..., Any]) -> Callable[[Array, Array], Array]:
    """Return a division of arrays that gives 0 where an integer is divided by zero."""

    def divided(x: Array, y: Array) -> Array:
        if not np.issubdtype(x.dtype, np.integer):
            return np.asarray(function(x, y))
        one = np.ones((), y.dtype)
        return np.asarray(np.where(y == 0, 0 * x, function(x, np.where(y == 0, one, y))))

    return divided


def logistic_of_array(x: Array) -> Array:
    """Return the logistic function without overflow at either end."""
    small = np.exp(-np.abs(x))
    return np.asarray(
        np.where(x >= 0, 1 / (1 + small), small / (1 + small)) + 0 * np.sign(x)
    )


def erf_of_array(x: Array) -> Array:
    """Return the error function, computed in float64."""
    return np.asarray(np.vectorize(erf_of_number, otypes=[np.float64])(x)).astype(x.dtype)


def declare(target: Op, meaning: Callable[..., Any]) -> None:
    """Make a NumPy function the reference of an op of one or two operands."""
    if target.operands == ("x",):
        target.reference(lambda x: meaning(x))
    else:
        target.reference(lambda x, y: meaning(x, y))


for unary, numpy_unary in (
    (negate, np.negative),
    (absolute, np.abs),
    (sign, np.sign),
    (exp, np.exp),
    (expm1, np.expm1),
    (log, np.log),
    (log1p, np.log1p),
    (sqrt, np.sqrt),
    (rsqrt, lambda x: 1 / np.sqrt(x)),
    (sin, np.sin),
    (cos, np.cos),
    (erf, erf_of_array),
    (floor, np.floor),
    (ceil, np.ceil),
    (round, np.round),
    (bitwise_not, np.invert),
):
    declare(unary, numpy_unary)

for binary, numpy_binary in (
    (add, np.add),
    (subtract, np.subtract),
    (multiply, np.multiply),
    (divide, np.true_divide),
    (floor_divide, integer_safe(np.floor_divide)),
    (remainder, integer_safe(np.remainder)),
    (power, np.power),
    (maximum, np.maximum),
    (minimum, np.minimum),
    (equal, np.equal),
    (not_equal, np.not_equal),
    (less, np.less),
    (less_equal, np.less_equal),
    (bitwise_and, np.bitwise_and),
    (bitwise_or, np.bitwise_or),
    (bitwise_xor, np.bitwise_xor),
    (shift_left, np.left_shift),
    (shift_right, np.right_shift),
):
    declare(binary, numpy_binary)


@tanh.reference
def tanh_of_array(x: Array, *, fast: bool) -> Array:
    """Return the exact function; `fast` is a licence, not an order."""
    return np.asarray(np.tanh(x))


@logistic.reference
def logistic_reference(x: Array, *, fast: bool) -> Array:
    """Return the exact function; `fast` is a licence, not an order."""
    return logistic_of_array(x)


@select.reference
def select_of_arrays(condition: Array, x: Array, y: Array) -> Array:
    """Choose element by element."""
    return np.where(condition, x, y)


@cast.reference
def cast_of_array(x: Array, *, dtype: DType) -> Array:
    """Convert with NumPy's rounding."""
    with np.errstate(invalid="ignore"):
        return x.astype(dtype.numpy)
