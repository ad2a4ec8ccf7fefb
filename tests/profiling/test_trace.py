"""What follows from the events of calls."""

import json
from collections.abc import Iterator

import numpy as np
import pytest

from lxc.errors import InternalError
from lxc.profiling.chrome import chrome_trace
from lxc.profiling.described import described
from lxc.profiling.limits import Limit
from lxc.profiling.profile import Profile, Row, sorted_rows
from lxc.profiling.trace import Measured, Trace, Tracer, measured
from lxc.runtime.memory import Array
from lxc.targets.llvm.stamped import BEGIN, COPY

TRACE = Trace(
    np.array([BEGIN, BEGIN, 0, 1, 0, COPY]),
    np.array([[0, 20, 140, 1160, 1280, 1310], [2000, 2020, 2160, 3180, 3290, 3300]]),
)
LAYERS = {0: ["encoder.head", "encoder.tail"], 1: ["encoder.head.query", "mask"]}


def row(number: int, event: int) -> Row:
    """Return the row of a kernel of the trace."""
    times, calls = TRACE.of(event)
    facts = {"ops": f"op_{number}", "layers": LAYERS.get(number, [])}
    limit = Limit(100.0, "L1") if number == 0 else None
    return Row(number, facts, times, calls, 600, 60, 20.0 * calls, limit)


def profile() -> Profile:
    """Return a profile of the trace."""
    copies, calls = TRACE.of(COPY)
    rows = [row(0, 0), row(1, 1), Row(None, {"ops": "copies"}, copies, calls, 0, 0, 20.0)]
    whole = Measured(TRACE, np.array([1500, 1300]), np.array([1800, 1700]))
    machine = {"processor": "some", "load": [0.0], "governor": None}
    return Profile("net", "x", 1, {"N": 2}, sorted_rows(rows), [], whole, [], machine, [])


def test_a_span_is_the_time_between_stamps_without_that_of_a_stamp() -> None:
    assert TRACE.stamp == 20
    assert TRACE.spans[0].tolist() == [0, 100, 1000, 100, 10]
    # What takes less than the stamp behind it took no time.
    assert TRACE.spans[1].tolist() == [0, 120, 1000, 90, 0]


def test_a_kernel_that_runs_twice_has_the_sum_of_both() -> None:
    times, calls = TRACE.of(0)
    assert (times.tolist(), calls) == ([200, 210], 2)


def test_shares_add_up_and_the_longest_comes_first() -> None:
    said = described(profile(), levels=1)
    assert [one["ops"] for one in said["kernels"]] == ["op_1", "op_0", "copies"]
    assert sum(one["share"] for one in said["kernels"]) == pytest.approx(1)
    assert said["kernels"][-1]["cumulative"] == pytest.approx(1)
    assert said["nanoseconds"]["kernels"] == 1000 + 205 + 5
    assert said["coverage"] == pytest.approx(1210 / 1300)
    slow, fast, copies = said["kernels"]
    assert slow["gflops"] == 0.6
    assert fast["roofline"]["fraction"] == pytest.approx(100 / 205)
    # Five nanoseconds are less than a stamp takes.
    assert (copies["gflops"], copies["roofline"]) == (None, None)
    assert json.loads(json.dumps(said)) == said


@pytest.mark.parametrize(
    ("levels", "names"),
    [
        (1, ["encoder, mask", "encoder", "(copies)"]),
        (2, ["encoder.head, mask", "encoder.head, encoder.tail", "(copies)"]),
        (3, ["encoder.head.query, mask", "encoder.head, encoder.tail", "(copies)"]),
    ],
)
def test_kernels_of_the_same_layers_are_one_row(levels: int, names: list[str]) -> None:
    rows = profile().by_layer(levels)
    assert [one.layer for one in rows] == names
    assert sum(one.median for one in rows) == profile().kernels_nanoseconds


def test_what_belongs_to_no_layer_is_told() -> None:
    rows = [row(2, 0)]
    found = Profile("net", "x", 1, {}, rows, [], profile().measured, [], {}, [])
    (only,) = found.by_layer(1)
    assert only.layer == "(no layer)"


def test_a_trace_for_chrome_has_kernels_inside_of_calls_and_none_overlap() -> None:
    events = json.loads(chrome_trace(profile()))["traceEvents"]
    named = {one["args"]["name"] for one in events if one["ph"] == "M"}
    assert named == {"net for x", "kernels", "layers"}
    timed = [one for one in events if one["ph"] == "X"]
    kinds = [[one for one in timed if one["cat"] == k] for k in ("call", "kernel", "layer")]
    calls, kernels, layers = kinds
    assert [len(kind) for kind in kinds] == [2, 8, 8]
    assert {one["tid"] for one in layers}.isdisjoint(one["tid"] for one in kernels)
    ends = 0.0
    for one in kernels:
        assert one["dur"] >= 0
        assert one["ts"] >= ends
        ends = one["ts"] + one["dur"]
        assert any(
            call["ts"] <= one["ts"] and ends <= call["ts"] + call["dur"] for call in calls
        )
    assert kernels[0]["args"] == {
        "layers": "encoder.head, encoder.tail",
        "result": "",
        "flops": 300,
        "bytes": 30,
    }


class FakeLibrary:
    """Writes the events of calls; the numbers of each call come from a list."""

    def __init__(self, numbers: list[list[int]]) -> None:
        """Begin before the first call."""
        self.calls: Iterator[list[int]] = iter(numbers)
        self.room = np.zeros((0, 2), np.int64)
        self.count = 0

    def begin(self, events: Array) -> None:
        """Let the next call write here."""
        self.room, self.count = events, 0

    def work(self) -> None:
        """Write the events of a call."""
        for number in next(self.calls):
            if self.count < len(self.room):
                self.room[self.count] = number, 10 * self.count
            self.count += 1


def test_calls_are_measured_in_turns_and_those_that_warm_up_do_not_count() -> None:
    library = FakeLibrary([[BEGIN, BEGIN, 0]] * 100)
    plain: list[int] = []
    ticks = iter(range(0, 10**12, 10**7))
    tracer = Tracer(library, library.work)
    found = measured(lambda: plain.append(1), tracer, 0.0, lambda: next(ticks))
    # Two turns of three calls, each behind one that warms up, and two to know the length.
    assert (len(found.plain), len(found.traced), len(plain)) == (6, 6, 10)
    assert found.trace.times.tolist() == [[0, 10, 20]] * 6


@pytest.mark.parametrize("other", [[BEGIN, BEGIN, 1], [BEGIN, BEGIN], [BEGIN] * 4])
def test_calls_that_do_different_things_are_refused(other: list[int]) -> None:
    library = FakeLibrary([[BEGIN, BEGIN, 0]] * 2 + [other])
    tracer = Tracer(library, library.work)
    tracer.ready()
    tracer.work()
    tracer.check()
    tracer.ready()
    tracer.work()
    with pytest.raises(InternalError, match="differ in what they run"):
        tracer.check()
