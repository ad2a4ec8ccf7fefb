"""The tiles of a product: copies of operands run ahead of the sums, stage by stage.

A result is the sum of chains of multiply-adds, in order, or one chain on matrix units.
Nothing of that depends on the tile or on how many rows or columns there are.
"""

from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.intrinsics import BARRIER, CLOSE_COPIES, WAIT_COPIES
from lxc.targets.cuda.templates.products.contraction import Contraction
from lxc.targets.cuda.templates.products.copies import Copies, Team, unrolled
from lxc.targets.cuda.templates.products.ends import Corner, write_end
from lxc.targets.cuda.templates.products.matrices import Matrices
from lxc.targets.cuda.templates.products.memory import Memory, Way
from lxc.targets.cuda.templates.products.units import SPLIT, Units, UnitTiling
from lxc.targets.kernels.tile import Work
from lxc.targets.tvm_api import (
    Buffer,
    Index,
    as_index,
    at_most,
    cast,
    constant,
    divide,
    is_equal,
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
        self.is_chained = isinstance(self.tiling, UnitTiling)
        self.turns_of_chain = SPLIT // self.tiling.depth

    def write(self) -> None:
        """Write the loop over tiles."""
        rows = up(self.contraction.rows, self.tiling.rows)
        columns = up(self.contraction.columns, self.tiling.columns)
        count = self.contraction.batches * rows * columns
        with self.writer.team_loop(count, self.writer.threads) as number:
            self.write_tile(self.corner(number, rows, columns))
            # The next tile's copies go to where these sums are.
            self.writer.write(BARRIER.statement())

    def corner(self, number: Index, rows: Index, columns: Index) -> Corner:
        """Return where a tile lies; `rows` and `columns` are those of tiles."""
        writer, batches = self.writer, self.contraction.batches
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
        writer, tiling = self.writer, self.tiling
        parts = (self.way.sides, self.memory.stages, self.member)
        sums = (
            Units(writer, tiling, *parts)
            if isinstance(tiling, UnitTiling)
            else Matrices(writer, tiling, *parts)
        )
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
        whole = up(depth, self.tiling.depth)
        if slices == 1 or (isinstance(whole, int) and whole <= self.turns_of_chain):
            return whole
        return up(depth, SPLIT * slices) * self.turns_of_chain

    def first_term(self, turn: Index) -> Index:
        """Return the first term of a stage; slices take turns with chains."""
        if self.tiling.slices == 1:
            return turn * self.tiling.depth
        chain = divide(turn, self.turns_of_chain) * self.tiling.slices + self.slice
        return chain * SPLIT + modulo(turn, self.turns_of_chain) * self.tiling.depth

    def write_sums(
        self, sums: Units | Matrices, totals: Buffer, copies: tuple[Copies, Copies]
    ) -> None:
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
            if isinstance(sums, Units):
                self.close_chain(sums, totals, turn)
            writer.write(store(cell, 0, select(is_equal(now, last), first, now + 1)))
        writer.write(WAIT_COPIES.statement(constant(0, "int32")))
        writer.write(BARRIER.statement())
        if isinstance(sums, Units):
            self.add_up(sums, totals)

    def issue(self, copies: tuple[Copies, Copies], stage: Index, turn: Index) -> None:
        """Write the copies of one stage, as a group."""
        for one in copies:
            one.issue(stage, self.first_term(turn))
        self.writer.write(CLOSE_COPIES.statement())

    def close_chain(self, sums: Units, totals: Buffer, turn: Index) -> None:
        """Write the end of a chain if this turn was its last one."""
        turns = self.turns()
        if isinstance(turns, int) and turns <= self.turns_of_chain:
            return
        last = is_equal(
            as_index(modulo(turn, self.turns_of_chain)), as_index(self.turns_of_chain - 1)
        )
        self.writer.choose(last, lambda: self.add_up(sums, totals), lambda: None)

    def add_up(self, sums: Units, totals: Buffer) -> None:
        """Write that chains are added to the totals, those of all slices in order."""
        writer, tiling = self.writer, self.tiling
        if self.memory.partial is None or tiling.slices == 1:
            sums.add_to(totals)
            return
        count, partial = tiling.rows * tiling.columns, self.memory.partial
        sums.put(sums.sums, partial, self.slice * count, tiling.columns)
        sums.clear()
        writer.write(BARRIER.statement())
        with unrolled(writer, count // writer.threads) as entry:
            place = entry * writer.threads + self.thread
            with unrolled(writer, tiling.slices) as number:
                total = load(totals, entry) + load(partial, number * count + place)
                writer.write(store(totals, entry, total))
        writer.write(BARRIER.statement())

    def put(self, sums: Units | Matrices, totals: Buffer) -> None:
        """Write the totals of a tile to shared memory."""
        writer, tiling, columns = self.writer, self.tiling, self.tiling.columns
        if tiling.slices == 1:
            sums.put(totals, self.memory.sums, 0, columns + 1)
            return
        with unrolled(writer, tiling.rows * columns // writer.threads) as entry:
            place = entry * writer.threads + self.thread
            to = divide(place, columns) * (columns + 1) + modulo(place, columns)
            writer.write(store(self.memory.sums, to, load(totals, entry)))


def up(value: Index, by: int) -> Index:
    """Return how many parts of so many there are, the last one maybe smaller."""
    return -(-value // by) if isinstance(value, int) else divide(value + (by - 1), by)
