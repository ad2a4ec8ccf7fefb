"""Functions that keep a processor busy do the work that they are counted for."""

import ctypes

import numpy as np
import pytest

from lxc.profiling.gauging import best_rate, gauge_library, rounds_of
from lxc.runtime.memory import address, aligned_bytes
from lxc.targets import target_named
from lxc.targets.llvm.gauges import MULTIPLY_ADDS, READS, READS_AHEAD

ROUNDS = 3
LEVELS = ("x86-64-v2", "x86-64-v3")


@pytest.mark.parametrize(
    ("level", "dtype"), [("x86-64-v2", "float64"), ("x86-64-v3", "float32")]
)
def test_a_round_multiplies_and_adds_in_every_lane(level: str, dtype: str) -> None:
    library = gauge_library(target_named(level), dtype)
    data = aligned_bytes(library.gauge.room).view(dtype)
    data[:] = np.arange(data.size)
    factor, term = data[-2:] = 2.0, 3.0
    lanes = library.gauge.chains * library.gauge.width
    assert library.gauge.flops == 2 * lanes
    assert data.size == lanes + 2
    expected = np.arange(lanes, dtype=dtype)
    for _ in range(ROUNDS):
        expected = expected * factor + term
    library.handle[MULTIPLY_ADDS](ctypes.c_void_p(address(data)), ctypes.c_int64(ROUNDS))
    assert np.array_equal(data[:lanes], expected)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", [READS, READS_AHEAD])
def test_a_round_reads_all_of_the_memory(level: str, name: str) -> None:
    library = gauge_library(target_named(level), "float32")
    gauge, count = library.gauge, 5
    sums = aligned_bytes(gauge.room).view(np.float32)
    sums[:] = 0
    memory = aligned_bytes(count * gauge.bytes).view(np.float32)
    memory[:] = np.arange(memory.size) % 64
    places = [ctypes.c_void_p(address(one)) for one in (sums, memory)]
    library.handle[name](*places, ctypes.c_int64(count), ctypes.c_int64(ROUNDS))
    expected = ROUNDS * memory.reshape(count, -1).sum(axis=0)
    assert np.array_equal(sums[: expected.size], expected)
    assert not sums[expected.size :].any()


def test_a_rate_is_the_work_of_all_threads_in_the_same_time() -> None:
    done = [0, 0]

    def busy(place: int, rounds: int) -> None:
        done[place] = rounds
        np.ones(1000 * rounds).sum()

    rate = best_rate([lambda n: busy(0, n), lambda n: busy(1, n)], 10)
    assert rate > 0
    assert done[0] == done[1] >= 1
    assert rounds_of(lambda n: busy(0, n)) >= 1


def test_a_library_measures_computing_and_reading() -> None:
    library = gauge_library(target_named("x86-64-v2"), "float32")
    assert library.flops(2) > 0
    assert library.bytes(1 << 14, 1) > 0
