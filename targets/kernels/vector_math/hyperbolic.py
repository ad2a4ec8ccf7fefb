"""sinh, cosh, their inverses, the inverse of tanh, and hypot, through float64 lanes."""

from math import inf, log, nan

from lxc.targets.kernels.vector_math.exponential import LOG2_E
from lxc.targets.kernels.vector_math.numbers import Number
from lxc.targets.kernels.vector_math.wide import exp2, log2, narrowed, widened
from lxc.targets.tvm_api import either

LN2 = log(2)
SINH_TERMS = (
    2.8170740634212211538e-6,
    1.9836139344020053791e-4,
    8.3333501582668820240e-3,
    0.16666666496214449511,
)
"""Of sinh(x) from 0 to 1, from the ninth power down to the third."""
NEAR = 2.0**-10
"""Below it two terms of a series are all of a float32."""


def sinh(x: Number) -> Number:
    """Return the hyperbolic sine."""
    size = widened(x.size())
    grown = exp2(size * LOG2_E)
    square = size * size
    near = (square.polynomial(SINH_TERMS) * square).times_plus(size, size)
    far = (grown - 1.0 / grown) * 0.5
    return narrowed(size.where(size.is_below(1.0), near, far)).with_sign(x)


def cosh(x: Number) -> Number:
    """Return the hyperbolic cosine."""
    grown = exp2(widened(x) * LOG2_E)
    return narrowed((grown + 1.0 / grown) * 0.5)


def arcsinh(x: Number) -> Number:
    """Return the number whose hyperbolic sine is x."""
    size = widened(x.size())
    square = size * size
    far = log2(size + (square + 1.0).root()) * LN2
    return narrowed(near_zero(size, square, -1 / 6, far)).with_sign(x)


def arccosh(x: Number) -> Number:
    """Return the number from 0 on whose hyperbolic cosine is x; NaN below 1."""
    size = widened(x)
    found = narrowed(log2(size + size.times_plus(size, -1.0).root()) * LN2)
    return x.where(x.is_below(1.0), nan, found)


def arctanh(x: Number) -> Number:
    """Return the number whose hyperbolic tangent is x: infinite at 1, NaN beyond."""
    size = widened(x.size())
    square = size * size
    far = log2((size + 1.0) / (1.0 - size)) * (LN2 / 2)
    far = far.where(size.is_up_to(1.0), far, nan)
    return narrowed(near_zero(size, square, 1 / 3, far)).with_sign(x)


def near_zero(size: Number, square: Number, third: float, far: Number) -> Number:
    """Return size + third * size^3 where size is small, and `far` elsewhere."""
    near = (square * third).times_plus(size, size)
    return size.where(size.is_below(NEAR), near, far)


def hypot(x: Number, y: Number) -> Number:
    """Return sqrt(x * x + y * y) without overflow; infinite if one is, even beside NaN."""
    first, second = widened(x), widened(y)
    length = narrowed(first.times_plus(first, second * second).root())
    endless = either(x.size().is_equal(inf), y.size().is_equal(inf))
    return x.where(endless, inf, length)
