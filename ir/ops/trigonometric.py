"""Trigonometric and hyperbolic functions: elementwise on floats, NaN in gives NaN out."""

import numpy as np

from lxc.ir.op import op
from lxc.ir.ops.operands import declare, float_type, same_type
from lxc.ir.types import TensorType


@op(kind="elementwise")
def sin(x: TensorType) -> TensorType:
    """Return the sine of x in radians."""
    return float_type(x)


@op(kind="elementwise")
def cos(x: TensorType) -> TensorType:
    """Return the cosine of x in radians."""
    return float_type(x)


@op(kind="elementwise")
def tan(x: TensorType) -> TensorType:
    """Return the tangent of x in radians."""
    return float_type(x)


@op(kind="elementwise")
def arcsin(x: TensorType) -> TensorType:
    """Return the angle in [-pi/2, pi/2] whose sine is x; NaN outside of [-1, 1]."""
    return float_type(x)


@op(kind="elementwise")
def arccos(x: TensorType) -> TensorType:
    """Return the angle in [0, pi] whose cosine is x; NaN outside of [-1, 1]."""
    return float_type(x)


@op(kind="elementwise")
def arctan(x: TensorType) -> TensorType:
    """Return the angle in [-pi/2, pi/2] whose tangent is x."""
    return float_type(x)


@op(kind="elementwise")
def arctan2(x: TensorType, y: TensorType) -> TensorType:
    """Return the angle in [-pi, pi] of the point whose height is x and whose width is y.

    The signs of zeros count: they say on which side of an axis the point is.
    """
    return same_type(float_type(x), y)


@op(kind="elementwise")
def sinh(x: TensorType) -> TensorType:
    """Return the hyperbolic sine."""
    return float_type(x)


@op(kind="elementwise")
def cosh(x: TensorType) -> TensorType:
    """Return the hyperbolic cosine."""
    return float_type(x)


@op(kind="elementwise")
def arcsinh(x: TensorType) -> TensorType:
    """Return the number whose hyperbolic sine is x."""
    return float_type(x)


@op(kind="elementwise")
def arccosh(x: TensorType) -> TensorType:
    """Return the number from 0 on whose hyperbolic cosine is x; NaN below 1."""
    return float_type(x)


@op(kind="elementwise")
def arctanh(x: TensorType) -> TensorType:
    """Return the number whose hyperbolic tangent is x: infinite at 1, NaN beyond."""
    return float_type(x)


@op(kind="elementwise", commutative=True)
def hypot(x: TensorType, y: TensorType) -> TensorType:
    """Return sqrt(x * x + y * y) without overflow; infinite if one is, even beside NaN."""
    return same_type(float_type(x), y)


for declared, numpy_function in (
    (sin, np.sin),
    (cos, np.cos),
    (tan, np.tan),
    (arcsin, np.arcsin),
    (arccos, np.arccos),
    (arctan, np.arctan),
    (arctan2, np.arctan2),
    (sinh, np.sinh),
    (cosh, np.cosh),
    (arcsinh, np.arcsinh),
    (arccosh, np.arccosh),
    (arctanh, np.arctanh),
    (hypot, np.hypot),
):
    declare(declared, numpy_function)
