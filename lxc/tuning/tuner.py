"""Measure what records do not know yet, and say how long it takes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from lxc.ir.graph import Graph
from lxc.passes.choices import Choices
from lxc.passes.records import Record, Records
from lxc.targets.target import Target
from lxc.tuning.bench import Bench
from lxc.tuning.machine import measured_on
from lxc.tuning.questions import Question, algorithm_questions, tile_questions
from lxc.tuning.race import Timing, fastest

WORTH = 1.03
"""So much faster than what cost models prefer is no noise any more."""
SECONDS_PER_OPTION = 2.0
"""What an option takes to compile and to measure, before any of them has been."""

Ask = Callable[[Graph, Target, Choices], list[Question]]
"""Returns what there is to be measured of a graph."""
ASKED: Sequence[Ask] = (algorithm_questions, tile_questions)
"""What is asked for every target; kernels follow from the algorithms that were chosen."""


@dataclass(frozen=True)
class Progress:
    """How far measuring has come: kernel and option, of how many, and seconds left."""

    kernel: int
    kernels: int
    option: int
    options: int
    seconds_left: float


@dataclass(frozen=True)
class Surroundings:
    """Who measures, who hears of it, who keeps the records, and until when.

    `begin` hears the number of kernels and the expected seconds before anything is
    measured. `keep` is called with the records so far after every kernel.
    """

    bench: Bench
    keep: Callable[[Records], None]
    begin: Callable[[int, float], None] = lambda kernels, seconds: None
    note: Callable[[Progress], None] = lambda progress: None
    clock: Callable[[], float] = monotonic
    seconds: float | None = None


class Tuner:
    """One session of measuring.

    `records` are those so far; `done` kernels were measured, and `left` were not because
    there was no time for them.
    """

    def __init__(self, choices: Choices, around: Surroundings) -> None:
        """Start with the records of the choices."""
        self.choices, self.around = choices, around
        self.done = self.left = self.waiting = 0
        self.options_done = self.options_waiting = 0
        self.start = around.clock()

    @property
    def records(self) -> Records:
        """The records so far."""
        return self.choices.records

    def tune(self, graph: Graph, targets: Sequence[Target]) -> None:
        """Measure what is not known of a tensor-level graph, and keep the records.

        They are kept where nothing was measured too, so that a later compile can read them.
        """
        self.measure(graph, targets)
        if not self.done:
            self.around.keep(self.records)

    def measure(self, graph: Graph, targets: Sequence[Target]) -> None:
        """Answer all questions for which there is time."""
        rounds = [(ask, target) for target in targets for ask in ASKED]
        expected = [self.asked(ask, graph, target) for ask, target in rounds]
        for questions in expected:
            self.expect(questions)
        if not self.waiting:
            return
        self.around.begin(self.waiting, self.seconds_for(self.options_waiting, 0))
        self.start = self.around.clock()
        for (ask, target), before in zip(rounds, expected, strict=True):
            questions = self.asked(ask, graph, target)
            self.expect(before, -1)
            self.expect(questions)
            for question in questions:
                self.answer(question)

    def asked(self, ask: Ask, graph: Graph, target: Target) -> list[Question]:
        """Return the questions about a graph that the records do not answer."""
        questions = ask(graph, target, self.choices)
        return [one for one in questions if not self.records.knows(one.answer)]

    def expect(self, questions: Sequence[Question], sign: int = 1) -> None:
        """Count questions that wait to be answered; with a `sign` of -1 they are gone."""
        self.waiting += sign * len(questions)
        self.options_waiting += sign * sum(len(one.answer.options) for one in questions)

    def answer(self, question: Question) -> None:
        """Measure the options of one question, if there is time for it."""
        count = len(question.answer.options)
        limit, spent = self.around.seconds, self.around.clock() - self.start
        needed = self.seconds_for(count, self.options_done)
        if limit is not None and spent + needed > limit:
            self.left += 1
        else:
            times = self.around.bench.times(question, lambda one: self.note(one, count))
            self.done += 1
            self.options_done += count
            self.learn(judged(self.records, question, times))
        self.expect([question], -1)

    def learn(self, records: Records) -> None:
        """Go on with other records, and hand them to whoever keeps them."""
        records = replace(records, measured_on=measured_on())
        self.choices = replace(self.choices, records=records)
        self.around.keep(records)

    def note(self, option: int, options: int) -> None:
        """Say how far this is."""
        ready = option - 1
        left = self.seconds_for(self.options_waiting - ready, self.options_done + ready)
        kernels = self.done + self.waiting
        self.around.note(Progress(self.done + 1, kernels, option, options, left))

    def seconds_for(self, options: int, done: int) -> float:
        """Return how many seconds some options take, by those that are done."""
        if not done:
            return options * SECONDS_PER_OPTION
        return options * (self.around.clock() - self.start) / done


def judged(records: Records, question: Question, times: Mapping[str, Timing]) -> Records:
    """Return records with what was found out about a question."""
    answer = question.answer
    modelled, best = answer.options[0], fastest(times)
    if times[modelled].usual < times[best].usual * WORTH:
        return records.with_settled(answer)
    nanoseconds = {name: max(1, round(one.usual)) for name, one in times.items()}
    subject = answer.subject
    about = subject.about, subject.machine, subject.line
    return records.with_record(answer, Record(*about, best, modelled, nanoseconds))
