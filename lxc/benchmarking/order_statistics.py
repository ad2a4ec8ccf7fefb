"""What can be said of measured times without knowing how they are distributed.

The interval of a median is that of order statistics (Le Boudec, Performance Evaluation of
Computer and Communication Systems, theorem 2.1; Hoefler and Belli, Scientific Benchmarking
of Parallel Computing Systems, SC 2015, rule 5): of n values, each lies below the true
median like a coin falls. It holds for any distribution, and nothing is drawn at random.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, erfc, sqrt
from statistics import median

CONFIDENCE = 0.95
FEWEST = 6
"""With fewer values not even the least and the largest enclose the median so surely."""


@dataclass(frozen=True)
class Interval:
    """A median and two values that enclose the true one with some confidence."""

    middle: float
    low: float
    high: float
    confidence: float

    def to_json(self) -> dict[str, float]:
        """Return the fields for `json`."""
        return {
            "median": self.middle,
            "low": self.low,
            "high": self.high,
            "confidence": self.confidence,
        }


@dataclass(frozen=True)
class Trend:
    """How much the last third of some values is above the first, and if that is chance.

    `change` is relative to the first third; `chance` is the probability of values in any
    order to rise or fall as clearly.
    """

    change: float
    chance: float


def median_interval(values: Sequence[float]) -> Interval:
    """Return the median of at least 6 values with the least sure interval."""
    ordered, count = sorted(values), len(values)
    outside = 0
    for place in range(count // 2 + 1):
        more = outside + comb(count, place)
        if 2 * more / 2**count > 1 - CONFIDENCE:
            break
        outside = more
    if not place:
        raise ValueError(f"{count} values do not enclose their median")
    sure = 1 - 2 * outside / 2**count
    return Interval(median(ordered), ordered[place - 1], ordered[count - place], sure)


def sign_chance(differences: Sequence[float]) -> float:
    """Return how probable it is that so many differences of equals have the same sign.

    This is the two-sided sign test; differences of zero say nothing.
    """
    telling = [one for one in differences if one]
    less = min(sum(one > 0 for one in telling), sum(one < 0 for one in telling))
    ways = sum(comb(len(telling), place) for place in range(less + 1))
    return min(1.0, float(2 * ways / 2 ** len(telling)))


def trend(values: Sequence[float]) -> Trend:
    """Return how values rise or fall in their order (the test of Mann and Kendall)."""
    count = len(values)
    third = max(1, count // 3)
    first, last = median(values[:third]), median(values[-third:])
    score = sum((b > a) - (b < a) for a, b in combinations(values, 2))
    spread = sqrt(count * (count - 1) * (2 * count + 5) / 18)
    sure = max(0, abs(score) - 1) / spread if spread else 0.0
    return Trend(last / first - 1, erfc(sure / sqrt(2)))
