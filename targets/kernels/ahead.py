"""Fetch the weights of the next panel while a tile is computed with the present one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lxc.targets.kernels.place import Place
from lxc.targets.kernels.sizes import product
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import Buffer, Index, at_most, modulo

LINE_BYTES = 64
SMALL_BYTES = 16 << 10
"""A panel of fewer bytes is there soon enough without help."""
MOST_STREAMS = 8
"""Memory gives more at a time where it is read in so many places."""
NEAR_STEPS = 16
"""So many steps ahead a line is fetched to where it is read from."""
ALONE_STEPS = 8
"""The same where nobody else reads the panel; it comes to the second-level cache.

To fetch a line that is in it takes as long as to read it, so that is done only where the
weights do not fit into any such cache.
"""
NEAR_TURNS = 16
"""More tiles that share a panel gain less by that than the fetches of each of them cost."""

MOST_CELL_STEPS = 64
"""Longer sums leave time enough for the cells of the next tile to come by themselves."""


@dataclass(frozen=True)
class Ahead:
    """The part of the next panel that one tile fetches: `rate` elements in every step.

    The first `parts` tiles fetch all of it. `start` is the first element of a tile's part,
    none of which begins behind `last`. `line` is the number of elements in a cache line.
    A part is fetched in several streams side by side.
    """

    buffer: Buffer
    line: int
    rate: int
    reach: int
    parts: int
    last: int
    start: Index = 0

    @classmethod
    def of(
        cls, buffer: Buffer, count: int, size: int, panel: int, steps: int, turns: int
    ) -> "Ahead | None":
        """Return how `turns` tiles of some steps share a panel of elements of a size."""
        rate = -(-panel // (steps * turns))
        reach = rate * steps
        if panel * size < SMALL_BYTES or reach > count:
            return None
        parts = -(-panel // reach)
        return cls(buffer, LINE_BYTES // size, rate, reach, parts, count - reach)

    def named(self, writer: Writer, panel: Index, turn: Index) -> "Ahead":
        """Return the part of one tile; it never goes past the end of the weights."""
        part = at_most(turn, self.parts - 1)
        start = at_most(panel + part * self.reach, self.last)
        return replace(self, start=writer.name(start, self.last + 1))

    def write(self, writer: Writer, depth: Sequence[Index], deep: Sequence[Index]) -> None:
        """Write what one step fetches."""
        step, width = Place(depth, deep).position, self.rate // self.streams
        for stream in range(self.streams):
            first = self.start + stream * (self.reach // self.streams) + step * width
            for offset in range(0, width, self.line):
                position = first + offset
                writer.fetch(self.buffer, writer.prover.simplify(position))

    @property
    def streams(self) -> int:
        """How many streams a part is fetched in, each some lines in every step."""
        lines, rest = divmod(self.rate, self.line)
        if rest:
            return 1
        return max(n for n in range(1, MOST_STREAMS + 1) if lines % n == 0)


@dataclass(frozen=True)
class Near:
    """What some steps later is read of the same panel: its lines begin at `firsts`.

    Steps lie `stride` elements apart. What one tile reads `alone` comes from memory at the
    speed at which it is read, so it need not come all the way.
    """

    buffer: Buffer
    firsts: tuple[Index, ...]
    stride: int
    alone: bool

    def write(self, writer: Writer, depth: Sequence[Index], deep: Sequence[Index]) -> None:
        """Write what one step fetches; the last steps fetch the last one again."""
        steps, further = product(depth), ALONE_STEPS if self.alone else NEAR_STEPS
        later = at_most(Place(depth, deep).position + further, steps - 1)
        later = writer.name(writer.prover.simplify(later), steps)
        for first in self.firsts:
            position = writer.prover.simplify(first + later * self.stride)
            writer.fetch(self.buffer, position, nearest=not self.alone)


@dataclass(frozen=True)
class Beside:
    """What a step reads for the next panel, right behind what it reads for this one.

    `place` is where a step begins to read, `width` how many elements, none behind `last`.
    The tiles of a panel share its lines: one fetches `count` of them in every step, from
    line `first` on.
    """

    buffer: Buffer
    line: int
    place: Callable[[Sequence[Index]], Index]
    width: int
    last: Index
    first: Index = 0
    count: int = 1

    @property
    def lines(self) -> int:
        """The lines that a step reads."""
        return -(-self.width // self.line)

    def named(self, writer: Writer, turn: Index, turns: Index) -> "Beside":
        """Return the lines of one tile; where there are more tiles, they begin again."""
        count = -(-self.lines // turns) if isinstance(turns, int) else self.lines
        parts = -(-self.lines // count)
        first = writer.name(modulo(turn, parts) * count, self.lines)
        return replace(self, first=first, count=count)

    def write(self, writer: Writer, depth: Sequence[Index], deep: Sequence[Index]) -> None:
        """Write what one step fetches."""
        for number in range(self.count):
            ahead = self.width + (self.first + number) * self.line
            position = at_most(self.place(deep) + ahead, self.last)
            writer.fetch(self.buffer, writer.prover.simplify(position))


@dataclass(frozen=True)
class Cells:
    """What the next tile reads of its cells: some `lines` for each entry of all outer axes.

    `place` is where those of an entry begin. Sums of one vector per cell need a load for
    every term, which has to wait while a line comes to the first-level cache.
    """

    buffer: Buffer
    line: int
    lines: int
    place: Callable[[Sequence[Index]], Index]

    def write(self, writer: Writer, depth: Sequence[Index], deep: Sequence[Index]) -> None:
        """Write what one step fetches: a line in each of the last axis, if any is left."""
        number = deep[-1]
        if isinstance(number, int) and number >= self.lines:
            return
        position = self.place(deep) + at_most(number, self.lines - 1) * self.line
        writer.fetch(self.buffer, writer.prover.simplify(position), nearest=True)
