"""Where the time of a call goes, kernel by kernel or layer by layer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.benchmarking.machine import usable_threads
from lxc.benchmarking.noise import doubts_about
from lxc.html import table
from lxc.profiling.limits import Limit
from lxc.profiling.trace import Measured
from lxc.runtime.memory import Array

NO_LAYER = "(no layer)"
COLUMNS = ("kernel", "layers", "microseconds", "share", "calls", "of limit")


@dataclass(frozen=True)
class Row:
    """The time of one kernel, or of all copies, within a call of the model.

    It runs `calls` times in a call; flops, bytes and limit are those of all of them. The
    kernel is number `number` of those that `lxc inspect` lists; copies have none. Of times
    below `noise` nothing can be concluded.
    """

    number: int | None
    facts: Mapping[str, Any]
    times: Array
    calls: int
    flops: int
    bytes: int
    noise: float
    limit: Limit | None = None

    @property
    def median(self) -> float:
        """The usual nanoseconds."""
        return float(np.median(self.times))

    @property
    def least(self) -> float:
        """The fewest nanoseconds."""
        return float(np.min(self.times))

    @property
    def layers(self) -> tuple[str, ...]:
        """The paths of the layers that it belongs to."""
        return tuple(self.facts.get("layers", ()))

    @property
    def name(self) -> str:
        """What it does, in a word."""
        return str(self.facts["ops"])

    def rate(self, amount: float) -> float | None:
        """Return how much of something a nanosecond is; None if nobody can tell."""
        return amount / self.median if self.median > self.noise else None

    @property
    def of_limit(self) -> float | None:
        """The part of its usual time that it needs at least."""
        return self.rate(self.limit.nanoseconds) if self.limit else None


@dataclass(frozen=True)
class LayerRow:
    """The time of all kernels that belong to the same layers."""

    layer: str
    kernels: int
    calls: int
    median: float
    flops: int
    bytes: int


@dataclass(frozen=True)
class Profile:
    """The kernels of a call and of preparing, and the times of whole calls.

    `rows` are sorted, the longest first; `prepare` are those of what is done once for a set
    of params. `measured` has the single calls. `notes` say what speaks against the numbers.
    """

    name: str
    target: str
    threads: int
    sizes: Mapping[str, int]
    rows: Sequence[Row]
    prepare: Sequence[Row]
    measured: Measured
    ceilings: Sequence[Mapping[str, Any]]
    machine: Mapping[str, Any]
    notes: Sequence[str]

    @property
    def warnings(self) -> list[str]:
        """Reasons to doubt all times, by what the machine did beforehand."""
        return [*doubts_about(self.machine, self.threads, usable_threads())]

    @property
    def kernels_nanoseconds(self) -> float:
        """The usual times of all kernels and copies."""
        return sum(row.median for row in self.rows)

    @property
    def coverage(self) -> float:
        """The part of a call that its kernels are, by the quickest calls."""
        quickest = self.measured.trace.spans.sum(axis=1).min()
        return float(quickest / self.measured.plain.min())

    def _repr_html_(self) -> str:
        """Return the kernels of a call for a notebook, the longest first."""
        rows = [
            (
                row.name,
                ", ".join(row.layers),
                f"{row.median / 1e3:,.1f}",
                f"{self.share(row.median):.1%}",
                row.calls,
                "" if row.of_limit is None else f"{row.of_limit:.0%}",
            )
            for row in self.rows
        ]
        return table(f"{self.name} on {self.target}", COLUMNS, rows)

    def share(self, nanoseconds: float) -> float:
        """Return the part of all kernels' time."""
        return nanoseconds / (self.kernels_nanoseconds or 1.0)

    def by_layer(self, levels: int) -> list[LayerRow]:
        """Return the time of layers by the first levels of their paths, longest first."""
        groups: dict[str, list[Row]] = {}
        for row in self.rows:
            groups.setdefault(layer_of(row, levels), []).append(row)
        found = [
            LayerRow(
                layer,
                len(rows),
                sum(row.calls for row in rows),
                sum(row.median for row in rows),
                sum(row.flops for row in rows),
                sum(row.bytes for row in rows),
            )
            for layer, rows in groups.items()
        ]
        return sorted(found, key=lambda row: -row.median)


def layer_of(row: Row, levels: int) -> str:
    """Return the layers of a row, each as far as the first levels of its path."""
    if row.number is None:
        return f"({row.name})"
    paths = dict.fromkeys(".".join(path.split(".")[:levels]) for path in row.layers)
    return ", ".join(paths) or NO_LAYER


def sorted_rows(rows: Sequence[Row]) -> list[Row]:
    """Return rows, the longest first."""
    return sorted(rows, key=lambda row: -row.median)
