"""Rows of half types, brought to the shared memory of a block, where they go on alone."""

from collections.abc import Callable
from dataclasses import dataclass

from lxc.ir.types import DType
from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.intrinsics import COPY_16_LATER
from lxc.targets.cuda.templates.attention.work import write_shared_out
from lxc.targets.cuda.templates.products.copies import unrolled
from lxc.targets.cuda.templates.products.sides import is_multiple
from lxc.targets.kernels.storage import stored
from lxc.targets.kernels.strided import Strided
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    address_of,
    as_index,
    both,
    cast,
    constant,
    divide,
    load,
    modulo,
    only_if,
    select,
)

CHUNK = 8
"""Elements of 16 bytes."""


@dataclass(frozen=True)
class HalfRows:
    """Rows of `size` features of an operand, and where in shared memory they go.

    They lie `pitch` apart there. Zeros fill them up to `deep` features, and rows for which
    `is_there` does not hold. `start` says where in the operand a row begins.
    """

    writer: GridWriter
    operand: Strided
    dtype: DType
    start: Callable[[Index], Index]
    is_there: Callable[[Index], Expr]
    count: int
    size: int
    deep: int
    to: Buffer
    pitch: int

    def write(self, base: Index) -> None:
        """Write the copy of all rows to `base` and behind, by all threads of a block."""
        total = self.count * (self.deep // CHUNK)
        write_shared_out(self.writer, total, lambda number: self.write_chunk(number, base))

    @property
    def is_wide(self) -> bool:
        """Whether every chunk of a row lies at a multiple of 16 bytes."""
        *steps, last = self.operand.steps
        if not self.writer.is_aligned or not isinstance(last, int) or last != 1:
            return False
        numbers = (*steps, self.operand.start, self.size)
        return all(is_multiple(number, CHUNK, self.writer.prover) for number in numbers)

    def write_chunk(self, number: Index, base: Index) -> None:
        """Write the copy of eight features."""
        writer, chunks = self.writer, self.deep // CHUNK
        row = writer.name(divide(number, chunks), self.count)
        first = modulo(number, chunks) * CHUNK
        place, here = base + row * self.pitch + first, self.is_there(row)
        if self.is_wide:
            writer.need_alignment()
            here = both(here, as_index(first) < as_index(self.size))
            condition = select(here, constant(1, "int32"), constant(0, "int32"))
            source = address_of(self.operand.buffer, self.start(row) + first)
            writer.write(
                COPY_16_LATER.statement(address_of(self.to, place), source, condition)
            )
            return
        # Not a literal, of which code for cards has none in float16.
        nothing = writer.hold(constant(0, "int32"), "int32", 1)
        with unrolled(writer, CHUNK) as entry:
            feature = first + entry
            at = self.start(row) + feature * self.operand.steps[-1]
            inside = both(here, as_index(feature) < as_index(self.size))
            zero = cast(stored(self.dtype), nothing)
            element = only_if(inside, load(self.operand.buffer, at), zero)
            writer.store(self.to, place + entry, element, 1)
