"""The vectors along rows, and the partial results of reductions of some rows at once.

A row is walked in parts that can be read and written vector by vector. How many chains of
partial results there are, and the order in which they are put together, follow from the
size of a part, the work of the walk and the machine alone: not from how many rows are
walked at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lxc.ir.machine import Machine
from lxc.targets.kernels.anchors import Anchor
from lxc.targets.kernels.element import Elements
from lxc.targets.kernels.rows.merging import Merging
from lxc.targets.kernels.split import powers
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import Buffer, Expr, Index, divide, load, modulo

MOST_CHAINS, MOST_EXTREMES = 4, 2
"""How many chains are enough for sums, and for maxima, which wait less."""
MOST_PARTIAL_RESULTS = 8

MOST_IN_A_RUN = 4
"""So many vectors of a row are stored one after the other.

Vectors that lie across two lines of the cache take long where every one that is stored is
of another row than the one before.
"""


@dataclass(frozen=True)
class Vector:
    """One vector of a part: where in it each lane is, the width, and the chain."""

    inner: Index
    width: int
    chain: int


Step = Callable[[Index, Sequence[Vector]], None]
"""Writes a run of vectors, row by row: the part, and those that follow each other."""


@dataclass(frozen=True)
class Vectors:
    """How a row of `parts` parts of `size` elements is taken for vectors.

    There are `count` chains of vectors of `width` lanes; what is left of a part is taken in
    vectors of the widths of `tails`.
    """

    parts: Index
    size: Index
    width: int
    count: int

    @property
    def tails(self) -> tuple[int, ...]:
        """The widths of the vectors at the end of a part, falling."""
        if isinstance(self.size, int):
            return powers(self.size % self.width, self.width)
        return tuple(self.width >> shift for shift in range(1, self.width.bit_length()))

    def write(self, writer: Writer, step: Step) -> None:
        """Write the steps for all vectors of a row."""
        with writer.loop(self.parts) as part:
            if isinstance(self.size, int):
                self.write_part(writer, part, self.size, step)
            else:
                self.write_symbolic_part(writer, part, step)

    def write_whole(self, writer: Writer, part: Index, turns: Index, step: Step) -> None:
        """Write the steps of all chains, `turns` times."""
        with writer.loop(turns) as turn:
            first = turn * self.count * self.width
            step(part, self.run(writer, first, self.count))

    def run(self, writer: Writer, first: Index, count: int) -> list[Vector]:
        """Return so many vectors that follow each other, one of every chain."""
        lane = writer.lane(self.width)
        starts = [first + chain * self.width + lane for chain in range(count)]
        return [Vector(inner, self.width, chain) for chain, inner in enumerate(starts)]

    def write_part(self, writer: Writer, part: Index, size: int, step: Step) -> None:
        """Write the steps of a part of known size."""
        turns, chains = divmod(size // self.width, self.count)
        self.write_whole(writer, part, turns, step)
        position = turns * self.count * self.width
        if chains:
            step(part, self.run(writer, position, chains))
            position += chains * self.width
        for width in self.tails:
            step(part, [Vector(position + writer.lane(width), width, 0)])
            position += width

    def write_symbolic_part(self, writer: Writer, part: Index, step: Step) -> None:
        """Write the steps of a part whose size only a run knows."""
        block = self.width * self.count
        turns = writer.name(divide(self.size, block), self.size + 1)
        self.write_whole(writer, part, turns, step)
        done = writer.name(turns * block, self.size + 1)
        left: Index = 0
        if self.count > 1:
            left = writer.name(divide(self.size - done, self.width), self.count)
        with writer.loop(left) as number:
            start = done + number * self.width
            step(part, self.run(writer, start, 1))
        position = writer.name(done + left * self.width, self.size + 1)
        for width in self.tails:
            present = modulo(divide(self.size, width), 2)
            with writer.loop(present):
                step(part, [Vector(position + writer.lane(width), width, 0)])
            position = writer.name(position + present * width, self.size + 1)


def vectors_of(
    parts: Index, size: Index, machine: Machine, kinds: Sequence[str], *, long: bool
) -> Vectors:
    """Return the vectors for a walk with reductions; `long` work has one chain.

    Without reductions the chains are but a run of vectors.
    """
    width = machine.lanes
    while isinstance(size, int) and width > max(1, size):
        width //= 2
    chains = MOST_EXTREMES if set(kinds) <= {"max", "min"} else MOST_CHAINS
    chains = chains if kinds else MOST_IN_A_RUN
    most = 1 if long else min(chains, MOST_PARTIAL_RESULTS // max(1, len(kinds)))
    whole = size // width if isinstance(size, int) else most
    return Vectors(parts, size, width, max(1, min(most, whole)))


class PartialResults:
    """The chains of one reduction along each of some rows."""

    def __init__(
        self, writer: Writer, anchor: Anchor, vectors: Vectors, rows: int, lanes: int
    ) -> None:
        """Write the start of every chain; a register has `lanes`."""
        self.writer, self.anchor, self.lanes = writer, anchor, lanes
        self.width = vectors.width
        self.chains = [
            [self.start(vectors.width) for _ in range(vectors.count)] for _ in range(rows)
        ]
        self.tails = [
            {width: self.start(width) for width in vectors.tails} for _ in range(rows)
        ]

    def start(self, width: int) -> Buffer:
        """Return a new vector of the result of nothing.

        Were it known to be zero, the first product would not be fused with it, but perhaps
        with the second one.
        """
        held, lane = self.anchor.held, self.writer.lane(width)
        vector = self.writer.array(held, width)
        self.writer.store(vector, lane, self.writer.settled(held, self.anchor.start), width)
        return vector

    def add(self, elements: Elements, element: Expr, row: int, chain: int) -> None:
        """Write one vector of elements into a chain of a row."""
        width, lane = elements.width, self.writer.lane(elements.width)
        whole = width == self.width
        total = self.chains[row][chain] if whole else self.tails[row][width]
        term = self.anchor.term([element], elements.hold)
        combined = self.anchor.combine(load(total, lane), term, elements.hold)
        self.writer.store(total, lane, combined, width)

    def merged(self) -> Buffer:
        """Write the tree that puts all chains together; return one result for each row."""
        merging = Merging(self.writer, self.anchor, self.lanes)
        totals = [merging.vector(chains, self.width) for chains in self.chains]
        ends = {width: [one[width] for one in self.tails] for width in self.tails[0]}
        return merging.numbers(totals, self.width, ends)


def rows_at_once(partial: int, row_bytes: Index, machine: Machine) -> int:
    """Return how many rows to walk at once, a power of two.

    A row waits for its own reductions, so that the machine is idle unless there are others
    to go on with. All of them, with `partial` vectors each of results of reductions, have
    to fit into registers, and what they read and write into the second-level cache.
    """
    count = machine.registers // 8
    while count > 1 and count * partial > 3 * machine.registers // 8:
        count //= 2
    while count > 1 and isinstance(row_bytes, int):
        if 4 * count * row_bytes <= machine.second_cache:
            break
        count //= 2
    return count
