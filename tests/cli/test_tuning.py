"""lxc compile --tune measures, --records reads, lxc explain tells."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lxc.commands import tuning
from lxc.record_file import read_records
from lxc.runtime.artifact import read
from lxc.tuning.questions import Question
from lxc.tuning.race import Timing
from tests.cli.conftest import NET, Cli

MADE = ("compile", *NET, "--target", "x86-64-v2", "-o", "a.lxc", "--name", "net")


class SecondBest:
    """A bench on which the second option of every kernel is the fastest."""

    def times(self, question: Question, note: Callable[[int], None]) -> dict[str, Timing]:
        """Return made-up times."""
        note(1)
        times = {option: Timing(3000, 3000) for option in question.answer.options}
        return times | {question.answer.options[1]: Timing(1000, 1000)}


class Interrupted(SecondBest):
    """The same, but somebody presses Ctrl-C while the second kernel is measured."""

    def __init__(self) -> None:
        self.asked = 0

    def times(self, question: Question, note: Callable[[int], None]) -> dict[str, Timing]:
        """Return made-up times once."""
        self.asked += 1
        if self.asked > 1:
            raise KeyboardInterrupt
        return super().times(question, note)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "MachineBench", SecondBest)


@pytest.mark.usefixtures("bench")
def test_what_was_tuned_is_compiled_and_told(cli: Cli) -> None:
    done = cli(*MADE, "--tune", "r.json", "-v", "--json")
    assert "measuring 2 kernels takes about" in done.err
    assert "kernel 1 of 2, way 1 of " in done.err
    assert done.json["records"] == "r.json"
    records = read_records("r.json")
    assert len(records.entries) == 2
    kernels = [one for one in read(Path("a.lxc")).targets[0].kernels if one["tuned"]]
    assert {one["tiles"] for one in kernels} == {
        one.choice for one in records.entries.values()
    }
    told = [line for line in cli("explain", "a.lxc").out.splitlines() if "tiles" in line]
    assert len(told) == 2
    assert all(line.startswith("tuned ") and "measured 1.0 us" in line for line in told)
    source = ("explain", *NET, "--target", "x86-64-v2", "--records", "r.json")
    assert [line for line in cli(*source).out.splitlines() if "tiles" in line] == told


@pytest.mark.usefixtures("bench")
def test_tuning_again_measures_nothing_and_reading_gives_the_same(cli: Cli) -> None:
    first = cli(*MADE, "--tune", "r.json", "--json").json
    before = Path("r.json").read_bytes()
    again = cli(*MADE, "--tune", "r.json", "-v", "--json")
    assert "measuring" not in again.err
    assert Path("r.json").read_bytes() == before
    only_read = cli(*MADE, "--records", "r.json", "--json").json
    assert first["sha256"] == again.json["sha256"] == only_read["sha256"]
    assert first["sha256"] != cli(*MADE, "--json").json["sha256"]


def test_an_interrupted_session_keeps_what_was_measured(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "MachineBench", Interrupted)
    stopped = cli(*MADE, "--tune", "r.json", status=130)
    assert stopped.err.split() == ["interrupted"]
    assert not Path("a.lxc").exists()
    assert len(read_records("r.json").entries) == 1
    assert json.loads(Path("r.json").read_text())["format"] == 1


@pytest.mark.usefixtures("bench")
def test_a_limit_of_time_leaves_kernels_for_another_time(cli: Cli) -> None:
    done = cli(*MADE, "--tune", "r.json", "--tune-seconds", "1", "-v", "--json")
    assert "2 kernels are left" in done.err
    assert read_records("r.json").entries == {}
    cli(*MADE, "--records", "r.json")
    assert not any(one["tuned"] for one in read(Path("a.lxc")).targets[0].kernels)


def test_a_kernel_is_really_measured(cli: Cli) -> None:
    Path("one.lxir").write_text(
        "graph @one lux {\n  input %x: f32[2, 5]\n  param @w: f32[5, 9]\n"
        "  tree params = {w: *}\n"
        "  %0: f32[2, 9] = dot_general(%x, @w) {lhs_contract = [1], rhs_contract = [0], "
        "lhs_batch = [], rhs_batch = []}\n  return %0\n}\n"
    )
    made = ("compile", "one.lxir", "--target", "x86-64-v2", "-o", "a.lxc")
    cli(*made, "--tune", "r.json")
    records = read_records("r.json")
    assert len(records.entries) + len(records.settled) == 1
    assert records.measured_on["threads"] == "1"
