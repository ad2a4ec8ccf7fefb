"""Whether one of two calls is faster, and how sure that is."""

from dataclasses import dataclass
from typing import Any

from lxc.benchmarking.measured import Measured
from lxc.benchmarking.order_statistics import Interval, median_interval, sign_chance

SAME = 1.02
"""The same code differs by so much from process to process: by where its memory lies."""


@dataclass(frozen=True)
class Verdict:
    """How many times as long as another a call takes, and `faster`, `slower` or `same`.

    `chance` is the probability that equals differ as clearly.
    """

    other: str
    ratio: Interval
    chance: float

    @property
    def word(self) -> str:
        """What is sure: same where the difference is too small or not sure."""
        if self.ratio.low > SAME:
            return "slower"
        return "faster" if self.ratio.high < 1 / SAME else "same"

    def is_above(self, limit: float) -> bool:
        """Tell whether the call surely takes more than `limit` times as long."""
        return self.ratio.low > limit

    def to_json(self) -> dict[str, Any]:
        """Return the fields for `json`."""
        return {
            "other": self.other,
            "verdict": self.word,
            "ratio": self.ratio.to_json(),
            "chance": self.chance,
        }


def verdict(own: Measured, other: Measured) -> Verdict:
    """Return how a call compares with another, round by round.

    Both had their turns in the same rounds, so that slow moments of the machine cancel.
    """
    ratios = [a / b for a, b in zip(own.medians, other.medians, strict=True)]
    return Verdict(
        other.name, median_interval(ratios), sign_chance([one - 1 for one in ratios])
    )
