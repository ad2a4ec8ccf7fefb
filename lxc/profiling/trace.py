"""Calls of a model traced, and calls of its own code beside them."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any, Protocol

import numpy as np

from lxc.errors import InternalError
from lxc.runtime.memory import Array

TURN_NANOSECONDS = 20_000_000
FEWEST_TURNS, FEWEST_CALLS = 2, 3
CALLS_OF_A_TURN, MOST_CALLS, MOST_EVENTS = 500, 20_000, 1 << 21
Work = Callable[[], Any]
Clock = Callable[[], int]
"""Returns nanoseconds."""


class Stamps(Protocol):
    """A library that notes the events of the calls of this thread."""

    def begin(self, events: Array) -> None:
        """Let the next calls write their events, as far as there is room."""

    @property
    def count(self) -> int:
        """How many events there were since then."""


@dataclass(frozen=True)
class Trace:
    """What ended, event by event, and when in each call, in nanoseconds.

    Each call starts with two stamps that have nothing between them.
    """

    numbers: Array
    times: Array

    @property
    def stamp(self) -> float:
        """The nanoseconds that noting the time takes itself."""
        return float(np.median(self.times[:, 1] - self.times[:, 0]))

    @property
    def spans(self) -> Array:
        """The nanoseconds in front of each event, call by call, without those of stamps."""
        between = np.diff(self.times, axis=1) - self.stamp
        between[:, 0] = 0
        found: Array = np.maximum(between, 0)
        return found

    def of(self, number: int) -> tuple[Array, int]:
        """Return the nanoseconds of all events of a number in each call, and how many."""
        places = np.flatnonzero(self.numbers[1:] == number)
        found: Array = self.spans[:, places].sum(axis=1)
        return found, len(places)


@dataclass(frozen=True)
class Measured:
    """Traced calls, and the nanoseconds of whole calls: of the model's own code, traced."""

    trace: Trace
    plain: Array
    traced: Array


class Tracer:
    """Calls some work, and notes the events of each call."""

    def __init__(self, library: Stamps, work: Work) -> None:
        """Call the work once, to know how many events it has."""
        self.library, self.work = library, work
        library.begin(np.zeros((0, 2), np.int64))
        work()
        self.count = library.count
        self.traces: list[Array] = []

    def ready(self) -> None:
        """Make room for the events of the next call."""
        # Written to, so that no page of it is missing when the times go there.
        self.traces.append(np.full((self.count, 2), 0, np.int64))
        self.library.begin(self.traces[-1])

    def check(self) -> None:
        """Look whether a call had the events of all the others."""
        is_as_long = self.library.count == self.count and self.count >= 2
        numbers, first = self.traces[-1][:, 0], self.traces[0][:, 0]
        if not is_as_long or not np.array_equal(numbers, first):
            raise InternalError("profiling", "calls of one model differ in what they run")

    def trace(self) -> Trace:
        """Return all calls as one trace."""
        self.library.begin(np.zeros((0, 2), np.int64))
        times = np.stack([one[:, 1] for one in self.traces])
        return Trace(self.traces[0][:, 0], times)


def trace_of(library: Stamps, work: Work, times: int) -> Trace:
    """Return the trace of some calls."""
    tracer = Tracer(library, work)
    for _ in range(times):
        tracer.ready()
        tracer.work()
        tracer.check()
    return tracer.trace()


def measured(
    plain: Work,
    tracer: Tracer,
    seconds: float,
    clock: Clock = perf_counter_ns,
) -> Measured:
    """Return the times of calls: in turns, so that both meet the same machine.

    Each turn starts with calls that do not count, for the weights of one lie in the caches
    when the other one begins.
    """
    each = calls_of_a_turn(plain, clock)
    most = max(FEWEST_CALLS, min(MOST_CALLS, MOST_EVENTS // tracer.count))
    alone: list[int] = []
    traced: list[int] = []
    end = clock() + int(seconds * 1e9)
    while len(traced) < FEWEST_TURNS * each or (clock() < end and len(traced) < most):
        alone += turn(plain, each, clock)
        traced += turn(tracer.work, each, clock, tracer.ready, tracer.check)
    return Measured(tracer.trace(), np.array(alone), np.array(traced))


def nothing() -> None:
    """Do nothing around a call."""


def calls_of_a_turn(work: Work, clock: Clock) -> int:
    """Return how many calls fill a turn."""
    work()
    start = clock()
    work()
    once = max(1, clock() - start)
    return max(FEWEST_CALLS, min(CALLS_OF_A_TURN, TURN_NANOSECONDS // once))


def turn(
    work: Work,
    count: int,
    clock: Clock,
    before: Work = nothing,
    after: Work = nothing,
) -> list[int]:
    """Return the nanoseconds of some calls, after some that do not count."""
    for _ in range(max(1, count // 4)):
        work()
    times = []
    for _ in range(count):
        before()
        start = clock()
        work()
        times.append(clock() - start)
        after()
    return times
