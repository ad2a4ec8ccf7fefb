"""log and log1p in float32.

The argument is split into a power of two and a number around one. That number less one is
exact, and a polynomial gives its logarithm.
"""

from math import inf, nan

from lxc.targets.kernels.vector_math.exponential import LN2_HIGH, LN2_LOW
from lxc.targets.kernels.vector_math.numbers import Number

LEAST = 0x3F400000
"""The bits of 0.75, where the numbers around one begin."""
EXPONENT = -0x800000
"""The sign and the exponent field of a float, as a signed word."""
UNIT = 2.0**-23
"""Exponents are counted in the place where a float has them."""
SMALLEST_NORMAL = 2.0**-126

TERMS = (
    -4.51799593865871429443359375e-2,
    0.1047988235950469970703125,
    -0.13169388473033905029296875,
    0.14478527009487152099609375,
    -0.1664644777774810791015625,
    0.19990718364715576171875,
    -0.2500011622905731201171875,
    0.3333345353603363037109375,
    -0.5,
)
"""Of log(1 + x) from -0.25 to 0.5, from the tenth power down to the second."""


def near_one(rest: Number, exponent: Number) -> Number:
    """Return log(1 + rest) plus an exponent's logarithm; `exponent` is in units."""
    bent = exponent.times_plus(LN2_LOW * UNIT, rest.polynomial(TERMS) * (rest * rest))
    return exponent.times_plus(LN2_HIGH * UNIT, rest + bent)


def log(x: Number) -> Number:
    """Return the natural logarithm: -inf at 0, NaN below."""
    tiny = x.is_below(SMALLEST_NORMAL)
    size = x.where(tiny, x * 2.0**23, x).size().bits("int32")
    exponent = (size - LEAST) & EXPONENT
    rest = (size - exponent).bits("float32") - 1.0
    exponent = x.where(tiny, -23 * 2.0**23, 0.0) + exponent.as_type("float32")
    return outside(x, 0.0, near_one(rest, exponent))


def log1p(x: Number) -> Number:
    """Return the natural logarithm of 1 + x, accurate near zero.

    With 2 to the power k near 1 + x, the rest is x / 2^k + (1 / 2^k - 1), which is x itself
    for k = 0.
    """
    exponent = ((x + 1.0).size().bits("int32") - LEAST) & EXPONENT
    # For x = -1 this leaves 32 bits, and what comes of it is not chosen.
    four = (exponent.constant(0x40800000) - exponent).bits("float32")
    rest = (x * four).times_plus(0.25, four.times_plus(0.25, -1.0))
    return outside(x, -1.0, near_one(rest, exponent.as_type("float32"))).with_sign(x)


def outside(x: Number, pole: float, inside: Number) -> Number:
    """Return a logarithm with what it is at its pole, below it, at infinity and for NaN."""
    usual = x.where(x.is_below(inf), inside, x)
    return x.where(x.is_up_to(pole), x.where(x.is_equal(pole), -inf, nan), usual)
