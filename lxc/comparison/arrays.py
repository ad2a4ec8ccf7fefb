"""How far two arrays of the same shape are apart."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lxc.runtime.checkpoint import Array

PART = 1 << 20
"""So many elements are widened at once: a large leaf need not fit memory twice."""


@dataclass(frozen=True)
class Distance:
    """The largest difference of two arrays, alone and relative to the largest value.

    It is infinite where only one of two elements is finite, or both are other infinities.
    """

    absolute: float
    relative: float


def distance(one: Array, other: Array) -> Distance:
    """Return how far apart two arrays of the same shape are; NaN is equal to NaN."""
    flat, rest = one.reshape(-1), other.reshape(-1)
    most, largest = 0.0, 0.0
    for start, stop in pairwise([*range(0, flat.size, PART), flat.size]):
        a, b = (wide(part[start:stop]) for part in (flat, rest))
        most = max(most, largest_difference(a, b))
        finite = np.abs(a[np.isfinite(a)])
        largest = max(largest, float(finite.max(initial=0.0)))
    return Distance(most, most / largest if largest else most)


def wide(part: Array) -> Array:
    """Return numbers as float64, or as wider ones where integers need them."""
    exact = part.dtype.kind in "iu" and part.dtype.itemsize == 8
    return part.astype(np.longdouble if exact else np.float64)


def largest_difference(a: Array, b: Array) -> float:
    """Return the largest difference of two arrays of floats."""
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        apart = np.abs(a - b)
    apart[np.isnan(apart)] = np.inf
    apart[same] = 0
    return float(apart.max(initial=0))
