"""The sums of a product as the matrix units of a card compute them, warp by warp."""

from dataclasses import dataclass

from lxc.ir.types import DType
from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.intrinsic import Intrinsic
from lxc.targets.cuda.intrinsics import (
    LOAD_MATRICES,
    LOAD_MATRICES_TURNED,
    MULTIPLY_BF16,
    MULTIPLY_F16,
    MULTIPLY_TF32,
    TO_TF32,
)
from lxc.targets.cuda.templates.products.copies import unrolled
from lxc.targets.cuda.templates.products.sides import CHUNK_BYTES, Side
from lxc.targets.cuda.templates.products.sums import Sums, Take
from lxc.targets.tvm_api import (
    Buffer,
    Index,
    address_of,
    divide,
    load,
    modulo,
    reinterpret,
    store,
)

MULTIPLY = {
    DType.BF16: MULTIPLY_BF16,
    DType.F16: MULTIPLY_F16,
    DType.F32: MULTIPLY_TF32,
}
"""The instructions by what their factors are in memory; float32 is rounded to TF32."""


@dataclass(frozen=True)
class MatrixTiling:
    """A tile of a block: a warp computes `high` by `wide` matrices of 16 by 8 results.

    `wide` is 1 or even.

    Copies are under way for all but one of the `stages` of `depth` terms.
    """

    high: int
    wide: int
    warp_rows: int
    warp_columns: int
    depth: int = 32
    stages: int = 4
    slices: int = 1

    @property
    def rows(self) -> int:
        """The rows of a block."""
        return 16 * self.high * self.warp_rows

    @property
    def columns(self) -> int:
        """The columns of a block."""
        return 8 * self.wide * self.warp_columns

    @property
    def reads(self) -> float:
        """The loads of a warp for each instruction, of 16 rows or columns."""
        return 1 / self.wide + 1 / (2 * self.high)

    @property
    def team(self) -> int:
        """The threads that share a tile."""
        return 32 * self.warp_rows * self.warp_columns

    @property
    def threads(self) -> int:
        """The threads of a block."""
        return self.team


class Matrices(Sums):
    """Writes the sums of one warp, which stay in the registers of its threads."""

    def __init__(
        self,
        writer: GridWriter,
        tiling: MatrixTiling,
        sides: tuple[Side, Side],
        arrays: tuple[Buffer, Buffer],
        member: Index,
    ) -> None:
        """Start without sums; `member` is the number of the thread."""
        super().__init__(writer, 4 * tiling.high * tiling.wide)
        self.tiling, self.sides, self.arrays = tiling, sides, arrays
        self.lane, warp = modulo(member, 32), divide(member, 32)
        self.corner = (
            divide(warp, tiling.warp_columns) * (16 * tiling.high),
            modulo(warp, tiling.warp_columns) * (8 * tiling.wide),
        )
        dtype = sides[0].operand.dtype
        self.multiply: Intrinsic = MULTIPLY[dtype]
        self.chunk = CHUNK_BYTES // dtype.bytes
        self.rounds = dtype is DType.F32

    def add_terms(self, bases: tuple[Index, Index]) -> None:
        """Write all terms of a stage, whose two parts begin at `bases`."""
        writer, tiling = self.writer, self.tiling
        # Two chunks of terms are what one instruction adds.
        terms, steps = 2 * self.chunk, self.steps
        with unrolled(writer, tiling.depth // (terms * steps)) as group:
            right = writer.array("uint32", 2 * tiling.wide * steps)
            with unrolled(writer, tiling.wide * steps // 2) as j:
                self.read(1, right, j * 4, bases[1], j * 16, group * (terms * steps))
            with unrolled(writer, steps) as step:
                left, term = writer.array("uint32", 4 * tiling.high), group * steps + step
                with unrolled(writer, tiling.high) as i:
                    self.read(0, left, i * 4, bases[0], i * 16, term * terms)
                self.multiply_all(left, right, step * 2)

    @property
    def steps(self) -> int:
        """How many instructions' terms one load of the right operand brings."""
        return 2 if self.tiling.wide == 1 else 1

    def multiply_all(self, left: Buffer, right: Buffer, first: Index) -> None:
        """Write the products of what was loaded, that of the right from `first` on."""
        writer, tiling = self.writer, self.tiling
        with unrolled(writer, tiling.high) as i, unrolled(writer, tiling.wide) as j:
            sums = address_of(self.sums, (i * tiling.wide + j) * 4)
            factors = address_of(left, i * 4), address_of(right, first + j * 2)
            writer.write(self.multiply.statement(sums, *factors))

    def read(
        self, number: int, to: Buffer, at: Index, base: Index, first: Index, term: Index
    ) -> None:
        """Write the load of 16 rows or columns by two chunks of terms: four matrices.

        Each has eight lines of a chunk. The second one of the left operand is below the
        first one, that of the right operand holds the next terms. Where a warp has eight
        columns, all four of the right operand are theirs.
        """
        side = self.sides[number]
        if side.along_depth or not self.rounds:
            # A lane names a line of one of them.
            corner = self.matrix(number, divide(self.lane, 8))
            line = modulo(self.lane, 8)
            free, deep = (line, 0) if side.along_depth else (0, line)
            place = side.place(first + corner[0] + free, term + corner[1] + deep)
            load_matrices = LOAD_MATRICES if side.along_depth else LOAD_MATRICES_TURNED
            source = address_of(self.arrays[number], base + place)
            self.writer.write(load_matrices.statement(address_of(to, at), source))
        if not self.rounds:
            return
        with unrolled(self.writer, 4) as register:
            element = reinterpret("float32", load(to, at + register))
            if not side.along_depth:
                corner = self.matrix(number, register)
                free, deep = divide(self.lane, 4), modulo(self.lane, 4)
                place = side.place(first + corner[0] + free, term + corner[1] + deep)
                element = load(self.arrays[number], base + place)
            rounded = TO_TF32.value("uint32", element)
            self.writer.write(store(to, at + register, rounded))

    def matrix(self, number: int, which: Index) -> tuple[Index, Index]:
        """Return the first row or column of one of four matrices, and its first term."""
        if number == 1 and self.steps == 2:
            return self.corner[1], which * self.chunk
        second, third = modulo(which, 2), divide(which, 2)
        free, deep = (second, third) if number == 0 else (third, second)
        return self.corner[number] + free * 8, deep * self.chunk

    def give(self, totals: Buffer, take: Take) -> None:
        """Write what `take` does with the row, the column and the number of each sum."""
        writer, tiling = self.writer, self.tiling
        with (
            unrolled(writer, tiling.high) as i,
            unrolled(writer, tiling.wide) as j,
            unrolled(writer, 4) as part,
        ):
            row = self.corner[0] + i * 16 + divide(part, 2) * 8 + divide(self.lane, 4)
            column = self.corner[1] + j * 8 + modulo(self.lane, 4) * 2 + modulo(part, 2)
            take(row, column, load(totals, (i * tiling.wide + j) * 4 + part))
