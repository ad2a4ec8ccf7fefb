"""The vectors along one row, and the partial results of its reductions.

A row is walked in parts that can be read and written vector by vector. How many chains of
partial results there are, and the order in which they are put together, follow from the
size of a part, the work of the walk and the machine alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lxc.ir.machine import Machine
from lxc.targets.llvm.anchors import Anchor
from lxc.targets.llvm.element import Elements, Source
from lxc.targets.llvm.split import powers
from lxc.targets.llvm.storage import rounded
from lxc.targets.llvm.writer import Writer
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    constant,
    differs,
    divide,
    load,
    modulo,
)

MOST_CHAINS = 4
MOST_PARTIAL_RESULTS = 8

Step = Callable[[Index, Index, int, int], None]
"""Writes one vector: the part, where in it each lane is, the width, and the chain."""


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
            for chain in range(self.count):
                first = (turn * self.count + chain) * self.width
                step(part, first + writer.lane(self.width), self.width, chain)

    def write_part(self, writer: Writer, part: Index, size: int, step: Step) -> None:
        """Write the steps of a part of known size."""
        turns, chains = divmod(size // self.width, self.count)
        self.write_whole(writer, part, turns, step)
        position = turns * self.count * self.width
        for chain in range(chains):
            step(part, position + writer.lane(self.width), self.width, chain)
            position += self.width
        for width in self.tails:
            step(part, position + writer.lane(width), width, 0)
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
            step(part, start + writer.lane(self.width), self.width, 0)
        position = writer.name(done + left * self.width, self.size + 1)
        for width in self.tails:
            present = modulo(divide(self.size, width), 2)
            with writer.loop(present):
                step(part, position + writer.lane(width), width, 0)
            position = writer.name(position + present * width, self.size + 1)


def vectors_of(
    parts: Index, size: Index, machine: Machine, reductions: int, *, long: bool
) -> Vectors:
    """Return the vectors for a walk with some reductions; `long` work has one chain."""
    width = machine.lanes
    while isinstance(size, int) and width > max(1, size):
        width //= 2
    most = 1 if long else min(MOST_CHAINS, MOST_PARTIAL_RESULTS // max(1, reductions))
    whole = size // width if isinstance(size, int) else most
    return Vectors(parts, size, width, max(1, min(most, whole)))


class PartialResults:
    """The chains of one reduction along one row."""

    def __init__(self, writer: Writer, anchor: Anchor, vectors: Vectors) -> None:
        """Write the start of every chain."""
        self.writer, self.anchor = writer, anchor
        self.chains = [self.start(vectors.width) for _ in range(vectors.count)]
        self.width = vectors.width
        self.tails = {width: self.start(width) for width in vectors.tails}

    def start(self, width: int) -> Buffer:
        """Return a new vector of the result of nothing."""
        vector = self.writer.array(self.anchor.held, width)
        self.writer.store(vector, self.writer.lane(width), self.anchor.start, width)
        return vector

    def add(self, elements: Elements, element: Expr, chain: int) -> None:
        """Write one vector of elements into a chain."""
        width, lane = elements.width, self.writer.lane(elements.width)
        total = self.chains[chain] if width == self.width else self.tails[width]
        term = self.anchor.term([element], elements.hold)
        combined = self.anchor.combine(load(total, lane), term, elements.hold)
        self.writer.store(total, lane, combined, width)

    def merged(self, source: Source) -> Expr:
        """Write the tree that puts all chains together; return the element of the row."""
        sums: Sequence[Buffer] = self.chains
        while len(sums) > 1:
            half = len(sums) // 2
            for first, second in zip(sums[:half], sums[-half:], strict=True):
                self.fold(source, first, second, 0, self.width)
            sums = sums[: len(sums) - half]
        (total,), width = sums, self.width
        while width > 1:
            width //= 2
            self.fold(source, total, total, width, width)
            if width in self.tails:
                self.fold(source, total, self.tails[width], 0, width)
        return self.result(Elements(self.writer, source, 1), load(total, 0))

    def fold(
        self, source: Source, first: Buffer, second: Buffer, offset: int, width: int
    ) -> None:
        """Write `first` combined with `second` from `offset` on into `first`."""
        lane, hold = self.writer.lane(width), Elements(self.writer, source, width).hold
        combined = self.anchor.combine(load(first, lane), load(second, offset + lane), hold)
        self.writer.store(first, lane, combined, width)

    def result(self, elements: Elements, total: Expr) -> Expr:
        """Return a finished result as it is computed on."""
        if self.anchor.dtype.value == "bool":
            return differs(total, constant(0, "int32"))
        return elements.hold(rounded(total, self.anchor.dtype), self.anchor.held)
