"""The tiles of a product: copies of operands run ahead of the sums, stage by stage.

A result is the sum of chains, in order, or one chain on matrix units.
Nothing of that depends on the tile or on how many rows or columns there are.
"""

from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.intrinsics import BARRIER, CLOSE_COPIES, WAIT_COPIES
from lxc.targets.cuda.templates.products.contraction import Contraction
from lxc.targets.cuda.templates.products.copies import Copies, Team, unrolled
from lxc.targets.cuda.templates.products.ends import Corner, write_end
from lxc.targets.cuda.templates.products.matrices import Matrices
from lxc.targets.cuda.templates.products.memory import TELLING, Memory, Way
from lxc.targets.cuda.templates.products.sums import Sums
from lxc.targets.cuda.templates.products.units import Units, UnitTiling
from lxc.targets.kernels.sizes import covering_parts
from lxc.targets.kernels.tile import Work
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    as_index,
    at_most,
    both,
    cast,
    constant,
    divide,
    is_equal,
    is_less,
    load,
    modulo,
    select,
    store,
)

GROUP = 8
"""So many rows of tiles are walked together: they share what they read."""


class ProductTiles:
    """Writes the code that all blocks execute for their tiles."""

    def __init__(
        self,
        writer: GridWriter,
        work: Work,
        contraction: Contraction,
        way: Way,
        memory: Memory,
    ) -> None:
        """Write nothing yet."""
        self.writer, self.work, self.contraction = writer, work, contraction
        self.way, self.tiling, self.memory = way, way.tiling, memory
        self.thread = cast("int64", writer.thread)
        self.slice = divide(self.thread, self.tiling.team)
        self.member = modulo(self.thread, self.tiling.team)
        self.chain = way.chain or self.tiling.depth
        self.is_chained = way.chain is not None
        self.turns_of_chain = self.chain // self.tiling.depth

    @property
    def counts(self) -> tuple[Index, Index]:
        """How many rows and columns of tiles a batch has."""
        return (
            covering_parts(self.contraction.rows, self.tiling.rows),
            covering_parts(self.contraction.columns, self.tiling.columns),
        )

    @property
    def count(self) -> Index:
        """How many tiles there are."""
        rows, columns = self.counts
        return self.contraction.batches * rows * columns

    def write(self) -> None:
        """Write the loop over tiles."""
        with self.writer.team_loop(self.count, self.writer.threads) as number:
            self.write_tile(self.corner(number))
            # The next tile's copies go to where these sums are.
            self.writer.write(BARRIER.statement())

    def corner(self, number: Index) -> Corner:
        """Return where a tile lies."""
        writer, batches = self.writer, self.contraction.batches
        rows, columns = self.counts
        batch = writer.name(divide(number, rows * columns), batches)
        rest = writer.name(modulo(number, rows * columns), rows * columns)
        group = divide(rest, columns * GROUP)
        inside = modulo(rest, columns * GROUP)
        high = writer.name(at_most(rows - group * GROUP, GROUP), GROUP + 1)
        row = group * GROUP + modulo(inside, high)
        return Corner(
            batch,
            writer.name(row * self.tiling.rows, rows * self.tiling.rows),
            writer.name(
                divide(inside, high) * self.tiling.columns, columns * self.tiling.columns
            ),
        )

    def write_tile(self, corner: Corner) -> None:
        """Write the sums of a tile, and what follows them."""
        writer, tiling, sums = self.writer, self.tiling, self.sums()
        each = tiling.rows * tiling.columns // writer.threads
        totals = writer.array("float32", each) if self.is_chained else sums.sums
        if self.is_chained:
            with unrolled(writer, each) as entry:
                writer.write(store(totals, entry, constant(0.0, "float32")))
        sums.clear()
        self.write_sums(sums, totals, self.copies(corner))
        self.put(sums, totals)
        writer.write(BARRIER.statement())
        tile = (tiling.rows, tiling.columns)
        sums_at = self.memory.sums
        write_end(writer, self.work, self.contraction, corner, sums_at, tile)

    def sums(self) -> Sums:
        """Return the sums of a thread, which are still to be cleared."""
        parts = (self.way.sides, self.memory.stages, self.member)
        if isinstance(self.tiling, UnitTiling):
            return Units(self.writer, self.tiling, *parts)
        return Matrices(self.writer, self.tiling, *parts)

    def copies(self, corner: Corner) -> tuple[Copies, Copies]:
        """Write what threads need to know of a tile to copy; return the copies."""
        tiling, team = self.tiling, Team(self.tiling.team, self.member)
        left, right = (
            Copies(
                self.writer, side, array, self.slice * (tiling.stages * side.count), team
            )
            for side, array in zip(self.way.sides, self.memory.stages, strict=True)
        )
        left.begin(corner.row, corner.batch)
        right.begin(corner.column, corner.batch)
        return left, right

    def turns(self) -> Index:
        """Return how many stages are computed."""
        depth, slices = self.contraction.depth, self.tiling.slices
        whole = covering_parts(depth, self.tiling.depth)
        if slices == 1 or (isinstance(whole, int) and whole <= self.turns_of_chain):
            return whole
        return covering_parts(depth, self.chain * slices) * self.turns_of_chain

    def first_term(self, turn: Index) -> Index:
        """Return the first term of a stage; slices take turns with chains."""
        if self.tiling.slices == 1:
            return turn * self.tiling.depth
        chain = divide(turn, self.turns_of_chain) * self.tiling.slices + self.slice
        return chain * self.chain + modulo(turn, self.turns_of_chain) * self.tiling.depth

    def write_sums(self, sums: Sums, totals: Buffer, copies: tuple[Copies, Copies]) -> None:
        """Write the loop over the terms."""
        writer, stages = self.writer, self.tiling.stages
        with unrolled(writer, stages - 1) as stage:
            self.issue(copies, stage, stage)
        # The number of a stage needs no more than 32 bits, and no division.
        cell = writer.array("int32", 1)
        writer.write(store(cell, 0, constant(0, "int32")))
        now, first, last = (
            load(cell, 0),
            constant(0, "int32"),
            constant(stages - 1, "int32"),
        )
        with writer.loop(self.turns()) as turn:
            writer.write(WAIT_COPIES.statement(constant(stages - 2, "int32")))
            writer.write(BARRIER.statement())
            before = select(is_equal(now, first), last, now - 1)
            self.issue(copies, before, turn + (stages - 1))
            left, right = (one.base + now * one.side.count for one in copies)
            sums.add_terms((left, right))
            if self.is_chained:
                self.close_chain(sums, totals, turn)
            writer.write(store(cell, 0, select(is_equal(now, last), first, now + 1)))
        writer.write(WAIT_COPIES.statement(constant(0, "int32")))
        writer.write(BARRIER.statement())
        self.close_sums(sums, totals)

    def issue(self, copies: tuple[Copies, Copies], stage: Index, turn: Index) -> None:
        """Write the copies of one stage, as a group."""
        for one in copies:
            one.issue(stage, self.first_term(turn))
        self.writer.write(CLOSE_COPIES.statement())

    def close_chain(self, sums: Sums, totals: Buffer, turn: Index) -> None:
        """Write the end of a chain if this turn was its last one."""
        turns = self.turns()
        if isinstance(turns, int) and turns <= self.turns_of_chain:
            return
        is_last = self.ends_chain(turn)
        self.writer.choose(is_last, lambda: self.add_up(sums, totals), lambda: None)

    def close_sums(self, sums: Sums, totals: Buffer) -> None:
        """Write the end of the last chain."""
        if self.is_chained:
            self.add_up(sums, totals)

    def ends_chain(self, turn: Index) -> Expr:
        """Return whether a turn is the last one of a chain."""
        return is_equal(
            as_index(modulo(turn, self.turns_of_chain)), as_index(self.turns_of_chain - 1)
        )

    def add_up(self, sums: Sums, totals: Buffer) -> None:
        """Write that chains are added to the totals, those of all slices in order."""
        writer, tiling = self.writer, self.tiling
        if self.memory.partial is None or tiling.slices == 1:
            with unrolled(writer, sums.count) as entry:
                total = load(totals, entry) + load(sums.sums, entry)
                writer.write(store(totals, entry, total))
            sums.clear()
            return
        for first in range(0, tiling.slices, TELLING):
            self.tell(sums, totals, self.memory.partial, first)
        sums.clear()

    def tell(self, sums: Sums, totals: Buffer, partial: Buffer, first: int) -> None:
        """Write that the sums of some slices are added to the totals, in order."""
        writer, tiling = self.writer, self.tiling
        count, number = tiling.rows * tiling.columns, self.slice - first
        is_one = both(number >= 0, is_less(as_index(number), as_index(TELLING)))
        lines = number * count, tiling.columns
        writer.choose(
            is_one, lambda: self.put_rows(sums, sums.sums, partial, lines), lambda: None
        )
        writer.write(BARRIER.statement())
        with unrolled(writer, count // writer.threads) as entry:
            place = entry * writer.threads + self.thread
            with unrolled(writer, TELLING) as other:
                total = load(totals, entry) + load(partial, other * count + place)
                writer.write(store(totals, entry, total))
        writer.write(BARRIER.statement())

    def put(self, sums: Sums, totals: Buffer) -> None:
        """Write the totals of a tile to shared memory."""
        writer, tiling, columns = self.writer, self.tiling, self.tiling.columns
        if tiling.slices == 1:
            self.put_rows(sums, totals, self.memory.sums, (0, columns + 1))
            return
        with unrolled(writer, tiling.rows * columns // writer.threads) as entry:
            place = entry * writer.threads + self.thread
            to = divide(place, columns) * (columns + 1) + modulo(place, columns)
            writer.write(store(self.memory.sums, to, load(totals, entry)))

    def put_rows(
        self,
        sums: Sums,
        totals: Buffer,
        array: Buffer,
        lines: tuple[Index, int],
    ) -> None:
        """Write the sums in `totals` to shared memory, row by row.

        `lines` are where the first row begins, and how far apart rows are.
        """
        base, pitch = lines

        def take(row: Index, column: Index, element: Expr) -> None:
            self.writer.write(store(array, base + row * pitch + column, element))

        sums.give(totals, take)
