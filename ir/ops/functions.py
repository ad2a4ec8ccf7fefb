"""Functions of one float: elementwise, NaN in gives NaN out."""

from math import erf as erf_of_number

import numpy as np

from lxc.ir.op import op
from lxc.ir.ops.half import rounded_once
from lxc.ir.ops.operands import declare, float_type
from lxc.ir.types import Array, TensorType


@op(kind="elementwise")
def exp(x: TensorType) -> TensorType:
    """Return e to the power x."""
    return float_type(x)


@op(kind="elementwise")
def expm1(x: TensorType) -> TensorType:
    """Return e to the power x, minus one, accurate near zero."""
    return float_type(x)


@op(kind="elementwise")
def exp2(x: TensorType) -> TensorType:
    """Return 2 to the power x."""
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
def log2(x: TensorType) -> TensorType:
    """Return the logarithm to base 2: -inf at 0, NaN below."""
    return float_type(x)


@op(kind="elementwise")
def log10(x: TensorType) -> TensorType:
    """Return the logarithm to base 10: -inf at 0, NaN below."""
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
def cbrt(x: TensorType) -> TensorType:
    """Return the cube root, which has the sign of x."""
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


def logistic_of_array(x: Array) -> Array:
    """Return the logistic function without overflow at either end."""
    small = np.exp(-np.abs(x))
    return np.asarray(
        np.where(x >= 0, 1 / (1 + small), small / (1 + small)) + 0 * np.sign(x)
    )


def erf_of_array(x: Array) -> Array:
    """Return the error function, computed in float64."""
    return np.asarray(np.vectorize(erf_of_number, otypes=[np.float64])(x)).astype(x.dtype)


for declared, numpy_function in (
    (exp, np.exp),
    (expm1, np.expm1),
    (exp2, np.exp2),
    (log, np.log),
    (log1p, np.log1p),
    (log2, np.log2),
    (log10, np.log10),
    (sqrt, np.sqrt),
    (rsqrt, lambda x: 1 / np.sqrt(x)),
    (cbrt, np.cbrt),
    (erf, erf_of_array),
    (floor, np.floor),
    (ceil, np.ceil),
    (round, np.round),
):
    declare(declared, numpy_function)


@tanh.reference
def tanh_of_array(x: Array, *, fast: bool) -> Array:
    """Return the exact function; `fast` is a licence, not an order."""
    return rounded_once(np.tanh)(x)


@logistic.reference
def logistic_reference(x: Array, *, fast: bool) -> Array:
    """Return the exact function; `fast` is a licence, not an order."""
    return rounded_once(logistic_of_array)(x)
