"""The machine that measures."""

from collections.abc import Callable
from typing import Protocol

from lxc.tuning.questions import Question
from lxc.tuning.race import Timing, fastest, race


class Bench(Protocol):
    """Whoever measures the options of a question."""

    def times(self, question: Question, note: Callable[[int], None]) -> dict[str, Timing]:
        """Return the times of all options; `note` hears which one comes next, from 1."""


class MachineBench:
    """The machine that this runs on."""

    def times(self, question: Question, note: Callable[[int], None]) -> dict[str, Timing]:
        """Compile every option and let them run in turns.

        Of many that are alike one is the fastest by chance, so the best of them runs once
        more against the one that cost models prefer.
        """
        trials = {}
        for number, option in enumerate(question.answer.options, 1):
            note(number)
            trials[option] = question.trial(option)
        times = race(trials)
        modelled, best = question.answer.options[0], fastest(times)
        if best == modelled:
            return times
        return times | race({name: trials[name] for name in (modelled, best)})
