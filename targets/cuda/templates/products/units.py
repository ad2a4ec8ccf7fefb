"""The sums of a product as threads of a block compute them, each with multiply-adds."""

from collections.abc import Callable
from dataclasses import dataclass

from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.intrinsics import LOAD_16, MULTIPLY_ADD
from lxc.targets.cuda.templates.products.copies import unrolled
from lxc.targets.cuda.templates.products.sides import Side
from lxc.targets.cuda.templates.products.sums import Sums, Take
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    address_of,
    divide,
    load,
    modulo,
    store,
)

LANE_ROWS, LANE_COLUMNS = 4, 8
"""How the lanes of a warp are spread over its rows and columns."""
TERMS = 4
"""So many terms of a sum are read at once."""
SPLIT = 256
"""So many terms are one chain: chains of them are added up, in order."""

Fragment = Callable[[Index, Index], Expr]
"""The element of a thread's row or column, and of one of `TERMS` terms."""


@dataclass(frozen=True)
class UnitTiling:
    """A tile of a block: what a thread computes, and how many warps there are each way.

    So many `slices` of the threads take turns with chains of `SPLIT` terms. Copies are
    under way for all but one of the `stages` of `depth` terms.
    """

    thread_rows: int
    thread_columns: int
    warp_rows: int
    warp_columns: int
    slices: int = 1
    depth: int = 16
    stages: int = 3

    @property
    def rows(self) -> int:
        """The rows of a block."""
        return self.thread_rows * LANE_ROWS * self.warp_rows

    @property
    def columns(self) -> int:
        """The columns of a block."""
        return self.thread_columns * LANE_COLUMNS * self.warp_columns

    @property
    def reads(self) -> float:
        """The elements that a thread reads for each product."""
        return 1 / self.thread_rows + 1 / self.thread_columns

    @property
    def team(self) -> int:
        """The threads of a slice."""
        return 32 * self.warp_rows * self.warp_columns

    @property
    def threads(self) -> int:
        """The threads of a block."""
        return self.team * self.slices


def entry_of(side: Side, first: Index, lane: Index, lanes: int, each: int) -> Fragment:
    """Return which row or column of a tile the i-th one of a thread is.

    Threads read four neighbours at once where those lie side by side.
    """
    if side.along_depth or each % TERMS:
        return lambda i, _: first + lane + i * lanes
    return lambda i, _: (
        first + lane * TERMS + modulo(i, TERMS) + divide(i, TERMS) * (TERMS * lanes)
    )


class Units(Sums):
    """Writes the sums of one thread, which stay in registers."""

    def __init__(
        self,
        writer: GridWriter,
        tiling: UnitTiling,
        sides: tuple[Side, Side],
        arrays: tuple[Buffer, Buffer],
        member: Index,
    ) -> None:
        """Start without sums; `member` is the number of the thread in its slice."""
        super().__init__(writer, tiling.thread_rows * tiling.thread_columns)
        self.tiling, self.sides, self.arrays = tiling, sides, arrays
        lane, warp = modulo(member, 32), divide(member, 32)
        across = tiling.warp_columns
        corner = (
            divide(warp, across) * (tiling.thread_rows * LANE_ROWS),
            modulo(warp, across) * (tiling.thread_columns * LANE_COLUMNS),
        )
        lanes = divide(lane, LANE_COLUMNS), modulo(lane, LANE_COLUMNS)
        counts = LANE_ROWS, LANE_COLUMNS
        self.each = tiling.thread_rows, tiling.thread_columns
        self.entries = tuple(
            entry_of(*parts)
            for parts in zip(sides, corner, lanes, counts, self.each, strict=True)
        )

    def add_terms(self, bases: tuple[Index, Index]) -> None:
        """Write all terms of a stage, whose two parts begin at `bases`."""
        writer, (rows, columns) = self.writer, self.each
        with unrolled(writer, self.tiling.depth // TERMS) as group:
            left = self.fragment(0, bases[0], group)
            right = self.fragment(1, bases[1], group)
            with (
                unrolled(writer, TERMS) as term,
                unrolled(writer, rows) as row,
                unrolled(writer, columns) as column,
            ):
                place = row * columns + column
                before = load(self.sums, place)
                factors = left(row, term), right(column, term)
                after = MULTIPLY_ADD.value("float32", *factors, before)
                writer.write(store(self.sums, place, after))

    def fragment(self, number: int, base: Index, group: Index) -> Fragment:
        """Write the load of the elements of a thread for some terms."""
        side, array, each = self.sides[number], self.arrays[number], self.each[number]
        writer, entry = self.writer, self.entries[number]
        held = writer.array("float32", each * TERMS)

        def read(to: Index, free: Index, deep: Index) -> None:
            source = address_of(array, base + side.place(free, deep))
            writer.write(LOAD_16.statement(address_of(held, to), source))

        if side.along_depth:
            with unrolled(writer, each) as i:
                read(i * TERMS, entry(i, 0), group * TERMS)
            return lambda i, term: load(held, i * TERMS + term)
        with unrolled(writer, TERMS) as term:
            deep = group * TERMS + term
            if each % TERMS == 0:
                with unrolled(writer, each // TERMS) as four:
                    read(term * each + four * TERMS, entry(four * TERMS, 0), deep)
            else:
                with unrolled(writer, each) as i:
                    element = load(array, base + side.place(entry(i, 0), deep))
                    writer.write(store(held, term * each + i, element))
        return lambda i, term: load(held, term * each + i)

    def give(self, totals: Buffer, take: Take) -> None:
        """Write what `take` does with the row, the column and the number of each sum."""
        writer, (rows, columns) = self.writer, self.each
        with unrolled(writer, rows) as row, unrolled(writer, columns) as column:
            element = load(totals, row * columns + column)
            take(self.entries[0](row, 0), self.entries[1](column, 0), element)
