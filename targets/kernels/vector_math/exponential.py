"""exp, exp2 and expm1 in float32, and the steps that functions built on them share.

The argument is split into a whole number of turns and a rest; a polynomial gives the
power of the rest, and the whole number becomes the exponent of a float. An argument far
below the range is raised to where that float is zero: a machine takes a hundred times as
long for a product that is too small than for one with zero.
"""

from math import log

from lxc.targets.kernels.vector_math.numbers import Number

LOG2_E = 1.44269504088896341
LN2 = log(2)
LN2_HIGH, LN2_LOW = 0.693359375, -2.12194440e-4
"""The logarithm of 2 in two parts; the first has so few digits that products are exact."""

ROUNDING = 12582912.0
"""1.5 times 2 to the 23: a small number added to it is rounded to a whole one."""
BIAS = 127
"""The exponent field of 1.0."""

EXP_TERMS = (
    1.463330234400928020477294921875e-3,
    8.3605684340000152587890625e-3,
    4.16584908962249755859375e-2,
    0.16666568815708160400390625,
    0.500000178813934326171875,
)
"""Of exp(x) where it lies between 3/4 and 3/2, from the sixth power down to the second."""
MIDDLE = 0.0588915
"""The middle between the logarithms of 3/4 and 3/2."""
EXPM1_TERMS = (
    1.9743645680136978626251220703125e-4,
    1.393374172039330005645751953125e-3,
    8.333566598594188690185546875e-3,
    4.16664779186248779296875e-2,
    0.1666666567325592041015625,
    0.5,
)
"""Of exp(x) - 1 where exp(x) is between the roots of 1/2 and 2."""
NEAR_TERMS = (
    1.3820759486407042e-3,
    8.368678390979767e-3,
    4.166826605796814e-2,
    0.1666652113199234,
    0.4999999403953552,
)
"""Of exp(x) where it lies between the roots of 1/2 and 2, down to the second power."""
EXP2_TERMS = (
    1.52434789924882352352e-4,
    1.339148380793631076813e-3,
    9.618829004466533660889e-3,
    5.5503584444522857666015625e-2,
    0.240226447582244873046875,
    0.693147182464599609375,
)
"""Of 2 to the power x from -1/2 to 1/2, from the sixth power down to the first."""


def whole_part(x: Number, scale: float, shift: int) -> tuple[Number, Number]:
    """Return x * scale as a whole number: in the low bits of a word, and as a float.

    The word holds `shift` more than the number in its low nine bits.
    """
    rounded = x.times_plus(scale, ROUNDING + shift)
    return rounded.bits("int32"), rounded - (ROUNDING + shift)


def power_of_two(word: Number) -> Number:
    """Return the float whose exponent field is in the low bits of a word."""
    return (word << 23).bits("float32")


def rest_of(x: Number, turns: Number) -> Number:
    """Return what x has beyond a whole number of logarithms of 2."""
    return x.less_product(turns, LN2_HIGH).less_product(turns, LN2_LOW)


def scaled(x: Number, word: Number) -> Number:
    """Return x times 2 to the power of a word that holds twice the bias more.

    One power of two reaches neither the largest nor the smallest results: it takes two.
    """
    half = word >> 1
    return x * power_of_two(half) * power_of_two(word - half)


def exp(x: Number) -> Number:
    """Return e to the power x."""
    x = x.at_most(89.0).at_least(-2 * BIAS * LN2)
    word, turns = whole_part(x - MIDDLE, LOG2_E, 2 * BIAS)
    rest = rest_of(x, turns)
    # Sums below 1/2 and results from 3/4 on: the roundings before the last count little.
    bent = rest.polynomial(EXP_TERMS).times_plus(rest * rest, rest)
    return scaled(bent + 1.0, word)


FALLEN = 64
"""By so many powers of two what falls is computed too large, so that it stays normal."""


def falling_exp(x: Number) -> Number:
    """Return e to the power x, which is at most 40."""
    x = x.at_least(-(BIAS + FALLEN) * LN2)
    word, turns = whole_part(x, LOG2_E, BIAS + FALLEN)
    grown = rest_of(x, turns).polynomial((*NEAR_TERMS, 1.0, 1.0)) * power_of_two(word)
    return grown * 2.0**-FALLEN


def exp2(x: Number) -> Number:
    """Return 2 to the power x."""
    x = x.at_most(129.0).at_least(-2.0 * BIAS)
    word, turns = whole_part(x, 1.0, 2 * BIAS)
    rest = x - turns
    return scaled(rest.polynomial((*EXP2_TERMS, 1.0)), word)


def expm1(x: Number) -> Number:
    """Return e to the power x, minus one.

    It is computed at half its size, where the largest power of two is still finite.
    """
    limited = x.at_most(89.0).at_least(-20.0)
    word, turns = whole_part(limited, LOG2_E, BIAS - 1)
    rest = rest_of(limited, turns)
    bent = rest.polynomial(EXPM1_TERMS).times_plus(rest * rest, rest)
    scale = power_of_two(word)
    half = bent.times_plus(scale, scale - 0.5)
    return (half + half).with_sign(x)
