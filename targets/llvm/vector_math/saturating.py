"""tanh, the logistic function and erf in float32: all flat at both ends.

Quotients are taken without a division: a polynomial guesses the reciprocal of a number
between 1 and 2, and what the first quotient leaves, times the guess, is added to it.
"""

from lxc.targets.llvm.vector_math.exponential import (
    BIAS,
    EXP_TERMS,
    EXPM1_TERMS,
    LOG2_E,
    MIDDLE,
    power_of_two,
    rest_of,
    whole_part,
)
from lxc.targets.llvm.vector_math.numbers import Number

TANH_TERMS = (
    -4.43685390055179595947265625e-2,
    0.13386769592761993408203125,
    -0.333339989185333251953125,
    0.666661679744720458984375,
    -0.999999940395355224609375,
)
"""Of half of 1 - exp(-2 x), from the sixth power down to the second."""
BELOW_TWO = (
    0.104484878480434417724609375,
    -0.104485452175140380859375,
    0.1436669826507568359375,
    0.10448415577411651611328125,
    0.2518239319324493408203125,
    0.4999744892120361328125,
)
"""Of 1 / (2 - x) from 0 to 1."""
ABOVE_ONE = (
    -0.1044846475124359130859375,
    0.4179382026195526123046875,
    -0.770573079586029052734375,
    0.953420698642730712890625,
    -0.9962756633758544921875,
    0.999948978424072265625,
)
"""Of 1 / (1 + x) from 0 to 1."""
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


UP = 24
"""By so many powers of two the logistic function is computed too large."""


def tanh(x: Number) -> Number:
    """Return the hyperbolic tangent, E / (2 - E) with E = 1 - exp(-2 |x|)."""
    size = x.size().at_most(10.0)
    # Minus the number of turns, so that the power of two below 1 is ready.
    word, turns = whole_part(size, -2 * LOG2_E, BIAS + 1)
    rest = rest_of(size, turns, -0.5)
    half = rest.polynomial(TANH_TERMS).times_plus(rest * rest, rest)
    double = power_of_two(word)
    whole = double.times_plus(-0.5, 1.0)
    part = half.times_plus(double, whole)
    lost = half.times_plus(double, whole - part)
    guess = part.polynomial(BELOW_TWO)
    quotient = guess * part
    missing = (part - quotient).less_product(quotient, 1.0 - part) + lost
    return guess.times_plus(missing, quotient).with_sign(x)


def logistic(x: Number) -> Number:
    """Return 1 / (1 + exp(-x)).

    Both ends come from e = exp(-|x|): 1 / (1 + e) and e / (1 + e). They are computed too
    large, so that results below the normal range are rounded once, at the end.
    """
    size = (0.0 - x.size()).at_least(-104.0)
    word, turns = whole_part(size - MIDDLE, LOG2_E, BIAS + UP)
    rest = rest_of(size, turns)
    grown = rest.polynomial((*EXP_TERMS, 1.0, 1.0)) * power_of_two(word)
    small = grown * 2.0**-UP
    guess = small.polynomial(ABOVE_ONE)
    top = x.where(x.is_below(0.0), grown, 2.0**UP)
    quotient = guess * top
    missing = (top - quotient).less_product(quotient, small)
    return guess.times_plus(missing, quotient) * 2.0**-UP


def erf(x: Number) -> Number:
    """Return the error function, as 1 - exp(g(|x|)) with a polynomial for g."""
    size = x.size().at_most(4.0)
    power = size.polynomial(ERF_TERMS).times_plus(size, 0.0 - size)
    word, turns = whole_part(power, LOG2_E, BIAS)
    rest = rest_of(power, turns)
    part = rest.polynomial(EXPM1_TERMS).times_plus(rest * rest, rest)
    scale = power_of_two(word)
    return (1.0 - scale).less_product(part, scale).with_sign(x)
