"""What came out of measuring one call."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Any

import numpy as np

from lxc.benchmarking.order_statistics import Interval, Trend, median_interval, trend
from lxc.runtime.checkpoint import Array

PERCENTILES = (50, 90, 95, 99)


@dataclass(frozen=True)
class Turn:
    """The seconds of calls in one turn, each sample the mean of a few calls.

    `wall` seconds went by, for `busy` of which this process had a processor, counting
    every thread; other programs took one from it `preempted` times.
    """

    samples: Array
    wall: float
    busy: float
    preempted: int


@dataclass(frozen=True)
class Measured:
    """All turns of one call; `each` calls make a sample, after `warm` that do not count."""

    name: str
    each: int
    warm: int
    turns: Sequence[Turn]

    @cached_property
    def samples(self) -> Array:
        """The seconds per call of every sample."""
        return np.concatenate([turn.samples for turn in self.turns])

    @cached_property
    def medians(self) -> list[float]:
        """The median of every turn."""
        return [median(turn.samples.tolist()) for turn in self.turns]

    @cached_property
    def times(self) -> dict[str, float]:
        """Mean, least and percentiles of all samples, in seconds per call."""
        found = {"mean": float(self.samples.mean()), "min": float(self.samples.min())}
        high = np.percentile(self.samples, PERCENTILES).tolist()
        return found | {f"p{p}": one for p, one in zip(PERCENTILES, high, strict=True)}

    @cached_property
    def interval(self) -> Interval:
        """The median of the turns' medians, and what encloses it."""
        return median_interval(self.medians)

    @property
    def calls_per_second(self) -> float:
        """How many calls one after the other fit into a second."""
        return 1 / self.times["mean"]

    @property
    def spread(self) -> float:
        """How far apart the middle half of the turns is, relative to their median."""
        low, high = np.percentile(self.medians, (25, 75)).tolist()
        return float((high - low) / median(self.medians))

    @property
    def drift(self) -> Trend:
        """How the turns got slower or faster."""
        return trend(self.medians)

    @property
    def busy(self) -> float:
        """The processors that the calls had, on average."""
        return sum(turn.busy for turn in self.turns) / sum(turn.wall for turn in self.turns)

    @property
    def preempted(self) -> int:
        """The number of turns in which other programs took a processor."""
        return sum(turn.preempted > 0 for turn in self.turns)

    def to_json(self) -> dict[str, Any]:
        """Return all figures, in seconds."""
        return {
            "times": self.times,
            "median": self.interval.to_json(),
            "calls_per_second": self.calls_per_second,
            "samples": len(self.samples),
            "calls_per_sample": self.each,
            "warm_up_calls_per_round": self.warm,
            "noise": {
                "spread": self.spread,
                "drift": self.drift.change,
                "drift_chance": self.drift.chance,
                "busy_processors": self.busy,
                "preemptions": sum(turn.preempted for turn in self.turns),
                "preempted_rounds": self.preempted,
            },
            "rounds": self.medians,
        }
