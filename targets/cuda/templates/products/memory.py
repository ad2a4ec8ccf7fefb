"""The shared memory of a block that computes a tile of a product."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.shared_memory import SharedArray
from lxc.targets.cuda.templates.products.sides import Side
from lxc.targets.cuda.templates.products.splits import Split
from lxc.targets.cuda.templates.products.tilings import Tiling
from lxc.targets.kernels.storage import stored
from lxc.targets.tvm_api import Buffer

TELLING = 2
"""So many slices tell others their sums at a time: the stages need the memory."""


@dataclass(frozen=True)
class Way:
    """Tiles, and how the operands are kept for them.

    A sum has chains of so many terms, None if it is one, which blocks share by a `split`.
    """

    tiling: Tiling
    sides: tuple[Side, Side]
    chain: int | None = None
    split: Split | None = None

    def by_elements(self) -> "Way":
        """Return the same where every element is copied for itself."""
        left, right = (side.by_elements() for side in self.sides)
        return replace(self, sides=(left, right))

    def stage_count(self, side: Side) -> int:
        """Return how many elements all stages of an operand take."""
        return side.count * self.tiling.stages * self.tiling.slices

    @property
    def partial_count(self) -> int:
        """How many sums slices tell each other at a time."""
        if self.split is not None or self.tiling.slices == 1:
            return 0
        return TELLING * self.tiling.rows * self.tiling.columns

    @property
    def result_count(self) -> int:
        """How many elements the sums of a tile take, with one more per row."""
        return self.tiling.rows * (self.tiling.columns + 1)


@dataclass(frozen=True)
class Memory:
    """The stages of both operands, what slices tell each other, and sums of a tile.

    The latter lie in the place of the former.
    """

    stages: tuple[Buffer, Buffer]
    partial: Buffer | None
    sums: Buffer


def memories_of(writer: GridWriter, ways: Iterable[Way]) -> list[Memory]:
    """Return the shared memory of each of some ways, of which a block goes one."""
    wanted = [arrays_of(way, number) for number, way in enumerate(ways)]
    arrays = iter(writer.shared(*(one for part in wanted for one in part)))
    memories = []
    for part in wanted:
        left, right, *partial, sums = (next(arrays) for _ in part)
        memories.append(Memory((left, right), partial[0] if partial else None, sums))
    return memories


def arrays_of(way: Way, number: int) -> list[SharedArray]:
    """Return what one of several ways needs."""
    first, last = 2 * number, 2 * number + 1
    found = [
        SharedArray(
            f"{name}{number}", stored(side.operand.dtype), way.stage_count(side), first
        )
        for name, side in zip(("left", "right"), way.sides, strict=True)
    ]
    if way.partial_count:
        partial = SharedArray(f"partial{number}", "float32", way.partial_count, first)
        found.append(partial)
    return [*found, SharedArray(f"sums{number}", "float32", way.result_count, last)]
