"""sin, cos and tan in float32, with the angle reduced in float64 lanes.

An angle is so many quarter turns and a rest of at most an eighth turn. Up to a limit the
quarter turns are subtracted in two parts. Beyond it, where hardly any angle is, they come
from the product with the bits of 2 / pi that matter for the exponent, in whole numbers: no
angle is too large.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import inf, pi

from lxc.targets.kernels.vector_math.numbers import Number
from lxc.targets.kernels.vector_math.wide import ROUNDING, narrowed, widened
from lxc.targets.tvm_api import Expr, both

Rarely = Callable[[Expr, Sequence[Number], Callable[[], Sequence[Number]]], list[Number]]
"""Returns numbers, with those of the function where a condition holds."""
LIMIT = 2.0**19
QUARTER_HIGH, QUARTER_LOW = 1.5707963267341256, 6.077100506506192e-11
"""Half of pi in two parts; the first has so few digits that products are exact."""
LIMIT_EXPONENT = 146
"""The exponent field of the limit."""
TWO_OVER_PI = (
    0x028BE60D,
    0xB9391054,
    0xA7F09D5F,
    0x47D4D377,
    0x036D8A56,
    0x64F10E41,
    0x07F9458E,
)
"""The bits of 2 / pi behind six zeros: at the limit the first word begins at 2."""

# All from 0 to an eighth turn: of sin(x) from x^3 on, of cos(x) from x^4 or x^2 on.
SIN_TERMS = (
    -1.95182845345698297023773193359375e-4,
    8.3321891725063323974609375e-3,
    -0.16666655242443084716796875,
)
COS_TERMS = (
    2.4432563805021345615386962890625e-5,
    -1.388731063343584537506103515625e-3,
    4.16666455566883087158203125e-2,
)
WIDE_SIN_TERMS = (
    2.7181118868188866450e-6,
    -1.9839311252421083808e-4,
    8.3333293016963055217e-3,
    -0.16666666640770050334,
)
WIDE_COS_TERMS = (
    2.4383457725639099329e-5,
    -1.3886680484719646056e-3,
    4.1666620320351246965e-2,
    -0.49999999694150698559,
)


def sin(x: Number, rarely: Rarely) -> Number:
    """Return the sine of x in radians."""
    quarters, rest = reduced(x.size(), rarely)
    found = on_circle(quarters, narrowed(rest)).bits("uint32")
    minus = x.bits("uint32") & 0x80000000
    return (found ^ minus).bits("float32")


def cos(x: Number, rarely: Rarely) -> Number:
    """Return the cosine of x in radians."""
    quarters, rest = reduced(x.size(), rarely)
    return on_circle(quarters + 1, narrowed(rest))


def on_circle(quarters: Number, rest: Number) -> Number:
    """Return the sine of quarter turns and a rest."""
    square = rest * rest
    sine = (square.polynomial(SIN_TERMS) * square).times_plus(rest, rest)
    flat = square.times_plus(-0.5, 1.0)
    cosine = square.polynomial(COS_TERMS).times_plus(square * square, flat)
    size = rest.where((quarters & 1).is_equal(0), sine, cosine)
    minus = ((quarters & 2) << 30).bits("uint32")
    return (size.bits("uint32") ^ minus).bits("float32")


def tan(x: Number, rarely: Rarely) -> Number:
    """Return the tangent of x in radians."""
    quarters, rest = reduced(x.size(), rarely)
    square = rest * rest
    sine = (square.polynomial(WIDE_SIN_TERMS) * square).times_plus(rest, rest)
    cosine = square.polynomial((*WIDE_COS_TERMS, 1.0))
    odd = (quarters & 1).is_equal(1)
    high, low = rest.where(odd, 0.0 - cosine, sine), rest.where(odd, sine, cosine)
    found = narrowed(high / low).bits("uint32")
    return (found ^ (x.bits("uint32") & 0x80000000)).bits("float32")


def reduced(size: Number, rarely: Rarely) -> list[Number]:
    """Return the quarter turns of an angle from 0 on, and what is left in float64.

    Of the quarter turns only the last two bits count.
    """
    wide = widened(size)
    rounded = wide.times_plus(2 / pi, ROUNDING)
    turns = rounded - ROUNDING
    rest = wide.less_product(turns, QUARTER_HIGH).less_product(turns, QUARTER_LOW)
    quarters = rounded.bits("int64").as_type("int32")
    far = both(size.constant(LIMIT).is_up_to(size), size.is_below(inf))
    return rarely(far, (quarters, rest), lambda: reduced_from_bits(size.bits("uint32")))


def reduced_from_bits(bits: Number) -> tuple[Number, Number]:
    """Return the quarter turns and the rest of an angle that is not below the limit.

    The angle is a whole number times a power of two. Of that power times 2 / pi all bits
    above 2 are left out, as they make whole turns, and 96 bits from there on are kept.
    """
    start = ((bits >> 23) - LIMIT_EXPONENT) & 127
    first, second, third = window(start >> 5, start & 31)
    whole = ((bits & 0x7FFFFF) | 0x800000).as_type("uint64")
    low = (whole * third) >> 32
    middle = whole * second + low
    high = ((whole * first) & 0xFFFFFFFF) + (middle >> 32)
    product = (high << 32) | (middle & 0xFFFFFFFF)
    quarters = ((product >> 61) + 1) >> 1
    signed = (product << 2).bits("int64") >> 2
    rest = signed.as_type("float64") * (pi / 2 * 2.0**-62)
    return quarters.as_type("int32"), rest


def window(word: Number, shift: Number) -> list[Number]:
    """Return three words of the bits of 2 / pi from a place on, as 64 bits each."""
    words = [chosen(word, TWO_OVER_PI[start : start + 4]) for start in range(4)]
    found = []
    for here, after in pairwise(words):
        # A shift by all 32 bits would be undefined.
        carried = (after >> 1) >> (31 - shift)
        found.append(((here << shift) | carried).as_type("uint64"))
    return found


def chosen(index: Number, values: tuple[int, ...]) -> Number:
    """Return the value of each lane's index."""
    found = index.constant(values[-1])
    for number, value in reversed(list(enumerate(values[:-1]))):
        found = index.where(index.is_equal(number), value, found)
    return found
