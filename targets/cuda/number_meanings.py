"""What the arithmetic of cards means, in NumPy, after the documentation of PTX."""

from collections.abc import Callable
from fractions import Fraction
from math import isfinite

import numpy as np

from lxc.ir.ops.tf32 import rounded_to_tf32
from lxc.targets.cuda.meanings import Array, Place, Threads


def multiply_add(_: Threads, x: Array, y: Array, z: Array) -> Array:
    """Return x * y + z, rounded once."""
    if x.dtype == np.float32:
        return single_multiply_add(x, y, z)
    with np.errstate(all="ignore"):
        rough: Array = x * y + z
    for at in np.ndindex(rough.shape):
        a, b, c = (float(np.broadcast_to(one, rough.shape)[at]) for one in (x, y, z))
        if isfinite(a) and isfinite(b) and isfinite(c) and isfinite(rough[at]):
            exact = Fraction(a) * Fraction(b) + Fraction(c)
            # Python divides whole numbers with one rounding; zeros have a sign.
            rough[at] = float(exact) if exact else rough[at]
    return rough


def single_multiply_add(x: Array, y: Array, z: Array) -> Array:
    """Return x * y + z of float32 numbers, rounded once.

    The product is exact in float64. A sum that is not gets an odd last bit, so that it is
    never taken for a tie when it is rounded again.
    """
    with np.errstate(all="ignore"):
        product, added = x.astype("float64") * y, z.astype("float64")
        total = product + added
        back = total - product
        error = (product - (total - back)) + (added - back)
        bits = total.view("int64")
        is_even = (bits & 1 == 0) & np.isfinite(total) & (error != 0)
        away = (error > 0) == (total > 0)
        odd = np.where(is_even, np.where(away, bits + 1, bits - 1), bits)
        return np.asarray(odd.view("float64").astype("float32"))


def settled(_: Threads, value: Array) -> Array:
    """Return a number as it is, rounded before anything is done with it."""
    return value


def to_tf32(_: Threads, x: Array) -> Array:
    """Return the bits of a float32 rounded to 10 bits; ties go away from zero."""
    return rounded_to_tf32(x).view("uint32")


def split_bf16(_: Threads, high: Place, low: Place, x: Array, y: Array) -> None:
    """Write the upper 8 digits of two numbers, and the 8 digits behind them."""
    split(high, low, x, y, np.float32(2.0**-126), cut_to_bf16)


def split_f16(_: Threads, high: Place, low: Place, x: Array, y: Array) -> None:
    """Write the upper 11 digits of two numbers times 2^15, and those behind them."""
    grown = np.float32(2.0**15)
    split(high, low, x * grown, y * grown, np.float32(2.0**-24), cut_to_f16)


def split(
    high: Place,
    low: Place,
    x: Array,
    y: Array,
    least: np.float32,
    cut: Callable[[Array], tuple[Array, Array]],
) -> None:
    """Write both parts of two numbers; no part of a number above 0 is below `least`."""
    pairs = []
    for number in (x, y):
        above = number > 0
        upper, bits = cut(np.where(above, np.maximum(number, least), number))
        rest = np.where(above, np.maximum(number, least), number) - upper
        _, others = cut(np.where(above, np.maximum(rest, least), rest))
        pairs.append((bits, others))
    for place, (first, second) in zip((high, low), zip(*pairs, strict=True), strict=True):
        both = first.astype("uint32") | second.astype("uint32") << np.uint32(16)
        place.write(both[:, None], align=4)


def cut_to_bf16(x: Array) -> tuple[Array, Array]:
    """Return numbers without digits that bfloat16 does not have, and their bits there."""
    bits = x.astype("float32").view("uint32") & np.uint32(0xFFFF0000)
    return bits.view("float32"), bits >> np.uint32(16)


def cut_to_f16(x: Array) -> tuple[Array, Array]:
    """Return the same for float16 and numbers that are not negative, and their bits."""
    half = x.astype("float16")
    half = np.where(half > x, np.nextafter(half, np.float16(0)), half)
    return half.astype("float32"), half.view("uint16")
