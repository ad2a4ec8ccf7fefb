"""Powers of two and logarithms to base 2 in float64 lanes, for functions of float32.

They carry some 35 digits, so that one rounding to float32 at the end is nearly all that a
result is off by, and results that float32 holds exactly come out exactly.
"""

from math import inf

from lxc.targets.kernels.vector_math.numbers import Number

ROUNDING = 1.5 * 2.0**52
"""A number added to it is rounded to a whole one."""
BIAS = 1023
"""The exponent field of 1.0."""
FRACTION = (1 << 52) - 1
"""The bits below the exponent field."""
LEAST = 0x3FE6A09E667F3BCD
"""The bits of the square root of one half."""
OFFSET = 1024
TURNED = 0x4330000000000000
"""The bits of 2 to the 52: a whole number in its fraction makes a float of the number."""

EXP2_TERMS = (
    1.51961343808542562981e-5,
    1.54667815198313360420e-4,
    1.33339353551900304841e-3,
    9.61803805964015628982e-3,
    5.55041036539276957940e-2,
    0.24022651067002950831,
    0.69314718070476333267,
    1.0,
)
LOG2_TERMS = (
    -6.97393670235618434727e-2,
    0.13251240939454095845,
    -0.13462945053206128333,
    0.13027554922376926932,
    -0.14249859203839423949,
    0.16021666948191570453,
    -0.18043675500196454386,
    0.20610712320918103679,
    -0.24044643340194768455,
    0.28853879571889023970,
    -0.36067379314018482849,
    0.48089834880298498732,
    -0.72134752032713753836,
    1.44269504088936657418,
)
"""Of log2(1 + x) where 1 + x is between the roots of 1/2 and 2, down to the first power."""


def widened(x: Number) -> Number:
    """Return a float32 as float64."""
    return x.as_type("float64")


def narrowed(x: Number) -> Number:
    """Return a float64 rounded to float32."""
    return x.as_type("float32")


def exp2(x: Number) -> Number:
    """Return 2 to the power x, between the smallest and the largest that float32 tells."""
    x = x.at_most(200.0).at_least(-200.0)
    rounded = x + (ROUNDING + BIAS)
    rest = x - (rounded - (ROUNDING + BIAS))
    scale = (rounded.bits("uint64") << 52).bits("float64")
    return rest.polynomial(EXP2_TERMS) * scale


def log2(x: Number) -> Number:
    """Return the logarithm to base 2 of a number that is not below zero."""
    moved = x.bits("uint64") + ((OFFSET << 52) - LEAST)
    around = ((moved & FRACTION) + LEAST).bits("float64")
    exponent = ((moved >> 52) | TURNED).bits("float64") - (2.0**52 + OFFSET)
    rest = around - 1.0
    found = rest.polynomial(LOG2_TERMS).times_plus(rest, exponent)
    found = x.where(x.is_below(inf), found, x)
    return x.where(x.is_equal(0.0), -inf, found)
