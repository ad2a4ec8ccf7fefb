"""Products of pairs of bfloat16 on registers that hold a whole tile each.

One instruction multiplies a tile of rows by a tile of weights and adds to a tile of sums.
There are eight such registers: a kernel tile is one or two of rows by up to three of
vectors. The sums of a result are one chain over the pieces of the summed axis, whatever the
tile, so no bit depends on where a result lies. The instruction takes denormal numbers for
zeros and rounds to nearest even.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product as every
from typing import Any

from lxc.ir.machine import Machine
from lxc.ir.ops.paired import PAIR
from lxc.passes.block_lanes import terms_together
from lxc.targets.kernels.ahead import LINE_BYTES
from lxc.targets.kernels.anchors import Anchor
from lxc.targets.kernels.halo import write_halo
from lxc.targets.kernels.nest import walk_axes
from lxc.targets.kernels.pairs.square_rows import ITEM, LANES, ROWS, SquareRows, square_rows
from lxc.targets.kernels.pairs.terms import pairs_of
from lxc.targets.kernels.split import block_panels, even
from lxc.targets.kernels.tile import Tile, Work, ahead_of
from lxc.targets.kernels.tile_groups import known_part, tiles_together
from lxc.targets.kernels.tile_steps import write_steps
from lxc.targets.kernels.tiles import Tiling
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import (
    Buffer,
    Index,
    address_of,
    as_index,
    call_helper,
    constant,
    instruction,
    prefetch,
)

FEWEST_TERMS = 8
"""So many terms make an instruction worth its time."""
STEPS_UNROLLED = 4
STEPS_AHEAD = 3
"""So many steps before they are read weights are fetched."""
SECOND_CACHE = 2 << 20
"""Every processor with such registers has as much of it for itself."""
SUM = 4
"""The bytes of a sum."""
LINE = LINE_BYTES // ITEM
"""The factors in a line of a cache."""

CONFIGURE = """\
@{name}_table = private constant [64 x i8] c"{content}", align 64
define void @{name}() {{
  call void @llvm.x86.ldtilecfg(ptr @{name}_table)
  ret void
}}
declare void @llvm.x86.ldtilecfg(ptr)
"""


Shapes = tuple[tuple[int, int], ...]
"""The rows of every register, and the bytes of each row."""


def terms_at_once(anchor: Anchor) -> int:
    """Return how many terms one instruction sums up, so that none are left over."""
    return terms_together(anchor.pairs.terms if anchor.pairs else 0)


def is_square(anchor: Anchor) -> bool:
    """Return whether tiles can be read from memory as they lie there."""
    pairs = anchor.pairs
    if pairs is None or lanes_of(anchor) % LANES:
        return False
    in_steps = pairs.is_joined and isinstance(pairs.row_step, int)
    return in_steps and terms_at_once(anchor) >= FEWEST_TERMS


def lanes_of(anchor: Anchor) -> int:
    """Return the lanes of a block of the weights: one vector or several."""
    return int(anchor.node.operands[1].type.shape[-2])


@dataclass(frozen=True)
class Registers:
    """Which of the eight registers hold what, for parts of rows and some vectors.

    A step sums up so many `terms`. Of the parts and vectors a tile may use only the first
    ones, so many as `used` says.
    """

    parts: tuple[int, ...]
    vectors: int
    terms: int
    used: tuple[int, int]

    @classmethod
    def of(cls, rows: int, vectors: int, anchor: Anchor) -> "Registers":
        """Return what the registers hold for a tile of its own."""
        parts = parts_of(rows)
        return cls(parts, vectors, terms_at_once(anchor), (len(parts), vectors))

    def holding(self, rows: int, vectors: int) -> "Registers | None":
        """Return the same registers for a tile that uses no others, if there are."""
        parts = parts_of(rows)
        fits = parts == self.parts[: len(parts)] and vectors <= self.vectors
        return replace(self, used=(len(parts), vectors)) if fits else None

    def sums(self, part: int, vector: int) -> int:
        """Return the register of the sums of a part of the rows."""
        return part * self.vectors + vector

    def rows(self, part: int) -> int:
        """Return the register of a part of the rows."""
        return len(self.parts) * self.vectors + part

    def weights(self, vector: int) -> int:
        """Return the register of the weights of a vector."""
        return len(self.parts) * (self.vectors + 1) + vector

    @property
    def cells(self) -> list[tuple[int, int]]:
        """All registers of sums: the part of the rows and the vector of each."""
        parts, vectors = self.used
        return list(every(range(parts), range(vectors)))

    def start(self, part: int) -> int:
        """Return the first row of a part."""
        return sum(self.parts[:part])

    @property
    def shapes(self) -> Shapes:
        """The rows of every register, and the bytes of each of them."""
        sums = [(part, LANES * SUM) for part in self.parts for _ in range(self.vectors)]
        rows = [(part, self.terms * ITEM) for part in self.parts]
        return (*sums, *rows, *[(self.terms // 2, LANES * SUM)] * self.vectors)


@dataclass(frozen=True)
class SquareTiling(Tiling):
    """The same cut into tiles, each computed on registers that hold tiles.

    The registers are those of `whole` between tiles. Where the sums of a tile go is up to
    `rows`.
    """

    whole: Registers
    rows: SquareRows

    def columns(self) -> list[Buffer]:
        """Return an array for a register of sums of every vector that a tile may have."""
        most = max(len(panel.vectors) for panel in self.panels)
        writer = self.work.writer
        return [writer.array("float32", ROWS * LANES, stays=True) for _ in range(most)]

    def compute(self, tile: Tile, columns: Sequence[Buffer]) -> None:
        """Write one tile, in registers of its shapes."""
        writer, size = self.work.writer, (tile.rows, len(tile.vectors))
        shared = self.whole.holding(*size)
        held = shared or Registers.of(*size, self.work.anchor)
        if not shared:
            configure(writer, held.shapes)
        write_square(tile, held)
        parts, vectors = held.used
        for part in range(parts):
            for j, passed in enumerate(columns[:vectors]):
                place = (passed, 0, LANES * SUM)
                do(writer, "tilestored64", held.sums(part, j), place=place)
            with writer.loop(held.parts[part]) as row:
                self.rows.finish(tile, columns, held.start(part), row)
        if not shared:
            configure(writer, self.whole.shapes)


def write_square_tiles(work: Work, machine: Machine, *, parallel: bool) -> None:
    """Write the loops of a product of pairs."""
    writer, rows = work.writer, square_rows(work)
    anchor, kinds = rows.anchor, rows.pieces()
    blocks, valid = anchor.loops[anchor.block or 0], anchor.valid
    most, lanes = 3 if rows.most == ROWS else 2, lanes_of(anchor)
    panels = block_panels(blocks, lanes, valid, max(1, most * LANES // lanes), LANES)
    placed = {anchor.lane, anchor.row, anchor.block, *anchor.inner}
    outer = tuple(axis for axis in range(len(anchor.loops)) if axis not in placed)
    others = known_part([anchor.loops[axis] for axis in outer], panels)
    tall = max((kind.size for kind in kinds), default=1)
    widest = max((len(panel.vectors) for panel in panels), default=1)
    near, around = rows.bytes_of_tile(kinds), replace(machine, second_cache=SECOND_CACHE)
    chunk = tiles_together(anchor, kinds, near, others, around, parallel=parallel)
    whole = Registers.of(tall, widest, anchor)
    made = replace(work, anchor=anchor)
    tiling = SquareTiling(made, True, kinds, panels, outer, chunk, True, 0, whole, rows)
    write_halo(writer, work.source, work.group, work.result, machine.lanes)

    def body(entries: tuple[Any, ...]) -> None:
        if not parallel:
            tiling.write(entries, shared)
            return
        # Every thread has registers of its own, and memory that they go through.
        configure(writer, whole.shapes)
        tiling.write(entries, tiling.columns())
        do(writer, "tilerelease")

    shared = [] if parallel or not panels else tiling.columns()
    if not parallel:
        configure(writer, whole.shapes)
    walk_axes(writer, tiling.axes, body, parallel=parallel)
    if not parallel:
        do(writer, "tilerelease")


def parts_of(rows: int) -> tuple[int, ...]:
    """Return the rows of every register that some rows need, of nearly one size."""
    return tuple(size for count, size in even(rows, ROWS) for _ in range(count))


def write_square(tile: Tile, held: Registers) -> None:
    """Write the sums of a tile, which stay in registers."""
    writer, depth = tile.work.writer, tile.work.anchor.depth
    for part, j in held.cells:
        do(writer, "tilezero", held.sums(part, j))
    depth = (*depth[:-1], pairs_of(tile).terms // held.terms)
    ahead = ahead_of(tile, depth)

    def step(deep: tuple[Index, ...]) -> None:
        if ahead:
            ahead.write(writer, depth, deep)
        write_square_step(tile, held, (*deep[:-1], deep[-1] * (held.terms // 2)))

    write_steps(writer, depth, STEPS_UNROLLED, step)


def write_square_step(tile: Tile, held: Registers, deep: Sequence[Index]) -> None:
    """Write what adds some more terms to all sums; `deep` is where the first pair is."""
    pairs, vector, writer = pairs_of(tile), tile.vectors[0], tile.work.writer
    lanes = lanes_of(tile.work.anchor)
    for part in range(held.used[0]):
        first = pairs.row_at(tile.at(held.start(part), vector, 0), deep)
        place = (pairs.rows, first, pairs.row_step * ITEM)
        do(writer, "tileloadd64", held.rows(part), place=place)
        if pairs.row_step > LINE:
            # Rows that follow each other in memory are there already.
            count = held.parts[part]
            fetch(writer, pairs.rows, first + held.terms, count, pairs.row_step)
    for j, vector in enumerate(tile.vectors):
        first = pairs.weight_at(tile.at(0, vector, 0), deep)
        place = (pairs.weights, first, PAIR * lanes * ITEM)
        do(writer, "tileloadd64", held.weights(j), place=place)
        later = first + STEPS_AHEAD * held.terms * lanes
        fetch(writer, pairs.weights, later, held.terms // PAIR, PAIR * lanes)
    for part, j in held.cells:
        registers = (held.sums(part, j), held.rows(part), held.weights(j))
        do(writer, "tdpbf16ps", *registers)


def fetch(writer: Writer, buffer: Buffer, first: Index, count: int, step: Index) -> None:
    """Write what brings lines of halves to the first-level cache, `step` halves apart.

    To read a register from the second level takes much longer.
    """
    for number in range(count):
        position = writer.prover.simplify(first + number * step)
        writer.write(prefetch(buffer, position, nearest=True))


def do(
    writer: Writer,
    name: str,
    *registers: int,
    place: tuple[Buffer, Index, Index] | None = None,
) -> None:
    """Write an instruction on registers, and on memory: a first element, bytes in a row."""
    arguments = [constant(number, "int8") for number in registers]
    if place:
        buffer, first, stride = place
        position = writer.prover.simplify(first)
        arguments += [address_of(buffer, position), as_index(stride)]
    writer.write(instruction(f"llvm.x86.{name}", *arguments))


def configure(writer: Writer, shapes: Shapes) -> None:
    """Write the instruction that gives every register its rows and the bytes of each.

    It reads a table, which is a constant of the program.
    """
    table = bytearray(64)
    table[0] = 1
    for number, (rows, size) in enumerate(shapes):
        table[16 + 2 * number] = size
        table[48 + number] = rows
    name = "lxc_tiles_" + "_".join(f"{rows}x{size}" for rows, size in shapes)
    content = "".join(f"\\{byte:02X}" for byte in table)
    writer.use(CONFIGURE.format(name=name, content=content))
    writer.write(call_helper(name))
