"""What the arithmetic of cards means, in NumPy, after the documentation of PTX."""

from fractions import Fraction
from math import isfinite

import numpy as np

from lxc.ir.ops.tf32 import rounded_to_tf32
from lxc.targets.cuda.meanings import Array, Threads


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
