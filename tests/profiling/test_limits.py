"""The least time of a kernel follows from its work and from what the machine can do."""

import pytest

from lxc.ir.parser import parse_graph
from lxc.profiling.ceilings import MEMORY, MachineCeilings
from lxc.profiling.limits import Limit, Work, limit_of
from lxc.profiling.traffic import Traffic, traffic_in
from lxc.targets import target_named

CACHES = {"L1": 1 << 15, "L2": 1 << 20, "L3": 1 << 24}


class FixedCeilings:
    """Rates of a machine that nobody has to measure."""

    def flops(self, dtype: str, threads: int) -> float:
        """Return 100 operations per nanosecond and thread, half of it for float64."""
        return (50.0 if dtype == "float64" else 100.0) * threads

    def reads(self, size: int, threads: int) -> tuple[str, float]:
        """Return 50 bytes per nanosecond from near, 10 from far."""
        return ("near", 50.0) if size <= 1000 else ("far", 10.0)


@pytest.mark.parametrize(
    ("work", "traffic", "limit"),
    [
        # All that it touches is near.
        (Work(0, 500, "float32", 1), Traffic(0, 0), Limit(10.0, "near")),
        # Weights come from where all weights are, though the kernel's own are few.
        (Work(100, 500, "float32", 1), Traffic(400, 5000), Limit(42.0, "far")),
        (Work(10000, 500, "float32", 1), Traffic(400, 5000), Limit(100.0, "compute")),
        (Work(10000, 500, "float32", 2), Traffic(400, 5000), Limit(50.0, "compute")),
        (Work(10000, 500, "float64", 1), Traffic(400, 5000), Limit(200.0, "compute")),
        # What is too large comes from afar, even if it was just made.
        (Work(0, 2000, "float32", 1), Traffic(0, 9000), Limit(200.0, "far")),
        # More cannot be weights than a kernel reads.
        (Work(0, 500, "float32", 1), Traffic(900, 5000), Limit(50.0, "far")),
    ],
)
def test_the_slower_of_computing_and_moving_counts(
    work: Work, traffic: Traffic, limit: Limit
) -> None:
    found = limit_of(work, traffic, FixedCeilings())
    assert found is not None
    assert found.bound == limit.bound
    assert found.nanoseconds == pytest.approx(limit.nanoseconds)


def test_what_does_nothing_has_no_limit() -> None:
    assert limit_of(Work(0, 0, "float32", 1), Traffic(0, 0), FixedCeilings()) is None


@pytest.mark.parametrize(
    ("size", "threads", "level"),
    [
        (1 << 15, 1, "L1"),
        ((1 << 15) + 1, 1, "L2"),
        # Threads have first and second-level caches of their own, and one third level.
        (1 << 16, 2, "L1"),
        (1 << 21, 2, "L2"),
        ((1 << 24) + 1, 2, MEMORY),
    ],
)
def test_bytes_lie_in_the_smallest_cache_that_holds_them(
    size: int, threads: int, level: str
) -> None:
    ceilings = MachineCeilings(target_named("x86-64-v2"), CACHES)
    assert ceilings.level(size, threads) == level
    sample = ceilings.sample(level, threads)
    assert sample > (0 if level == MEMORY else CACHES[level] // 8 - 1)
    assert ceilings.level(sample, threads) == level


GRAPH = """
graph @m lux {
  dim N: 1..8
  input %x: f32[N, 4]
  param @w: f32[4, 4]
  tree params = (*)
  %0: f32[N, 4] = dot_general(%x, @w) { DIMENSIONS }
  %1: f32[N, 4] = exp(%0)
  return %1
}
"""


def test_weights_are_read_once_in_a_pass_over_all_kernels() -> None:
    axes = "lhs_contract = [1], rhs_contract = [0], lhs_batch = [], rhs_batch = []"
    graph = parse_graph(GRAPH.replace("DIMENSIONS", axes))
    found = traffic_in(graph, {"N": 2})
    product, exponent = (found[node] for node in graph.nodes)
    # The weight has 64 bytes, each result 32.
    assert product == Traffic(64, 128)
    assert exponent == Traffic(0, 128)
