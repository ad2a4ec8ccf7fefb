"""Time several ways to do the same work, in turns, so that all meet the same machine."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import thread_time_ns

from lxc.tuning.trial import Trial

Clock = Callable[[], int]
"""Returns nanoseconds; the default counts those that this thread ran."""

SHORTEST_SAMPLE = 200_000
TIME_OF_RACE = 1_200_000_000
FEWEST_ROUNDS, MOST_ROUNDS = 15, 99


@dataclass(frozen=True)
class Timing:
    """Nanoseconds of the work: the fewest of all rounds, and what is usual."""

    least: float
    usual: float


def race(trials: Mapping[str, Trial], clock: Clock = thread_time_ns) -> dict[str, Timing]:
    """Return the times of some trials, by their names.

    In every round each of them runs for a moment, with weights that none of the others read
    a moment ago.
    """
    counts, whole = {}, 0
    for name, trial in trials.items():
        sample(trial, 0, len(trial.calls), clock)
        once = max(1, sample(trial, 0, 1, clock))
        counts[name] = max(1, round(SHORTEST_SAMPLE / once))
        whole += once * counts[name]
    rounds = max(FEWEST_ROUNDS, min(MOST_ROUNDS, TIME_OF_RACE // whole))
    samples: dict[str, list[float]] = {name: [] for name in trials}
    for turn in range(rounds):
        for place, (name, trial) in enumerate(trials.items()):
            count = counts[name]
            first = place * len(trial.calls) // len(trials) + turn * count
            time = sample(trial, first, count, clock)
            samples[name].append(time / (count * trial.works))
    return timings(samples)


def timings(samples: Mapping[str, Sequence[float]]) -> dict[str, Timing]:
    """Return the times of trials from those of all rounds.

    A machine that other programs use has slow and fast moments, so what is usual follows
    from how a trial compares with the others of its round.
    """
    levels = [median(times) for times in zip(*samples.values(), strict=True)]
    found = {}
    for name, times in samples.items():
        ratios = [time / level for time, level in zip(times, levels, strict=True)]
        found[name] = Timing(min(times), median(ratios) * median(levels))
    return found


def sample(trial: Trial, first: int, count: int, clock: Clock) -> int:
    """Return how long some calls take, one after the other from the first of them on."""
    number = len(trial.calls)
    calls = [trial.calls[place % number] for place in range(first, first + count)]
    start = clock()
    for call in calls:
        call()
    return clock() - start


def fastest(times: Mapping[str, Timing]) -> str:
    """Return the trial that usually takes the least time; of equal ones the first."""
    return min(times, key=lambda name: times[name].usual)
