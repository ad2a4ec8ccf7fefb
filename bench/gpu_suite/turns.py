"""Times of calls on the card, everyone in turns, by events on the stream."""

import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

import torch

from lxc.benchmarking.turns import order

TURN_SECONDS = 0.05
MOST_CALLS = 2000
WARM_CALLS = 3


def seconds_of(call: Callable[[], Any], calls: int) -> float:
    """Return the seconds of one of so many calls, issued one after the other."""
    make: Any = torch.cuda.Event
    first, last = (make(enable_timing=True) for _ in range(2))
    first.record()
    for _ in range(calls):
        call()
    last.record()
    last.synchronize()
    return float(first.elapsed_time(last)) / 1e3 / calls


def calls_of(call: Callable[[], Any]) -> int:
    """Return how many calls fill a turn, after some that warm up."""
    for _ in range(WARM_CALLS):
        call()
    torch.cuda.synchronize()
    start = time.perf_counter()
    call()
    torch.cuda.synchronize()
    spent = time.perf_counter() - start
    return max(3, min(MOST_CALLS, int(TURN_SECONDS / max(spent, 1e-6))))


def medians(calls: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Return the median seconds per call of everyone, timed in turns."""
    counts = {name: calls_of(call) for name, call in calls.items()}
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds):
        for name in order(list(calls), turn):
            seconds[name].append(seconds_of(calls[name], counts[name]))
    return {name: median(found) for name, found in seconds.items()}
