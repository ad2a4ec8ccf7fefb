"""What there is in a file of parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.runtime.checkpoint import Array

SUMMED_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class Statistics:
    """The smallest and the largest number, their mean, and how many are NaN or infinite.

    The first three are those of the finite ones, None where there are none.
    """

    lowest: float | None
    highest: float | None
    mean: float | None
    not_finite: int


@dataclass(frozen=True)
class Row:
    """One array."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    size: int
    bytes: int
    statistics: Statistics | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what JSON output says of an array."""
        described: dict[str, Any] = {
            "name": self.name,
            "dtype": self.dtype,
            "shape": list(self.shape),
            "bytes": self.bytes,
        }
        if self.statistics is not None:
            described |= {
                "min": self.statistics.lowest,
                "max": self.statistics.highest,
                "mean": self.statistics.mean,
                "not_finite": self.statistics.not_finite,
            }
        return described


def rows(arrays: Mapping[str, Array], *, with_statistics: bool = False) -> list[Row]:
    """Return what there is, in order of the file."""
    return [
        Row(
            name,
            array.dtype.name,
            array.shape,
            array.size,
            array.nbytes,
            statistics(array) if with_statistics else None,
        )
        for name, array in arrays.items()
    ]


def statistics(array: Array) -> Statistics:
    """Return what the numbers of an array are like, computed in float64, part by part."""
    flat = array.reshape(-1)
    lowest, highest, total, count = np.inf, -np.inf, 0.0, 0
    for start in range(0, flat.size, SUMMED_AT_ONCE):
        part = flat[start : start + SUMMED_AT_ONCE].astype(np.float64)
        part = part[np.isfinite(part)]
        if part.size:
            lowest, highest = min(lowest, part.min()), max(highest, part.max())
            total, count = total + part.sum(), count + part.size
    if not count:
        return Statistics(None, None, None, flat.size)
    mean = float(total / count)
    return Statistics(float(lowest), float(highest), mean, flat.size - count)
