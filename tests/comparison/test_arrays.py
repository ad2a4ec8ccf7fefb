"""How far arrays are apart."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from lxc.comparison import arrays
from lxc.comparison.arrays import distance

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("one", "other", "absolute", "relative"),
    [
        ([1.0, -4.0], [1.0, -4.0], 0.0, 0.0),
        ([1.0, -4.0], [1.5, -4.0], 0.5, 0.125),
        ([0.0], [2.0], 2.0, 2.0),
        ([NAN, INF, -INF], [NAN, INF, -INF], 0.0, 0.0),
        ([NAN, 1.0], [1.0, 1.0], INF, INF),
        ([INF], [-INF], INF, INF),
        ([], [], 0.0, 0.0),
    ],
)
def test_the_largest_difference_counts(
    one: list[float], other: list[float], absolute: float, relative: float
) -> None:
    found = distance(np.array(one, np.float32), np.array(other, np.float32))
    assert (found.absolute, found.relative) == (absolute, relative)


@pytest.mark.parametrize("dtype", [np.int64, np.uint64, ml_dtypes.bfloat16, np.bool_])
def test_every_type_of_element_is_compared(dtype: Any) -> None:
    one, other = np.array([0, 1]).astype(dtype), np.array([1, 1]).astype(dtype)
    assert distance(one, other).absolute == 1
    assert distance(one, one).absolute == 0


def test_large_integers_are_not_rounded() -> None:
    large = np.array([2**62], np.int64)
    assert distance(large, large + 1).absolute == 1


def test_large_arrays_are_compared_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "PART", 3)
    one = np.arange(8.0)
    for place in range(8):
        other = one.copy()
        other[place] += 2
        assert distance(one, other).absolute == 2
        assert distance(one, other).relative == pytest.approx(2 / 7)
