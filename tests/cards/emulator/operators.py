"""The operators of the loop language, as CUDA computes them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Value = NDArray[Any]


def divided(x: Value, y: Value) -> Value:
    """Return a quotient; that of integers is cut off towards zero."""
    if x.dtype.kind not in "iu":
        return np.asarray(np.divide(x, y))
    floor = np.floor_divide(x, y)
    below = ((floor * y != x) & ((x < 0) != (y < 0))).astype(x.dtype)
    return np.asarray(floor + below)


def remainder(x: Value, y: Value) -> Value:
    """Return what a quotient leaves; it has the sign of the dividend."""
    return np.fmod(x, y)


def converted(value: Value, dtype: np.dtype[Any]) -> Value:
    """Return a value in another type."""
    return value != 0 if dtype == np.bool_ else value.astype(dtype)


BINARY: Mapping[str, Callable[[Value, Value], Value]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": divided,
    "Mod": remainder,
    "FloorDiv": np.floor_divide,
    "FloorMod": np.mod,
    # CUDA's own functions return the other number if one is NaN.
    "Min": np.fmin,
    "Max": np.fmax,
    "EQ": np.equal,
    "NE": np.not_equal,
    "LT": np.less,
    "LE": np.less_equal,
    "GT": np.greater,
    "GE": np.greater_equal,
    "BitwiseAnd": np.bitwise_and,
    "BitwiseOr": np.bitwise_or,
    "BitwiseXor": np.bitwise_xor,
    "LShift": np.left_shift,
    "RShift": np.right_shift,
}

CALLS: Mapping[str, Callable[..., Value]] = {
    "fabs": np.abs,
    "floor": np.floor,
    "ceil": np.ceil,
    "sqrt": np.sqrt,
    "nearbyint": np.rint,
    "isnan": np.isnan,
}

FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "fabs": np.abs,
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": np.trunc,
    "rint": np.rint,
    "nearbyint": np.rint,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
}
"""C functions by their names for float64; those for float32 end in f."""
