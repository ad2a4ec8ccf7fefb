"""Measure some calls in turns, so that all of them meet the same machine."""

import gc
import resource
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from time import perf_counter_ns, process_time

import numpy as np

from lxc.benchmarking.contestant import Contestant
from lxc.benchmarking.measured import Measured, Turn
from lxc.benchmarking.order_statistics import FEWEST
from lxc.benchmarking.turns import Pace, order, pace_of

Clock = Callable[[], int]
"""Returns nanoseconds."""

LEAST_SHARE = 100
"""A sample takes at least so many times what the clock takes that is read around it."""
FIRST_CALLS = 3
CLOCK_READS = 1000


def play(
    contestants: Sequence[Contestant],
    rounds: int,
    note: Callable[[int, int], None],
    clock: Clock = perf_counter_ns,
) -> dict[str, Measured]:
    """Return the times of all by name; `note` hears each round from 1, and how many.

    In every round each has a turn: calls that warm up, then calls that count. Long calls
    have fewer rounds, at least 6.
    """
    cost = clock_cost(clock)
    paces = {one.name: pace_for(one, rounds, clock) for one in contestants}
    rounds = max(FEWEST, min(pace.turns for pace, _ in paces.values()))
    by_name = {one.name: one for one in contestants}
    each = {n: calls_per_sample(seconds, cost) for n, (_, seconds) in paces.items()}
    turns: dict[str, list[Turn]] = {name: [] for name in by_name}
    with uncollected():
        for turn in range(rounds):
            note(turn + 1, rounds)
            for name in order(list(by_name), turn):
                pace, _ = paces[name]
                turns[name].append(taken(by_name[name].call, pace, each[name], clock))
    return {
        name: Measured(name, each[name], paces[name][0].warm, found)
        for name, found in turns.items()
    }


def pace_for(contestant: Contestant, rounds: int, clock: Clock) -> tuple[Pace, float]:
    """Return the pace of a call and its seconds, the fewest of the first few."""
    found = []
    for _ in range(FIRST_CALLS):
        start = clock()
        contestant.call()
        found.append(clock() - start)
    seconds = max(1, min(found)) / 1e9
    return pace_of(seconds, rounds), seconds


def clock_cost(clock: Clock) -> int:
    """Return the nanoseconds that reading the clock takes."""
    reads = [clock() for _ in range(CLOCK_READS)]
    return max(1, (reads[-1] - reads[0]) // CLOCK_READS)


def calls_per_sample(seconds: float, cost: int) -> int:
    """Return how many calls are timed at once, so that the clock disturbs little."""
    return max(1, ceil(LEAST_SHARE * cost / (seconds * 1e9)))


def taken(call: Callable[[], object], pace: Pace, each: int, clock: Clock) -> Turn:
    """Return one turn."""
    for _ in range(pace.warm):
        call()
    calls, found = range(each), []
    switches, worked, begin = switched(), process_time(), clock()
    for _ in range(max(1, pace.calls // each)):
        start = clock()
        for _ in calls:
            call()
        found.append(clock() - start)
    wall = (clock() - begin) / 1e9
    busy, preempted = process_time() - worked, switched() - switches
    return Turn(np.array(found) / (each * 1e9), wall, busy, preempted)


def switched() -> int:
    """Return how often a processor was taken from this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep Python from looking for garbage, which would fall on any call."""
    gc.collect()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
