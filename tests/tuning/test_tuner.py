"""A session of measuring, with a bench that answers from a table and a clock of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from lxc.errors import LxcError
from lxc.ir.graph import Graph
from lxc.passes import Choices
from lxc.passes.records import NO_RECORDS, Record, Records, Subject
from lxc.targets import Target
from lxc.tuning import tuner
from lxc.tuning.machine import check_runs_here
from lxc.tuning.questions import Question
from lxc.tuning.race import Timing, race, timings
from lxc.tuning.trial import Trial
from lxc.tuning.tuner import Progress, Surroundings, Tuner
from tests.tuning.models import TARGETS

GRAPH = Graph("nothing")
OPTIONS = ("6x4", "8x3", "12x2")
FAST: dict[str, dict[str, int]] = {
    "a": {"6x4": 1000, "8x3": 900, "12x2": 1100},
    "b": {"6x4": 1000, "8x3": 980, "12x2": 1100},
    "c": {"6x4": 1000, "8x3": 1200, "12x2": 800},
}


def no_trial(option: str) -> Trial:
    """Refuse to compile anything."""
    raise AssertionError(option)


def question(name: str, records: Records) -> Question:
    """Return a question about a kernel of some name."""
    subject = Subject("tiles", "x86-64-v2", name, name * 32)
    return Question(records.answer(subject, OPTIONS), 1.0, no_trial)


@dataclass
class Table:
    """A bench that takes the figures from a table, a minute for each option.

    It is interrupted before the last option of the kernel `stops_at`.
    """

    stops_at: str = ""
    now: float = 0.0
    asked: list[str] = field(default_factory=list)
    steps: list[Progress] = field(default_factory=list)
    kept: list[Records] = field(default_factory=list)
    expected: list[tuple[int, float]] = field(default_factory=list)

    def times(self, question: Question, note: Callable[[int], None]) -> dict[str, Timing]:
        """Return the figures of a kernel."""
        name = question.answer.subject.line
        self.asked.append(name)
        for number, _ in enumerate(OPTIONS, 1):
            note(number)
            if name == self.stops_at and number == len(OPTIONS):
                raise KeyboardInterrupt
            self.now += 60
        return {option: Timing(time, time) for option, time in FAST[name].items()}

    def around(self, seconds: float | None = None) -> Surroundings:
        """Return the surroundings of a session that this bench measures for."""
        return Surroundings(
            self,
            self.kept.append,
            begin=lambda kernels, time: self.expected.append((kernels, time)),
            note=self.steps.append,
            clock=lambda: self.now,
            seconds=seconds,
        )


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every model have three kernels."""

    def asked(graph: Graph, target: Target, choices: Choices) -> list[Question]:
        return [question(name, choices.records) for name in FAST]

    def nothing(graph: Graph, target: Target, choices: Choices) -> Sequence[Question]:
        return []

    monkeypatch.setattr(tuner, "ASKED", (nothing, asked))


def session(
    table: Table, records: Records = NO_RECORDS, seconds: float | None = None
) -> Tuner:
    """Return a session that has measured."""
    made = Tuner(Choices(records=records), table.around(seconds))
    made.tune(GRAPH, TARGETS)
    return made


@pytest.mark.usefixtures("ask")
def test_only_what_is_clearly_faster_becomes_a_record() -> None:
    made = session(Table())
    found = {one.line: one for one in made.records.entries.values()}
    assert {name: one.choice for name, one in found.items()} == {"a": "8x3", "c": "12x2"}
    assert found["a"] == Record("tiles", "x86-64-v2", "a", "8x3", "6x4", FAST["a"])
    assert len(made.records.settled) == 1
    assert {*made.records.measured_on} == {"lxc", "processor", "threads"}


@pytest.mark.usefixtures("ask")
def test_what_is_known_is_not_measured_again() -> None:
    first = session(Table())
    again = Table()
    made = session(again, first.records)
    assert (made.records, again.asked, again.expected) == (first.records, [], [])


@pytest.mark.usefixtures("ask")
def test_an_interruption_keeps_what_was_measured() -> None:
    table = Table(stops_at="c")
    with pytest.raises(KeyboardInterrupt):
        session(table)
    assert [len(one.entries) + len(one.settled) for one in table.kept] == [1, 2]
    rest = Table()
    made = session(rest, table.kept[-1])
    assert rest.asked == ["c"]
    assert {**made.records.entries} == {**session(Table()).records.entries}


@pytest.mark.usefixtures("ask")
def test_progress_tells_how_far_it_is_and_how_long_it_takes() -> None:
    table = Table()
    session(table)
    ((kernels, seconds),) = table.expected
    assert kernels == len(FAST)
    assert seconds == kernels * len(OPTIONS) * tuner.SECONDS_PER_OPTION
    places = [(one.kernel, one.kernels, one.option, one.options) for one in table.steps]
    assert places == [(kernel, 3, way, 3) for kernel in (1, 2, 3) for way in (1, 2, 3)]
    # After the first option it is known that each takes a minute.
    left = [one.seconds_left for one in table.steps]
    assert left == [seconds, *(60 * options for options in range(8, 0, -1))]


@pytest.mark.usefixtures("ask")
def test_a_limit_leaves_what_would_take_longer() -> None:
    table = Table()
    made = session(table, seconds=200)
    assert (table.asked, made.done, made.left) == (["a"], 1, 2)
    assert len(made.records.entries) == 1


def test_code_for_other_machines_is_not_measured() -> None:
    foreign = [
        Target(**{**vars(TARGETS[0]), "name": "new", "features": ("telepathy",)}),
        Target(**{**vars(TARGETS[0]), "name": "far", "triple": "m68k-unknown-linux-gnu"}),
    ]
    check_runs_here(TARGETS)
    lacks = ("telepathy", "the architecture m68k")
    for target, lacking in zip(foreign, lacks, strict=True):
        with pytest.raises(LxcError) as caught:
            check_runs_here([*TARGETS, target])
        assert caught.value.code == "LXC-E0308"
        assert target.name in caught.value.summary
        assert caught.value.actual == f"it lacks {lacking}"


def test_slow_moments_of_the_machine_do_not_count() -> None:
    slow = [1, 3, 3, 1, 3, 1, 3]
    rounds = {"one": [10.0 * by for by in slow], "two": [8.0 * by for by in slow]}
    rounds["two"][3] = 24.0
    found = timings(rounds)
    assert found["two"].usual / found["one"].usual == pytest.approx(0.8)
    assert (found["one"].least, found["two"].least) == (10.0, 8.0)


def test_a_race_runs_every_trial_in_turns_with_changing_weights() -> None:
    ran: list[tuple[str, int]] = []
    now = 0

    def call(name: str, number: int, time: int) -> Callable[[], None]:
        def run() -> None:
            nonlocal now
            ran.append((name, number))
            now += time

        return run

    trials = {
        "slow": Trial(tuple(call("slow", number, 400_000_000) for number in range(4))),
        "fast": Trial(tuple(call("fast", number, 200_000_000) for number in range(4)), 2),
    }
    found = race(trials, lambda: now)
    assert found == {
        "slow": Timing(400_000_000, 400_000_000),
        "fast": Timing(100_000_000, 100_000_000),
    }
    rounds = ran[10:]
    assert [name for name, _ in rounds[:4]] == ["slow", "fast", "slow", "fast"]
    assert all(one[1] != two[1] for one, two in pairwise(rounds))
    assert {number for _, number in rounds} == {0, 1, 2, 3}


@pytest.mark.usefixtures("ask")
def test_records_are_kept_where_there_was_no_time_to_measure() -> None:
    table = Table()
    session(table, seconds=0)
    assert table.asked == []
    assert table.kept == [NO_RECORDS]
