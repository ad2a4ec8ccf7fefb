"""What this machine can do at most, measured when it is first asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from lxc.profiling.gauging import GaugeLibrary, gauge_library
from lxc.targets.target import Target

MEMORY = "DRAM"
MOST_BYTES = 512 << 20
FLOATS = ("float32", "float64")


class Ceilings(Protocol):
    """Rates that no kernel exceeds, for some threads at once."""

    def flops(self, dtype: str, threads: int) -> float:
        """Return the operations per nanosecond on numbers of a type."""

    def reads(self, size: int, threads: int) -> tuple[str, float]:
        """Return where so many bytes lie that are read over and over, and bytes per ns."""


@dataclass
class MachineCeilings:
    """The ceilings of this machine for the instructions of one target.

    `caches` are the bytes of one processor's by level; the last of them is shared.
    """

    target: Target
    caches: Mapping[str, int]
    gauges: dict[str, GaugeLibrary] = field(default_factory=dict)
    rates: dict[tuple[str, int], float] = field(default_factory=dict)

    def flops(self, dtype: str, threads: int) -> float:
        """Return the multiply-adds, counted twice, per nanosecond."""
        kind = dtype if dtype in FLOATS else FLOATS[0]
        key = kind, threads
        if key not in self.rates:
            self.rates[key] = self.gauge(kind).flops(threads)
        return self.rates[key]

    def reads(self, size: int, threads: int) -> tuple[str, float]:
        """Return the smallest cache that so many bytes fit into, and its rate."""
        level = self.level(size, threads)
        key = level, threads
        if key not in self.rates:
            bytes_of = self.gauge(FLOATS[0]).bytes
            self.rates[key] = bytes_of(self.sample(level, threads), threads)
        return level, self.rates[key]

    def level(self, size: int, threads: int) -> str:
        """Return where so many bytes lie."""
        rooms = {
            level: room if level == list(self.caches)[-1] else room * threads
            for level, room in self.caches.items()
        }
        return next((level for level, room in rooms.items() if size <= room), MEMORY)

    def sample(self, level: str, threads: int) -> int:
        """Return how many bytes to read so that they surely lie at a level."""
        levels = list(self.caches)
        if level == MEMORY:
            return min(MOST_BYTES, max(4 * self.caches[levels[-1]], MOST_BYTES // 4))
        if level == levels[-1]:
            inner = self.caches[levels[-2]] * threads if len(levels) > 1 else 0
            return max(4 * inner, self.caches[level] // 8)
        return self.caches[level] * threads // 2

    def gauge(self, dtype: str) -> GaugeLibrary:
        """Return the busy functions for a type of numbers, made once."""
        if dtype not in self.gauges:
            self.gauges[dtype] = gauge_library(self.target, dtype)
        return self.gauges[dtype]

    def to_json(self) -> list[dict[str, Any]]:
        """Return what was measured: 1e9 operations or bytes per second."""
        return [
            {
                "what": what,
                "threads": threads,
                "unit": "GFLOP/s" if what in FLOATS else "GB/s",
                "rate": rate,
            }
            for (what, threads), rate in self.rates.items()
        ]
