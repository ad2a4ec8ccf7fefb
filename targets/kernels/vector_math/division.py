"""What a division of float32 leaves, exactly, through float64 lanes."""

from math import inf

from lxc.targets.kernels.vector_math.numbers import Number
from lxc.targets.kernels.vector_math.wide import narrowed, widened
from lxc.targets.tvm_api import both

DIGITS = 26
"""Digits of the quotient that one step takes off; times a float32 they fit in float64."""
STEPS = 11
"""The quotient of two float32 has at most 277 digits."""


def fmod(x: Number, y: Number) -> Number:
    """Return x - y * trunc(x / y), with the sign of x, even if it is zero.

    It is a division by hand: every step subtracts a multiple of y that is exact, and what
    is left is exact too.
    """
    rest, divisor = widened(x.size()), widened(y.size())
    reciprocal = 1.0 / divisor
    for step in reversed(range(STEPS)):
        scale = 2.0 ** (DIGITS * step)
        unit = divisor * scale
        whole = (rest * reciprocal * (1 / scale)).floor()
        rest = rest.less_product(whole, unit)
        # The quotient was rounded: it may be one too large or one too small.
        rest = rest.where(rest.is_below(0.0), rest + unit, rest)
        rest = rest.where(unit.is_up_to(rest), rest - unit, rest)
    endless = both(y.size().is_equal(inf), x.size().is_below(inf))
    return x.where(endless, x, narrowed(rest)).with_sign(x)
