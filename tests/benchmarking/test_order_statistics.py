"""Intervals of medians, the sign test and the trend, against what is known of them."""

from itertools import product
from statistics import median

import pytest

from lxc.benchmarking.order_statistics import median_interval, sign_chance, trend


@pytest.mark.parametrize(
    ("count", "low", "high", "confidence"),
    # Le Boudec, table A.1: the ranks for 95 percent, and how sure they are.
    [(6, 1, 6, 0.969), (8, 1, 8, 0.992), (10, 2, 9, 0.979), (20, 6, 15, 0.959)],
)
def test_the_ranks_are_those_of_the_tables(
    count: int, low: int, high: int, confidence: float
) -> None:
    found = median_interval([float(rank) for rank in range(count, 0, -1)])
    assert (found.low, found.high) == (low, high)
    assert found.middle == median(range(1, count + 1))
    assert found.confidence == pytest.approx(confidence, abs=5e-4)


def test_fewer_values_than_six_enclose_nothing() -> None:
    with pytest.raises(ValueError, match="5 values"):
        median_interval([1.0] * 5)


def test_as_many_samples_enclose_the_median_as_promised() -> None:
    # Each of eight values is below or above the true median 0: all cases are counted.
    cases = list(product((-1.0, 1.0), repeat=8))
    intervals = [median_interval(case) for case in cases]
    hits = sum(one.low < 0 < one.high for one in intervals)
    assert hits / len(cases) == pytest.approx(intervals[0].confidence)


def test_the_sign_test_counts_coins() -> None:
    assert sign_chance([1.0] * 10) == pytest.approx(2 / 1024)
    assert sign_chance([-1.0] * 9 + [1.0]) == pytest.approx(2 * 11 / 1024)
    assert sign_chance([1.0, -1.0, 0.0]) == 1
    assert sign_chance([0.0, 0.0]) == 1


def test_what_rises_has_a_trend_and_what_jumps_has_none() -> None:
    rising = trend([1 + 0.01 * turn for turn in range(30)])
    assert rising.change == pytest.approx(0.19, abs=0.01)
    assert rising.chance < 1e-6
    falling = trend([2 - 0.01 * turn for turn in range(30)])
    assert falling.change < 0
    assert falling.chance < 1e-6
    assert trend([1.0, 1.2] * 15).chance > 0.3
    assert trend([1.0] * 10) == trend([2.0] * 10)
    assert trend([1.0] * 10).chance == 1
