"""tanh, the logistic function and erf in float32: all flat at both ends.

A division is one operation that others go on beside: nothing is cheaper.
"""

from lxc.targets.kernels.vector_math.exponential import (
    BIAS,
    EXPM1_TERMS,
    LN2,
    LN2_HIGH,
    LN2_LOW,
    LOG2_E,
    NEAR_TERMS,
    power_of_two,
    rest_of,
    whole_part,
)
from lxc.targets.kernels.vector_math.numbers import Number

TANH_TERMS = (
    -4.43685390055179595947265625e-2,
    0.13386769592761993408203125,
    -0.333339989185333251953125,
    0.666661679744720458984375,
    -0.999999940395355224609375,
)
"""Of half of 1 - exp(-2 x), from the sixth power down to the second."""
ERF_TERMS = (
    9.433671948499977588653564453125e-6,
    -1.19226504466496407985687255859375e-4,
    6.385017768479883670806884765625e-4,
    -1.677431981079280376434326171875e-3,
    1.7089952598325908184051513671875e-4,
    1.914728991687297821044921875e-2,
    -0.102776229381561279296875,
    -0.63661956787109375,
    -0.128379166126251220703125,
)
"""Of log(1 - erf(x)) / x + 1 from 0 to 4."""


DOWN = 2.0**-24
"""Times this, the largest power of e that the logistic function meets is finite."""


def tanh(x: Number) -> Number:
    """Return the hyperbolic tangent, (1 - e) / (1 + e) with e = exp(-2 |x|)."""
    size = x.size().at_most(10.0)
    # Minus the number of turns, so that the power of two below 1 is ready.
    word, turns = whole_part(size, -2 * LOG2_E, BIAS + 1)
    rest = turns.times_plus(0.5 * LN2, size)
    half = rest.polynomial(TANH_TERMS).times_plus(rest * rest, rest)
    double = power_of_two(word)
    less, more = double.times_plus(-0.5, 1.0), double.times_plus(0.5, 1.0)
    top, bottom = half.times_plus(double, less), more.less_product(half, double)
    quotient = top / bottom
    # What was rounded off the denominator, times 1 / (1 + e) = (1 + tanh) / 2.
    lost = quotient * half.times_plus(double, bottom - more)
    return lost.times_plus(quotient.times_plus(0.5, 0.5), quotient).with_sign(x)


def logistic(x: Number) -> Number:
    """Return 1 / (1 + exp(-x)); both are computed too small, so that they are finite."""
    size = x.at_most(20.0).at_least(-104.0)
    word, turns = whole_part(size, -LOG2_E, BIAS - 24)
    # Minus what is left, so that it is the argument of a power.
    rest = (turns * -LN2_HIGH - size).less_product(turns, LN2_LOW)
    part = rest.polynomial(NEAR_TERMS).times_plus(rest * rest, rest)
    scale = power_of_two(word)
    # The sum is exact up to here, where it loses the 1 of 1 + exp(-x).
    top = turns.where(turns.is_equal(24.0), DOWN * (1 - 2.0**-24), DOWN)
    return top / part.times_plus(scale, scale + DOWN)


def erf(x: Number) -> Number:
    """Return the error function, as 1 - exp(g(|x|)) with a polynomial for g."""
    size = x.size().at_most(4.0)
    power = size.polynomial(ERF_TERMS).times_plus(size, 0.0 - size)
    word, turns = whole_part(power, LOG2_E, BIAS)
    rest = rest_of(power, turns)
    part = rest.polynomial(EXPM1_TERMS).times_plus(rest * rest, rest)
    scale = power_of_two(word)
    return (1.0 - scale).less_product(part, scale).with_sign(x)
