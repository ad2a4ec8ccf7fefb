"""Reasons to doubt measured times."""

from collections.abc import Iterator, Mapping
from typing import Any

from lxc.benchmarking.measured import Measured

SPREAD = 0.05
"""Rounds that differ by more did not meet the same machine."""
DRIFT, CHANCE = 0.02, 0.01
INTERRUPTED = 0.1
UNDISTURBED = 0.95
STEADY = ("performance", "schedutil")
"""Rules for the clock of a processor that follow its load, or none."""


def doubts(measured: Measured, threads: int) -> Iterator[str]:
    """Yield what speaks against the times of one call."""
    name, rounds = measured.name, len(measured.turns)
    if measured.spread > SPREAD:
        yield f"{name}: the rounds differ by {measured.spread:.0%}"
    drift = measured.drift
    if abs(drift.change) > DRIFT and drift.chance < CHANCE:
        word = "slower" if drift.change > 0 else "faster"
        yield f"{name}: calls got {abs(drift.change):.0%} {word} from first to last round"
    if measured.preempted > INTERRUPTED * rounds:
        yield (
            f"{name}: other programs took a processor in {measured.preempted} of "
            f"{rounds} rounds"
        )
    if threads == 1 and measured.busy < UNDISTURBED:
        yield f"{name}: its thread had a processor for {measured.busy:.0%} of the time"


def doubts_about(machine: Mapping[str, Any], threads: int, usable: int) -> Iterator[str]:
    """Yield what speaks against all times on a machine, by its facts beforehand."""
    load = machine["load"][0]
    if load + threads > usable + 0.5:
        yield f"the machine was busy already: load {load:.1f}, {usable} usable processors"
    if threads > usable:
        yield f"{threads} threads share {usable} usable processors"
    if machine["governor"] not in (None, *STEADY):
        yield f"the clock of the processor is chosen by the rule {machine['governor']}"
