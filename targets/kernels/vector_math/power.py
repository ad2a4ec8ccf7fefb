"""Powers, cube roots and logarithms to other bases in float32, through float64 lanes."""

from math import inf, nan

from lxc.targets.kernels.vector_math import wide
from lxc.targets.kernels.vector_math.logarithm import outside
from lxc.targets.kernels.vector_math.numbers import Number
from lxc.targets.tvm_api import both, either


def power(x: Number, y: Number) -> Number:
    """Return x to the power y, in special cases what the C library returns."""
    size = x.size()
    exponent = wide.widened(y) * wide.log2(wide.widened(size))
    one = either(y.is_equal(0.0), size.is_equal(1.0))
    found = wide.narrowed(wide.exp2(exponent.where(one, 0.0, exponent)))
    half = y * 0.5
    odd = half.floor().is_below(half)
    signed = found.where(odd, found.with_sign(x), found)
    inside = both(x.constant(-inf).is_below(x), x.is_below(0.0))
    broken = found.where(inside, nan, found)
    return found.where(y.floor().is_equal(y), signed, broken)


def cbrt(x: Number) -> Number:
    """Return the cube root, which has the sign of x."""
    third = wide.log2(wide.widened(x.size())) * (1 / 3)
    return wide.narrowed(wide.exp2(third)).with_sign(x)


def log2(x: Number) -> Number:
    """Return the logarithm to base 2: -inf at 0, NaN below."""
    return outside(x, 0.0, wide.narrowed(wide.log2(wide.widened(x.size()))))


def log10(x: Number) -> Number:
    """Return the logarithm to base 10: -inf at 0, NaN below."""
    found = wide.log2(wide.widened(x.size())) * LOG10_2
    return outside(x, 0.0, wide.narrowed(found))


LOG10_2 = 0.30102999566398119521
