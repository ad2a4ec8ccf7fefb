"""How references treat the half types: compute in float32, round once at the end.

Compiled code does the same, so both agree but for the last bits of float32. NumPy alone
would round after every step of a sum or of a function of several steps.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from lxc.ir.types import Array

HALF = ("float16", "bfloat16")


def accumulator(array: Array) -> Array:
    """Return `array` in the type that sums are kept in and functions are computed in."""
    return array.astype(np.float32) if array.dtype.name in HALF else array


def rounded_once(meaning: Callable[..., Any]) -> Callable[..., Array]:
    """Return a function of arrays that computes half types in float32.

    Its float results are rounded to the type of the operands; others, such as bools, are
    not converted.
    """

    def computed(*operands: Array) -> Array:
        half = next((x.dtype for x in operands if x.dtype.name in HALF), None)
        result = np.asarray(meaning(*map(accumulator, operands)))
        if half is None or result.dtype != np.float32:
            return result
        return result.astype(half)

    return computed


def to_bfloat16(x: Array, bfloat16: np.dtype[Any]) -> Array:
    """Return numbers rounded once; NumPy goes through float32 and rounds twice.

    What float32 cannot hold becomes the odd one of its two neighbours there, which never
    looks like a tie.
    """
    if x.dtype.kind in "iu" and x.dtype.itemsize == 8:
        # Of 64 bits float64 holds 53; bits further down only say that there are some.
        kept = (x >> 11 | (x & 0x7FF != 0).astype(x.dtype)) << 11
        x = np.where(np.abs(x.astype(np.float64)) < 2.0**53, x, kept)
    with np.errstate(all="ignore"):
        wide = x.astype(np.float64)
        near = wide.astype(np.float32)
        back = near.astype(np.float64)
        even = near.view(np.uint32) % 2 == 0
        other = np.nextafter(near, np.where(back < wide, np.inf, -np.inf), dtype=np.float32)
        return np.where((back != wide) & even, other, near).astype(bfloat16)
