"""Rows of queries, keys or values, brought to the shared memory of a block."""

from collections.abc import Callable
from dataclasses import dataclass

from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.intrinsics import LOAD_16, STORE_16
from lxc.targets.cuda.templates.attention.work import F32, FOUR, write_shared_out
from lxc.targets.kernels.strided import Strided
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    address_of,
    as_index,
    at_most,
    both,
    constant,
    divide,
    modulo,
    select,
)


@dataclass(frozen=True)
class RowCopy:
    """Rows of `size` features of an operand, and where in shared memory they go.

    They lie `step` apart there, in `fours` groups of four; zeros fill the last groups, and
    rows for which `is_there` does not hold. `start` says where in the operand a row begins.
    """

    operand: Strided
    start: Callable[[Index], Index]
    count: int
    size: int
    to: Buffer
    step: int
    fours: int
    is_there: Callable[[Index], Expr] | None = None

    def write(self, writer: GridWriter) -> None:
        """Write the copy by all threads of a block."""
        total = self.count * self.fours
        write_shared_out(writer, total, lambda number: self.write_four(writer, number))

    def write_four(self, writer: GridWriter, number: Index) -> None:
        """Write the copy of one group of features."""
        row = writer.name(divide(number, self.fours), self.count)
        first = modulo(number, self.fours) * FOUR
        feature = first + writer.lane(FOUR)
        inside = feature
        known: Expr | None = None
        if self.fours * FOUR != self.size:
            inside = at_most(feature, self.size - 1)
            known = as_index(feature) < as_index(self.size)
        if self.is_there is not None:
            there = self.is_there(row)
            known = there if known is None else both(known, there)
        at = self.start(row) + inside * self.operand.steps[-1]
        element = writer.load(self.operand.buffer, at, FOUR)
        if known is not None:
            # Next to the condition TVM takes it for granted, and reads behind the row.
            element = writer.hold(element, F32, FOUR)
            element = select(known, element, constant(0.0, F32))
        four = writer.array(F32, FOUR)
        writer.store(four, writer.lane(FOUR), element, FOUR)
        place = address_of(self.to, row * self.step + first)
        writer.write(STORE_16.statement(place, address_of(four, 0)))


def read_four(
    writer: GridWriter, to: Buffer, first: int, memory: Buffer, at: Index
) -> None:
    """Write four neighbours in shared memory to registers from `first` on."""
    here = address_of(memory, at)
    writer.write(LOAD_16.statement(address_of(to, first), here))


def zeros(writer: GridWriter, count: int) -> Buffer:
    """Return new registers of zeros."""
    found = writer.array(F32, count)
    for place in range(count):
        writer.store(found, place, constant(0.0, F32), 1)
    return found
