"""What the arithmetic of cards means, in NumPy, after the documentation of PTX."""

from fractions import Fraction
from math import isfinite
from typing import Any

import numpy as np

from lxc.ir.types import DType
from lxc.targets.cuda.meanings import Array, Threads

NO_NUMBER = np.uint16(0x7FFF)
"""What conversions to 16 bits make of every NaN."""


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
    bits = np.ascontiguousarray(x).view("uint32")
    rounded = (bits + np.uint32(1 << 12)) & np.uint32(0xFFFFE000)
    return np.where(np.isfinite(x), rounded, bits)


def packed(low: Array, high: Array, kind: Any) -> Array:
    """Return two numbers as 16 bits each, the first in the low ones."""
    halves = []
    for one in np.broadcast_arrays(low, high):
        with np.errstate(over="ignore"):
            bits = one.astype(kind).view("uint16")
        halves.append(np.where(np.isnan(one), NO_NUMBER, bits).astype("uint32"))
    return np.asarray(halves[0] | halves[1] << np.uint32(16))


def pack_bf16(_: Threads, low: Array, high: Array) -> Array:
    """Return two bfloat16 numbers."""
    return packed(low, high, DType.BF16.numpy)


def pack_f16(_: Threads, low: Array, high: Array) -> Array:
    """Return two float16 numbers."""
    return packed(low, high, np.float16)


def half_of(pair: Array, second: Array) -> Array:
    """Return 16 of 32 bits."""
    return np.where(second != 0, pair >> 16, pair & 0xFFFF).astype("uint16")


def unpack_bf16(_: Threads, pair: Array, second: Array) -> Array:
    """Return one of two bfloat16 numbers."""
    return half_of(pair, second).view(DType.BF16.numpy).astype("float32")


def unpack_f16(_: Threads, pair: Array, second: Array) -> Array:
    """Return one of two float16 numbers."""
    return half_of(pair, second).view(np.float16).astype("float32")
