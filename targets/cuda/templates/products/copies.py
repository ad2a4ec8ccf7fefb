"""Copies of an operand of a product to shared memory, which go on by themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce

from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.intrinsics import COPY_4_LATER, COPY_8_LATER, COPY_16_LATER
from lxc.targets.cuda.templates.products.contraction import count_of, offset
from lxc.targets.cuda.templates.products.sides import Side
from lxc.targets.kernels.place import unravel
from lxc.targets.kernels.storage import stored
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    address_of,
    as_index,
    both,
    branch,
    cast,
    constant,
    differs,
    divide,
    intrinsic,
    is_less,
    load,
    modulo,
    only_if,
    select,
    sequence,
    store,
    variable,
)
from lxc.targets.tvm_grid import known_count, unrolled_loop

COPIES = {16: COPY_16_LATER, 8: COPY_8_LATER, 4: COPY_4_LATER}
"""The copies that go on while the thread computes, by their bytes."""


@contextmanager
def unrolled(writer: GridWriter, extent: int) -> Iterator[Index]:
    """Write a loop whose turns all stand in the code; yields the counter."""
    if extent == 1:
        yield 0
        return
    counter = variable(writer.fresh("u"))
    writer.prover.bind(counter, 0, extent)
    with writer.block() as inner:
        yield counter
    writer.write(unrolled_loop(counter, extent, sequence(inner)))


@dataclass(frozen=True)
class Team:
    """Neighbouring threads that copy together: how many, and the number of this one."""

    threads: int
    member: Index


class Copies:
    """Writes the copies of one operand, stage by stage.

    Where there is no row or no term, zeros are written. What a thread needs to know of its
    rows stays in registers.
    """

    def __init__(
        self, writer: GridWriter, side: Side, array: Buffer, base: Index, team: Team
    ) -> None:
        """Write into `array` from `base` on, where the stages of the team lie."""
        self.writer, self.side, self.array, self.base = writer, side, array, base
        chunks = side.inner // side.vector
        self.turn = max(1, team.threads // chunks)
        self.slots = -(-side.outer // self.turn)
        self.is_idle = self.turn > side.outer
        self.line = divide(team.member, chunks)
        self.entry = modulo(team.member, chunks) * side.vector
        kept = self.slots if side.along_depth else 1
        count = known_count(side.operand.buffer)
        self.index = "int32" if count is not None and count < 1 << 31 else "int64"
        self.starts = writer.array(self.index, kept)
        self.present = writer.array("int32", kept)

    def begin(self, first: Index, batch: Index) -> None:
        """Write where the rows of a tile lie that starts at row `first` of a batch."""
        writer, operand = self.writer, self.side.operand
        before = operand.start + offset(operand.batch, batch)
        count = self.slots if self.side.along_depth else 1
        with unrolled(writer, count) as slot:
            inside = slot * self.turn + self.line if self.side.along_depth else self.entry
            row = first + inside
            here = is_less(as_index(row), as_index(self.side.size))
            start = as_index(before + offset(operand.free, row))
            start = select(here, start, as_index(0))
            writer.write(store(self.starts, slot, cast(self.index, start)))
            found = select(here, self.taps_inside(row), constant(0, "int32"))
            writer.write(store(self.present, slot, found))

    def taps_inside(self, row: Index) -> Expr:
        """Return a number with a bit for every tap of a row that is not padding."""
        window = self.side.operand.window
        if window is None:
            return constant(1, "int32")
        cells, found = unravel(row, window.rows), constant(0, "int32")
        for edge in window.edges:
            for tap in range(edge.taps):
                cell = as_index(
                    cells[edge.axis] * edge.stride + tap * edge.apart - edge.low
                )
                inside = both(cell >= 0, is_less(cell, as_index(edge.size)))
                bit = constant(1 << (edge.bit + tap), "int32")
                found = found + select(inside, bit, constant(0, "int32"))
        return found

    def is_inside(self, slot: Index, term: Index) -> Expr:
        """Return whether a thread's row is there, and not padding for a term."""
        bits, none = load(self.present, slot), constant(0, "int32")
        window = self.side.operand.window
        if window is None:
            return differs(bits, none)
        taps = unravel(term, window.terms)
        conditions = []
        for edge in window.edges:
            place = cast("int32", as_index(taps[edge.tap_axis] + edge.bit))
            shifted = intrinsic("shift_right", bits, place)
            one = intrinsic("and", shifted, constant(1, "int32"))
            conditions.append(differs(one, none))
        return reduce(both, conditions)

    def issue(self, stage: Index, first: Index) -> None:
        """Write the copies of the terms from `first` on into a stage."""
        writer = self.writer
        with writer.block() as inner:
            self.write_slots(self.base + stage * self.side.count, first)
        if self.is_idle:
            works = is_less(as_index(self.line), as_index(self.side.outer))
            writer.write(branch(works, sequence(inner), None))
        else:
            for statement in inner:
                writer.write(statement)

    def write_slots(self, base: Index, first: Index) -> None:
        """Write what a thread copies into the stage that begins at `base`."""
        side, depth = self.side, self.side.operand.depth
        if side.along_depth:
            term = first + self.entry
            deep = self.held(offset(depth, term))
            with unrolled(self.writer, self.slots) as slot:
                to = base + side.place(slot * self.turn + self.line, self.entry)
                self.copy(to, deep, slot, term)
            return
        with unrolled(self.writer, self.slots) as slot:
            line = slot * self.turn + self.line
            to = base + side.place(self.entry, line)
            self.copy(to, self.held(offset(depth, first + line)), 0, first + line)

    def held(self, place: Index) -> Expr:
        """Return a number of elements, computed once, in as few bits as all such need."""
        return self.writer.hold(cast(self.index, as_index(place)), self.index, 1)

    def copy(self, to: Index, deep: Expr, slot: Index, term: Index) -> None:
        """Write one copy to a place in shared memory."""
        side, buffer = self.side, self.side.operand.buffer
        has_term = is_less(as_index(term), as_index(count_of(side.operand.depth)))
        here = both(self.is_inside(slot, term), has_term)
        place = cast("int64", load(self.starts, slot) + deep)
        size = side.copy_bytes
        if side.vector > 1:
            self.writer.need_alignment()
        if size in COPIES:
            condition = select(here, constant(1, "int32"), constant(0, "int32"))
            destination, source = address_of(self.array, to), address_of(buffer, place)
            self.writer.write(COPIES[size].statement(destination, source, condition))
            return
        # Not a literal, of which code for cards has none in float16.
        nothing = self.writer.hold(constant(0, "int32"), "int32", 1)
        zero = cast(stored(side.operand.dtype), nothing)
        element: Expr = only_if(here, load(buffer, place), zero)
        self.writer.write(store(self.array, to, element))
