"""NumPy's trigonometric and hyperbolic functions; angles are in radians."""

from typing import Any

import numpy as np

from lxc.ir.dispatch import implements
from lxc.ir.functions.arithmetic import divide, multiply
from lxc.ir.functions.comparison import equal, where
from lxc.ir.functions.promotion import as_float, near_float_type
from lxc.ir.functions.ufunc import binary, rounded_once, unary
from lxc.ir.ops import trigonometric

sin = unary(trigonometric.sin, np.sin, meeting=near_float_type)
cos = unary(trigonometric.cos, np.cos, meeting=near_float_type)
tan = unary(trigonometric.tan, np.tan, meeting=near_float_type)
arcsin = unary(trigonometric.arcsin, np.arcsin, meeting=near_float_type)
arccos = unary(trigonometric.arccos, np.arccos, meeting=near_float_type)
arctan = unary(trigonometric.arctan, np.arctan, meeting=near_float_type)
arctan2 = binary(trigonometric.arctan2, np.arctan2, meeting=near_float_type)
sinh = unary(trigonometric.sinh, np.sinh, meeting=near_float_type)
cosh = unary(trigonometric.cosh, np.cosh, meeting=near_float_type)
arcsinh = unary(trigonometric.arcsinh, np.arcsinh, meeting=near_float_type)
arccosh = unary(trigonometric.arccosh, np.arccosh, meeting=near_float_type)
arctanh = unary(trigonometric.arctanh, np.arctanh, meeting=near_float_type)
hypot = binary(trigonometric.hypot, np.hypot, meeting=near_float_type)

asin, acos, atan, atan2 = arcsin, arccos, arctan, arctan2
asinh, acosh, atanh = arcsinh, arccosh, arctanh

SMALL = 1e-20
"""Stands for zero in sinc: so near it that sinc is 1 in every type."""


@implements(np.degrees, np.rad2deg)
@rounded_once
def degrees(x: Any) -> Any:
    """Return an angle in degrees."""
    return multiply(x, 180 / np.pi)


@implements(np.radians, np.deg2rad)
@rounded_once
def radians(x: Any) -> Any:
    """Return an angle given in degrees."""
    return multiply(x, np.pi / 180)


rad2deg, deg2rad = degrees, radians


@implements(np.sinc)
def sinc(x: Any) -> Any:
    """Return sin(pi * x) / (pi * x), 1 at zero; integers become float64."""
    return sinc_of_float(as_float(x))


@rounded_once
def sinc_of_float(x: Any) -> Any:
    """Return sinc of floats that are wide enough to compute in."""
    angle = multiply(where(equal(x, 0), SMALL, x), np.pi)
    return divide(sin(angle), angle)
