"""arcsin, arccos, arctan and arctan2 in float32, through float64 lanes."""

from math import inf, pi

from lxc.targets.kernels.vector_math.numbers import Number
from lxc.targets.kernels.vector_math.wide import narrowed, widened
from lxc.targets.tvm_api import Expr, both

ARCTAN_TERMS = (
    1.1137900509747694633e-3,
    -7.3179628466702876676e-3,
    2.2539880037537731779e-2,
    -4.4689956352889477487e-2,
    6.7415981141169020741e-2,
    -8.8110917677028000039e-2,
    0.11058223775870697214,
    -0.14279833064064600955,
    0.19999671123688650409,
    -0.33333326899564735823,
)
"""Of arctan(x) from 0 to 1, from the power 21 down to the third."""
ARCSIN_TERMS = (
    3.7517768649283009252e-2,
    1.4437711289185595550e-2,
    3.1807941811018654310e-2,
    4.4516930100083930422e-2,
    7.5005043056142389757e-2,
    0.16666659989423182890,
)
"""Of arcsin(x) from 0 to 1/2, from the power 13 down to the third."""


def odd(x: Number, terms: tuple[float, ...]) -> Number:
    """Return x plus a polynomial of its odd powers from the third on."""
    square = x * x
    return (square.polynomial(terms) * square).times_plus(x, x)


def arctan(x: Number) -> Number:
    """Return the angle in [-pi/2, pi/2] whose tangent is x."""
    size = widened(x.size())
    steep = size.constant(1.0).is_below(size)
    angle = odd(size.where(steep, 1.0 / size, size), ARCTAN_TERMS)
    return narrowed(size.where(steep, pi / 2 - angle, angle)).with_sign(x)


def arctan2(x: Number, y: Number) -> Number:
    """Return the angle in [-pi, pi] of the point with height x and width y.

    Zeros and infinities count as one among themselves: their signs make the quadrant.
    """
    high, wide = x.size(), y.size()
    steep = wide.is_below(high)
    small, large = high.where(steep, wide, high), high.where(steep, high, wide)
    part = widened(small) / widened(large)
    for both_are, ratio in ((0.0, 0.0), (inf, 1.0)):
        alike = both(small.is_equal(both_are), large.is_equal(both_are))
        part = part.where(alike, ratio, part)
    angle = odd(part, ARCTAN_TERMS)
    angle = angle.where(steep, pi / 2 - angle, angle)
    back = y.bits("int32").is_below(0)
    return narrowed(angle.where(back, pi - angle, angle)).with_sign(x)


def arcsin(x: Number) -> Number:
    """Return the angle in [-pi/2, pi/2] whose sine is x; NaN outside of [-1, 1]."""
    size = widened(x.size())
    near, angle = below_half(size)
    return narrowed(angle.where(near, angle, pi / 2 - (angle + angle))).with_sign(x)


def arccos(x: Number) -> Number:
    """Return the angle in [0, pi] whose cosine is x; NaN outside of [-1, 1]."""
    wide = widened(x)
    near, angle = below_half(wide.size())
    double = angle + angle
    far = angle.where(wide.is_below(0.0), pi - double, double)
    return narrowed(angle.where(near, pi / 2 - angle.with_sign(wide), far))


def below_half(size: Number) -> tuple[Expr, Number]:
    """Return whether a size is at most a half, and an arcsine.

    It is that of the size, or else of the half angle's sine, sqrt((1 - size) / 2).
    """
    near = size.is_up_to(0.5)
    half = (size.times_plus(-0.5, 0.5)).root()
    return near, odd(size.where(near, size, half), ARCSIN_TERMS)
