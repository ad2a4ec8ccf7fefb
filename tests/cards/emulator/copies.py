"""Copies to shared memory that go on while threads do other things."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.cards.emulator.accesses import Numbers
from tests.cards.emulator.block import Block
from tests.cards.emulator.faults import Fault
from tests.cards.emulator.grid import Grid, Turn
from tests.cards.emulator.memory import Location


@dataclass(frozen=True)
class Copy:
    """Where a copy of each of some threads goes, what it brings, which groups it is in."""

    to: Location
    values: NDArray[Any]
    groups: Numbers

    def part(self, where: NDArray[Any]) -> "Copy":
        """Return the copies of some of the threads."""
        return Copy(self.to.part(where), self.values[where], self.groups[where])

    def land(self) -> None:
        """Write what the copies bring."""
        size = self.values.itemsize * self.values.shape[1]
        self.to.array.memory.in_flight[self.to.places(size, size)] = False
        self.to.write(self.values, align=size)


class Copying:
    """The copies of all threads of a block, and how many groups each of them closed.

    `turn` is that of the block if the blocks of the `grid` wait for each other.
    """

    def __init__(self, block: Block, grid: Grid, turn: Turn | None) -> None:
        self.block, self.grid, self.turn = block, grid, turn
        self.closed = np.zeros(block.threads, dtype=np.int64)
        self.under_way: list[Copy] = []

    def copy_later(self, to: Any, values: NDArray[Any]) -> None:
        """Begin copies to shared memory, as part of the open groups of copies."""
        size = values.itemsize * values.shape[1]
        at, memory = to.places(size, size), to.array.memory
        memory.claim(self.block, to.threads, at)
        memory.in_flight[at] = True
        self.under_way.append(Copy(to, values, self.closed[to.threads]))

    def close_copies(self) -> None:
        """Close the open group of copies of each thread."""
        self.closed[self.block.rows] += 1

    def wait_copies(self, groups: NDArray[Any]) -> None:
        """Finish all closed groups but the last few."""
        done = np.zeros(self.block.threads, dtype=np.int64)
        done[self.block.rows] = self.closed[self.block.rows] - groups
        before, self.under_way = self.under_way, []
        for copy in before:
            landed = copy.groups < done[copy.to.threads]
            copy.part(landed).land()
            if not landed.all():
                self.under_way.append(copy.part(~landed))

    def meet_blocks(self, counter: Any, count: NDArray[Any]) -> None:
        """Count this block, and wait until so many were counted."""
        turn, memory = self.turn, counter.array.memory
        if turn is None:
            raise Fault("divergence", "blocks wait for each other that do not run at once")
        at = counter.places(4, 4)[:1]
        if not memory.written[at].all():
            raise Fault("uninitialised", f"{memory.name} is counted on")
        held = memory.content[at[0, 0] : at[0, 0] + 4].view(np.uint32)
        self.grid.counted = lambda: int(held[0])

        def wait() -> None:
            held[0] += 1
            turn.meet(int(count[0]))

        self.block.meet_blocks("a barrier of the grid", wait)
