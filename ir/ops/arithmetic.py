"""Elementwise arithmetic. NaN in gives NaN out of `maximum` and `minimum` too."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lxc.ir.op import op
from lxc.ir.ops.operands import declare, float_type, number_type, same_type
from lxc.ir.types import Array, TensorType


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
def fmod(x: TensorType, y: TensorType) -> TensorType:
    """Return x - y * trunc(x / y), the sign of x; an integer divided by zero gives 0."""
    return same_type(number_type(x), y)


@op(kind="elementwise")
def power(x: TensorType, y: TensorType) -> TensorType:
    """Return x to the power y; only for floats."""
    return same_type(float_type(x), y)


@op(kind="elementwise", commutative=True)
def maximum(x: TensorType, y: TensorType) -> TensorType:
    """Return the larger of x and y; NaN if either is NaN, either zero of two zeros."""
    return same_type(x, y)


@op(kind="elementwise", commutative=True)
def minimum(x: TensorType, y: TensorType) -> TensorType:
    """Return the smaller of x and y; NaN if either is NaN, either zero of two zeros."""
    return same_type(x, y)


@op(kind="elementwise")
def copysign(x: TensorType, y: TensorType) -> TensorType:
    """Return |x| with the sign of y, that of a zero or NaN too; only for floats."""
    return same_type(float_type(x), y)


def integer_safe(function: Callable[..., Any]) -> Callable[[Array, Array], Array]:
    """Return a division of arrays that gives 0 where an integer is divided by zero."""

    def divided(x: Array, y: Array) -> Array:
        if not np.issubdtype(x.dtype, np.integer):
            return np.asarray(function(x, y))
        one = np.ones((), y.dtype)
        return np.asarray(np.where(y == 0, 0 * x, function(x, np.where(y == 0, one, y))))

    return divided


def power_of_arrays(x: Array, y: Array) -> Array:
    """Return the power of every pair, as the C library does.

    NumPy takes the square root, which knows no infinities and zeros below zero, where one
    exponent in memory stands for all: so each element gets its own.
    """
    return np.asarray(np.power(x.reshape(-1), np.array(y).reshape(-1))).reshape(x.shape)


for declared, numpy_function in (
    (negate, np.negative),
    (absolute, np.abs),
    (sign, np.sign),
    (add, np.add),
    (subtract, np.subtract),
    (multiply, np.multiply),
    (divide, np.true_divide),
    (floor_divide, integer_safe(np.floor_divide)),
    (remainder, integer_safe(np.remainder)),
    (fmod, integer_safe(np.fmod)),
    (power, power_of_arrays),
    (maximum, np.maximum),
    (minimum, np.minimum),
    (copysign, np.copysign),
):
    declare(declared, numpy_function)
