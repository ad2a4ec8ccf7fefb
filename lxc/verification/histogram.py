"""How many elements of a tensor are how far off, in units in the last place."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.ir.types import Array

SMALLEST, LARGEST = -1, 24
"""Exponents of two: the first and the last distance that bound a group."""


@dataclass(frozen=True)
class Histogram:
    """Groups of elements, each twice as far off as the one in front of it.

    `counts` has one number for every bound of `BOUNDS`, of elements that are no further off
    than it and further than the bound in front of it, and one for all others. Elements that
    are not finite, or ought not to be, are in `not_finite`.
    """

    counts: tuple[int, ...]
    not_finite: int

    @property
    def groups(self) -> list[tuple[str, int]]:
        """The groups from the closest that is not empty to the furthest, by name."""
        names = [f"<= {bound:g}" for bound in BOUNDS] + [f"> {BOUNDS[-1]:g}"]
        filled = [place for place, count in enumerate(self.counts) if count] or [0, -1]
        found = list(zip(names, self.counts, strict=True))[filled[0] : filled[-1] + 1]
        return [*found, *([("not finite", self.not_finite)] if self.not_finite else [])]

    def to_json(self) -> dict[str, Any]:
        """Return the fields for `json`; the last group has no bound."""
        pairs = zip((*BOUNDS, None), self.counts, strict=True)
        groups = [{"ulp": bound, "count": count} for bound, count in pairs if count]
        return {"groups": groups, "not_finite": self.not_finite}


BOUNDS = (0.0, *(2.0**exponent for exponent in range(SMALLEST, LARGEST + 1)))


def histogram_of(distances: Array, total: int) -> Histogram:
    """Return the histogram of the distances of the finite ones of `total` elements."""
    places = np.searchsorted(BOUNDS, distances, side="left")
    counts = np.bincount(places, minlength=len(BOUNDS) + 1)
    return Histogram(tuple(map(int, counts)), total - distances.size)
