"""Who last read and who last wrote each byte of a memory that threads share.

Two accesses are in order if one thread makes both, if a barrier of the block lies between
them, or one of the warp for threads of one warp. Those of different blocks are if a barrier
of the grid does.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

WARP = 32
NOBODY, SEVERAL = -1, -2
Numbers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class Who:
    """The threads of one block that touch some bytes at once, one thread for each byte.

    `phase` counts the barriers of the block before; `warp_phases` those of the warps, and
    `grid_phase` those of the grid.
    """

    block: int
    phase: int
    threads: Numbers
    warp_phases: Numbers
    grid_phase: int


class Marks:
    """The last access of one kind to each byte."""

    def __init__(self, size: int) -> None:
        self.blocks = np.full(size, NOBODY)
        self.phases = np.full(size, NOBODY)
        self.threads = np.full(size, NOBODY)
        self.warps = np.full(size, NOBODY)
        self.warp_phases = np.full(size, NOBODY)
        self.grid_phases = np.full(size, NOBODY)

    def unordered(self, at: Numbers, who: Who) -> Flags:
        """Return where these threads are not in order with the last access."""
        known = (self.blocks[at] != NOBODY) & (self.grid_phases[at] == who.grid_phase)
        elsewhere = self.blocks[at] != who.block
        together = (self.phases[at] == who.phase) & (self.threads[at] != who.threads)
        in_warp = self.warps[at] == who.threads // WARP
        after = in_warp & (self.warp_phases[at] < who.warp_phases)
        unordered: Flags = known & (elsewhere | (together & ~after))
        return unordered

    def add(self, at: Numbers, who: Who) -> None:
        """Remember accesses, beside those of the same phase."""
        blocks = self.blocks[at]
        known = (blocks != NOBODY) & (self.grid_phases[at] == who.grid_phase)
        stays = known & (self.phases[at] == who.phase)
        own = ~known | (blocks == who.block)
        merge(self.threads, at, who.threads, stays)
        merge(self.warps, at, who.threads // WARP, stays)
        latest = np.where(stays, self.warp_phases[at], NOBODY)
        self.warp_phases[at] = np.maximum(latest, who.warp_phases)
        self.blocks[at] = np.where(own, who.block, SEVERAL)
        self.phases[at] = who.phase
        self.grid_phases[at] = who.grid_phase


def merge(known: Numbers, at: Numbers, new: Numbers, stays: Flags) -> None:
    """Write numbers, and `SEVERAL` where one differs from another for the same byte."""
    merged = np.where(stays & (known[at] != new), SEVERAL, new)
    known[at] = merged
    known[at[known[at] != merged]] = SEVERAL


class Accesses:
    """The last reads and writes of a memory."""

    def __init__(self, size: int) -> None:
        self.reads, self.writes = Marks(size), Marks(size)

    def read(self, at: Numbers, who: Who) -> Flags:
        """Note reads; return which of them race with a write."""
        self.reads.add(at, who)
        return self.writes.unordered(at, who)

    def write(self, at: Numbers, who: Who) -> Flags:
        """Note writes; return which of them race."""
        races = self.writes.unordered(at, who) | self.reads.unordered(at, who)
        self.writes.add(at, who)
        twice: Flags = self.writes.threads[at] != who.threads
        return races | twice
