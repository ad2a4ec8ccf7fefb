"""The benchmark judges every contender before it is timed, and hides nobody."""

import os
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

from cpu_suite.cases import BY_NAME
from cpu_suite.contenders import CONTENDERS, field_of
from cpu_suite.contenders.ready import NotWritten, Ready
from cpu_suite.growth_cases import GROWTH, SERIES
from cpu_suite.growth_fit import growths, line_of
from cpu_suite.outcome import Outcome, Result, judged
from cpu_suite.prepared import Prepared
from cpu_suite.process import Lost, Worker
from cpu_suite.report import checks, problems, times, times_from_c
from cpu_suite.worker import TRIES, built, timed, undisturbed
from lxc.benchmarking.turns import LONG_CALL, warm_calls

CASE = "tiny/affine 32"


def shown(table: Table) -> str:
    """Return a table as text."""
    stream = StringIO()
    Console(width=250, file=stream).print(table)
    return stream.getvalue()


def prepared(folder: Path) -> Prepared:
    """Return the files of a case, written without torch."""
    made = Prepared(BY_NAME[CASE], folder)
    x = made.case.arrays()["x"]
    weights = {"weight": np.full(32, 2, np.float32), "bias": np.ones(32, np.float32)}
    made.write(weights, [x.astype(np.float64) * 2 + 1], {"flops": 0, "bytes": 512})
    return made


def outcome_of(build: Any, folder: Path) -> Outcome:
    """Return what the benchmark makes of a contender with this build function."""
    made = prepared(folder)
    reply, _ = built(build, {"case": CASE, "folder": str(made.folder)}, 1)
    return judged(reply, CONTENDERS["torch"].tolerance)


def timed_outcome(*turns: float) -> Outcome:
    """Return an outcome that is right, after turns whose slices are alike."""
    outcome = Outcome("ok", error=1e-7, build_seconds=1)
    for seconds in turns:
        outcome.add([seconds] * 2)
    return outcome


def right(made: Prepared, threads: int) -> Ready:
    """Build a contender whose answer is right."""
    return Ready(lambda: None, made.expected)


def off(made: Prepared, threads: int) -> Ready:
    """Build a contender that is off in one element, by a little."""
    outputs = made.expected()
    outputs[0][0, 7] += 0.01
    return Ready(lambda: None, lambda: outputs)


def not_finite(made: Prepared, threads: int) -> Ready:
    """Build a contender that returns NaN in one element."""
    outputs = made.expected()
    outputs[0][0, 7] = np.nan
    return Ready(lambda: None, lambda: outputs)


def cut(made: Prepared, threads: int) -> Ready:
    """Build a contender that returns too little."""
    return Ready(lambda: None, lambda: [made.expected()[0][:, :16]])


def broken(made: Prepared, threads: int) -> Ready:
    """Build nothing."""
    raise ZeroDivisionError("planted")


def unwritten(made: Prepared, threads: int) -> Ready:
    """Have no version of the case."""
    raise NotWritten


def test_the_median_is_of_turns_and_the_minimum_of_their_slices() -> None:
    outcome = Outcome("ok")
    for slices in ([3.0, 5.0], [1.0, 7.0], [6.0, 6.0], []):
        outcome.add(slices)
    assert outcome.seconds == [4.0, 4.0, 6.0]
    assert (outcome.median, outcome.least) == (4.0, 1.0)


@pytest.mark.parametrize(
    ("build", "status", "detail"),
    [
        (right, "ok", ""),
        (off, "wrong", "error"),
        (not_finite, "wrong", "error inf"),
        (cut, "wrong", "error inf"),
        (broken, "failed", "ZeroDivisionError: planted"),
        (unwritten, "not written", ""),
    ],
)
def test_a_contender_is_judged_before_it_is_timed(
    build: Any, status: str, detail: str, tmp_path: Path
) -> None:
    outcome = outcome_of(build, tmp_path)
    assert outcome.status == status
    assert detail in outcome.detail
    assert outcome.seconds == []


def test_the_tables_mark_a_wrong_contender_and_do_not_compare_with_it(
    tmp_path: Path,
) -> None:
    outcomes = {
        "lxc": timed_outcome(2e-6, 3e-6, 4e-6),
        "torch": outcome_of(off, tmp_path),
        "jax": timed_outcome(6e-6, 6e-6, 5e-6),
        "iree": Outcome("absent", "No module named 'iree'"),
    }
    facts = {"flops": 64, "bytes": 512, "fma_gflops": 100.0, "read_gbs": 50.0}
    result = Result(CASE, facts, outcomes)
    assert result.best("median") == ("jax", 6e-6)
    assert result.ratio("median") == pytest.approx(2.0)
    assert result.ratio("least") == pytest.approx(2.5)
    assert result.bound() == ("memory", 512 / 50.0 / 1e9)
    text = shown(times([result], list(outcomes)))
    assert text.count("wrong") == 1
    assert "absent" in text
    assert shown(checks([result], list(outcomes))).count("wrong") == 1
    told = "\n".join(problems([result]))
    assert "torch wrong: error" in told
    assert "iree absent: No module named 'iree'" in told


def test_bfloat16_by_default_is_no_float32_peer() -> None:
    fast = timed_outcome(1e-6)
    slow = timed_outcome(4e-6)
    own = timed_outcome(2e-6)
    result = Result(CASE, {}, {"lxc": own, "openvino-default": fast, "openvino": slow})
    assert result.best("median") == ("openvino", 4e-6)
    assert result.ratio("median") == pytest.approx(2.0)
    assert "openvino-default *" in shown(times([result], list(result.outcomes)))


def test_those_that_take_bfloat16_for_float32_are_compared_with_each_other() -> None:
    seconds = {"lxc": 4e-6, "lxc-bf16": 1e-6, "openvino": 8e-6, "openvino-default": 3e-6}
    outcomes = {name: timed_outcome(time) for name, time in seconds.items()}
    result = Result(CASE, {}, outcomes)
    assert result.ratio("median") == pytest.approx(2)
    assert result.ratio_in_bf16("median") == pytest.approx(3)
    text = shown(times([result], list(outcomes)))
    assert "lxc-bf16 *" in text
    assert "3.00" in text
    assert "3.00" not in shown(times([result], ["lxc", "openvino"]))
    assert field_of(["openvino-default"])[:2] == ["lxc", "lxc-bf16"]
    assert "lxc-bf16" not in field_of(["openvino"])


def test_calls_from_c_are_compared_with_each_other_alone() -> None:
    seconds = {"lxc": 2e-6, "lxc-c": 1e-7, "torch": 8e-6, "onnxruntime-c": 5e-7}
    outcomes = {name: timed_outcome(time) for name, time in seconds.items()}
    result = Result(CASE, {}, outcomes)
    assert result.best("median") == ("torch", 8e-6)
    assert result.ratio_from_c("median") == pytest.approx(5)
    assert "lxc-c" not in shown(times([result], list(outcomes)))
    table = times_from_c([result])
    assert table is not None
    assert "5.00" in shown(table)


@pytest.mark.parametrize("is_in_c", [False, True])
def test_a_long_call_is_timed_once_without_one_ahead(is_in_c: bool) -> None:
    counts: list[int] = []

    def loop(count: int) -> float:
        counts.append(count)
        return LONG_CALL

    call = Mock()
    ready = Ready(call, list, timed=loop if is_in_c else None)
    slices = timed(ready, 1, warm_calls(8, LONG_CALL))
    assert len(slices) == 1
    assert slices[0] > 0
    assert counts == [1] * is_in_c
    assert call.call_count == (not is_in_c)


@pytest.mark.parametrize(
    ("pauses", "tries", "taken"),
    [
        ((0.0, 9.0), 1, 1.0),
        ((0.5, 0.3, 0.01, 9.0), 3, 1.01),
        ((0.5, 0.4, 0.1, 0.2, 0.3, 0.0), TRIES, 1.1),
    ],
)
def test_a_slice_without_the_processor_is_timed_again(
    monkeypatch: pytest.MonkeyPatch, pauses: tuple[float, ...], tries: int, taken: float
) -> None:
    clock = Mock(now=0.0, work=0.0)
    clock.perf_counter = lambda: clock.now
    clock.process_time = lambda: clock.work
    monkeypatch.setattr("cpu_suite.worker.time", clock)
    left = list(pauses)

    def loop(count: int) -> float:
        seconds = 1 + left.pop(0)
        clock.work += 0.01
        clock.now += seconds / 100
        return seconds

    assert undisturbed(loop, 1) == taken
    assert len(pauses) - len(left) == tries


def test_long_slices_are_not_timed_again_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Mock(now=0.0, process_time=lambda: 0.0)
    clock.perf_counter = lambda: clock.now
    monkeypatch.setattr("cpu_suite.worker.time", clock)

    def loop(count: int) -> float:
        clock.now += 1.0
        return 1.0

    assert undisturbed(loop, 1) == 1.0
    assert clock.now == 1.0


def test_a_process_stands_still_between_requests(tmp_path: Path) -> None:
    made = prepared(tmp_path)
    worker = Worker("lxc", sorted(os.sched_getaffinity(0))[-1:], tmp_path / "log")
    try:
        request = {"do": "build", "case": CASE, "folder": str(made.folder)}
        reply = worker.ask(request, 120)
        assert reply["status"] == "ok", reply
        state = Path(f"/proc/{worker.process.pid}/stat").read_text().rpartition(")")[2]
        assert state.split()[0] == "T"
        assert worker.ask({"do": "time", "calls": 3, "warm": 1}, 60)["seconds"][0] > 0
    finally:
        worker.close()


def test_a_process_that_takes_too_long_is_ended_and_reported(tmp_path: Path) -> None:
    made = prepared(tmp_path)
    worker = Worker("lxc", sorted(os.sched_getaffinity(0))[-1:], tmp_path / "log")
    request = {"do": "build", "case": CASE, "folder": str(made.folder)}
    with pytest.raises(Lost) as caught:
        worker.ask(request, 0.01)
    assert caught.value.status == "over time"
    assert worker.process.poll() is not None


def test_growth_is_told_by_a_line_and_by_what_is_farthest_from_it() -> None:
    exact = line_of([(1, 5.0), (2, 7.0), (4, 11.0)])
    assert [exact.fixed, exact.step] == pytest.approx([3, 2])
    assert exact.worst < 1e-9
    bent = line_of([(1, 1.0), (2, 4.0), (4, 16.0)])
    assert bent.worst > 0.2


def test_every_series_is_shown_with_the_sizes_that_gave_no_result() -> None:
    outcomes = [timed_outcome(1e-3 * number) for number, _ in enumerate(GROWTH, 1)]
    outcomes[0] = Outcome("failed", "too much")
    pairs = zip(GROWTH, outcomes, strict=True)
    shown = growths([Result(case.name, {}, {"lxc": one}) for case, one in pairs])
    assert len(shown) == sum(len(series.panels) for series in SERIES)
    first, second = shown[:2]
    assert first.missing == (SERIES[0].cases[0][0],)
    assert second.missing == ()
    assert "off by" in str(second)
    sizes = [one for one in shown if one.panel.unit == "KiB"]
    assert all("too few points" in str(one) for one in sizes)
