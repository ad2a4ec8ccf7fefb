"""Who comes when, what is timed, and what follows from the times, by a planted clock."""

import gc
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from lxc.benchmarking import machine
from lxc.benchmarking.agreement import apart
from lxc.benchmarking.contestant import Contestant
from lxc.benchmarking.match import play
from lxc.benchmarking.measured import Measured, Turn
from lxc.benchmarking.noise import doubts, doubts_about
from lxc.benchmarking.turns import order
from lxc.benchmarking.verdict import verdict
from lxc.errors import LxcError
from lxc.runtime.checkpoint import Array

READ = 50
"""Nanoseconds that the planted clock takes."""


class Planted:
    """A machine whose clock only calls and looks at the clock move."""

    def __init__(self) -> None:
        self.now = 0
        self.calls: list[str] = []
        self.collected = True

    def clock(self) -> int:
        self.now += READ
        return self.now

    def contestant(self, name: str, times: Callable[[], int]) -> Contestant:
        def call() -> None:
            self.calls.append(name)
            self.collected = gc.isenabled()
            self.now += times()

        return Contestant(name, call, dict, {})


def silent(number: int, rounds: int) -> None:
    assert 1 <= number <= rounds


def test_times_are_those_of_the_calls_and_turns_are_fair() -> None:
    planted = Planted()
    slow = planted.contestant("slow", lambda: 2_000_000)
    fast = planted.contestant("fast", lambda: 1_000_000)
    heard: list[tuple[int, int]] = []
    found = play(
        [slow, fast],
        8,
        lambda number, rounds: heard.append((number, rounds)),
        planted.clock,
    )
    assert heard == [(number, 8) for number in range(1, 9)]
    for name, seconds in (("slow", 2e-3), ("fast", 1e-3)):
        assert found[name].times["p99"] == pytest.approx(seconds, rel=1e-3)
        assert found[name].times["min"] == pytest.approx(seconds, rel=1e-3)
        assert found[name].each == 1
        assert found[name].interval.low == found[name].interval.high
    assert len(found["slow"].samples) == 8 * 9
    assert len(found["fast"].samples) == 8 * 19
    wanted = [name for turn in range(8) for name in order(["slow", "fast"], turn)]
    turns = [name for name, _ in groupby(wanted)]
    assert [name for name, _ in groupby(planted.calls)][-len(turns) :] == turns


def test_short_calls_are_timed_several_at_once() -> None:
    planted = Planted()
    tiny = planted.contestant("tiny", lambda: 1000)
    found = play([tiny], 6, silent, planted.clock)["tiny"]
    assert found.each * 1000 >= 100 * READ * 0.9
    assert found.times["p50"] == pytest.approx(1e-6, rel=0.02)


def test_long_calls_have_fewer_rounds_but_enough_for_an_interval() -> None:
    planted = Planted()
    long = planted.contestant("long", lambda: 9_000_000_000)
    found = play([long], 50, silent, planted.clock)["long"]
    assert len(found.turns) == 6
    assert found.times["mean"] == pytest.approx(9)


def test_no_garbage_is_collected_meanwhile() -> None:
    planted = Planted()
    play([planted.contestant("one", lambda: 10_000_000)], 6, silent, planted.clock)
    assert not planted.collected
    assert gc.isenabled()


def measured(name: str, medians: list[float], **changes: float) -> Measured:
    """Return a measurement whose turns have these medians."""
    wall = {"wall": 1.0, "busy": 1.0, "preempted": 0, **changes}
    turns = [
        Turn(np.full(3, one), wall["wall"], wall["busy"], int(wall["preempted"]))
        for one in medians
    ]
    return Measured(name, 1, 1, turns)


def noisy(level: float, seed: int) -> list[float]:
    """Return times of a machine that has fast and slow moments, the same for every seed."""
    moments = np.repeat([1.0, 3.0, 1.0, 2.0], 10)
    own = np.random.default_rng(seed).uniform(0.98, 1.02, moments.size)
    return [float(one) for one in level * moments * own]


@pytest.mark.parametrize(
    ("own", "word"), [(1.0, "same"), (1.004, "same"), (1.2, "slower"), (0.8, "faster")]
)
def test_verdicts_hold_on_machines_with_slow_moments(own: float, word: str) -> None:
    found = verdict(measured("a", noisy(own, 1)), measured("b", noisy(1.0, 2)))
    assert found.word == word
    assert found.other == "b"
    assert found.ratio.low <= found.ratio.middle <= found.ratio.high
    assert found.ratio.middle == pytest.approx(own, rel=0.02)
    assert (found.chance < 1e-6) == (word != "same")


def test_a_limit_is_passed_only_where_that_is_sure() -> None:
    slower = verdict(measured("a", noisy(1.2, 1)), measured("b", noisy(1.0, 2)))
    assert slower.is_above(1.05)
    assert not slower.is_above(1.2)
    wild = [1.0, 2.0, 0.5, 1.9, 0.6, 1.8, 1.1, 1.2]
    unsure = verdict(measured("a", wild), measured("b", [1.0] * 8))
    assert unsure.ratio.middle > 1.1
    assert unsure.word == "same"
    assert not unsure.is_above(1.05)


def test_noise_is_told_of_and_calm_is_not() -> None:
    calm = measured("calm", [1.0, 1.001] * 10)
    assert list(doubts(calm, 1)) == []
    (spread,) = doubts(measured("m", [1.0, 1.5] * 10), 1)
    assert "the rounds differ by 40%" in spread
    (_, drift) = doubts(measured("m", [1 + 0.01 * n for n in range(20)]), 1)
    assert "calls got 14% slower" in drift
    (taken,) = doubts(measured("m", [1.0] * 20, preempted=2), 1)
    assert "in 20 of 20 rounds" in taken
    (busy,) = doubts(measured("m", [1.0] * 20, busy=0.5), 1)
    assert "50% of the time" in busy
    assert list(doubts(measured("m", [1.0] * 20, busy=0.5), 2)) == []


def test_facts_of_the_machine_speak_against_times() -> None:
    quiet = {"load": (0.0, 0, 0), "governor": "performance"}
    assert list(doubts_about(quiet, 2, 2)) == []
    assert len(list(doubts_about({**quiet, "load": (3.0, 0, 0)}, 1, 2))) == 1
    assert "powersave" in next(doubts_about({**quiet, "governor": "powersave"}, 1, 2))
    assert "3 threads share 2" in list(doubts_about(quiet, 3, 2))[-1]


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a control group two levels deep."""
    (tmp_path / "own").write_text("0::/outer/inner\n")
    inner = tmp_path / "limits" / "outer" / "inner"
    inner.mkdir(parents=True)
    monkeypatch.setattr(machine, "GROUPS", tmp_path / "own")
    monkeypatch.setattr(machine, "GROUP_LIMITS", tmp_path / "limits")
    return inner


def test_the_strictest_control_group_limits_the_threads(groups: Path) -> None:
    allowed = len(machine.processors())
    assert machine.paid_processors() is None
    assert machine.usable_threads() == allowed
    (groups / "cpu.max").write_text("max 100000\n")
    assert machine.paid_processors() is None
    (groups.parent / "cpu.max").write_text("50000 100000\n")
    assert machine.paid_processors() == 0.5
    assert machine.usable_threads() == 1
    (groups / "cpu.max").write_text("30000 0\n")
    assert machine.paid_processors() == 0.5


def test_the_machine_tells_its_facts() -> None:
    found = machine.facts()
    assert found["processors"]
    assert found["features"] == sorted(found["features"])
    assert {"processor", "governor", "caches", "load", "kernel", "virtual"} <= found.keys()


def with_outputs(name: str, **arrays: Array) -> Contestant:
    return Contestant(name, lambda: None, lambda: arrays, {})


def test_outputs_are_paired_by_name_or_else_by_order() -> None:
    one, two = np.ones(3), np.full(3, 2.0)
    own = with_outputs("a", y=one, z=two)
    assert apart(own, with_outputs("b", z=two, y=one)) == 0
    assert apart(own, with_outputs("b", u=one, v=two)) == 0
    assert apart(own, with_outputs("b", u=two, v=two)) == 1
    with pytest.raises(LxcError, match="LXC-E0001"):
        apart(own, with_outputs("b", y=one))
    with pytest.raises(LxcError, match="LXC-E0001"):
        apart(own, with_outputs("b", y=one, z=np.ones(4)))
