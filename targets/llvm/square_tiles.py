"""Products of pairs of bfloat16 on registers that hold a whole tile each.

One instruction multiplies a tile of rows by a tile of weights and adds to a tile of sums.
There are eight such registers: a kernel tile is one or two of rows by up to three of
vectors. The sums of a result are one chain over the pieces of the summed axis, whatever the
tile, so no bit depends on where a result lies. The instruction takes denormal numbers for
zeros and rounds to nearest even.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product as every
from typing import Any

from lxc.ir.machine import Machine
from lxc.targets.llvm.anchors import Anchor
from lxc.targets.llvm.finish import finish_vector
from lxc.targets.llvm.halo import write_halo
from lxc.targets.llvm.nest import walk_axes
from lxc.targets.llvm.pair_terms import pairs_of
from lxc.targets.llvm.pairs import Pairs
from lxc.targets.llvm.sizes import product
from lxc.targets.llvm.split import block_panels, even, tiles, total
from lxc.targets.llvm.tile import Tile, Work, ahead_of, write_steps
from lxc.targets.llvm.tiles import Tiling, tiles_together
from lxc.targets.tvm_api import (
    Buffer,
    Index,
    address_of,
    as_index,
    call_helper,
    constant,
    instruction,
)

ROWS = 15
"""A register has 16, but an array on the stack has to be smaller than so many."""
LANES = 16
TERMS = 32
"""What one instruction sums up at most, ..."""
FEWEST_TERMS = 8
"""... and what makes it worth its time."""
STEPS_UNROLLED = 4
ITEM, SUM = 2, 4
"""The bytes of a factor and of a sum."""

CONFIGURE = """\
@{name}_table = private constant [64 x i8] c"{content}", align 64
define void @{name}() {{
  call void @llvm.x86.ldtilecfg(ptr @{name}_table)
  ret void
}}
declare void @llvm.x86.ldtilecfg(ptr)
"""


def terms_at_once(pairs: Pairs) -> int:
    """Return how many terms one instruction sums up, so that none are left over."""
    fitting = [n for n in range(2, TERMS + 1, 2) if pairs.terms % n == 0]
    return max(fitting, default=0)


def is_square(anchor: Anchor) -> bool:
    """Return whether tiles can be read from memory as they lie there."""
    pairs = anchor.pairs
    if pairs is None or anchor.node.operands[1].type.shape[-2] != LANES:
        return False
    in_steps = pairs.is_joined and isinstance(pairs.row_step, int)
    return in_steps and terms_at_once(pairs) >= FEWEST_TERMS


@dataclass(frozen=True)
class Registers:
    """Which of the eight registers hold what, for parts of rows and some vectors."""

    parts: tuple[int, ...]
    vectors: int

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
        return list(every(range(len(self.parts)), range(self.vectors)))

    def start(self, part: int) -> int:
        """Return the first row of a part."""
        return sum(self.parts[:part])

    def shapes(self, terms: int) -> list[tuple[int, int]]:
        """Return the rows of every register, and the bytes of each of them."""
        sums = [(part, LANES * SUM) for part in self.parts for _ in range(self.vectors)]
        rows = [(part, terms * ITEM) for part in self.parts]
        return [*sums, *rows, *[(terms // 2, LANES * SUM)] * self.vectors]


class SquareTiling(Tiling):
    """The same cut into tiles, each computed on registers that hold tiles."""

    def columns(self) -> list[Buffer]:
        """Return one array, which the sums of every register go through."""
        return [self.work.writer.array("float32", ROWS * LANES)]

    def compute(self, tile: Tile, columns: Sequence[Buffer]) -> None:
        """Write one tile."""
        write_square(tile, columns[0])


def write_square_tiles(work: Work, machine: Machine, *, parallel: bool) -> None:
    """Write the loops of a product of pairs."""
    anchor = work.anchor
    rows = 1 if anchor.row is None else anchor.loops[anchor.row]
    few = isinstance(rows, int) and rows <= ROWS
    kinds = tiles(rows, ROWS if few else 2 * ROWS)
    blocks, valid = anchor.loops[anchor.block or 0], anchor.valid
    panels = block_panels(blocks, LANES, valid, 3 if few else 2)
    placed = {anchor.lane, anchor.row, anchor.block, *anchor.inner}
    outer = tuple(axis for axis in range(len(anchor.loops)) if axis not in placed)
    others = product([*(anchor.loops[axis] for axis in outer), total(panels)])
    tall = max(kind.size for kind in kinds) if kinds else 1
    chunk = tiles_together(anchor, kinds, tall, others, machine, parallel=parallel)
    tiling = SquareTiling(work, True, kinds, panels, outer, chunk, True)
    write_halo(work.writer, work.source, work.group, work.result, machine.lanes)
    shared = None if parallel else tiling.columns()

    def body(entries: tuple[Any, ...]) -> None:
        tiling.write(entries, tiling.columns() if shared is None else shared)

    walk_axes(work.writer, tiling.axes, body, parallel=parallel)


def write_square(tile: Tile, passed: Buffer) -> None:
    """Write the sums of a tile, which go through the array `passed`, and what follows."""
    writer, depth = tile.work.writer, tile.work.anchor.depth
    pairs = pairs_of(tile)
    terms = terms_at_once(pairs)
    parts = tuple(size for count, size in even(tile.rows, ROWS) for _ in range(count))
    used = Registers(parts, len(tile.vectors))
    configure(tile, used.shapes(terms))
    for part, j in used.cells:
        do("tilezero", used.sums(part, j), tile=tile)
    depth = (*depth[:-1], pairs.terms // terms)
    ahead = ahead_of(tile, depth)

    def step(deep: tuple[Index, ...]) -> None:
        if ahead:
            ahead.write(writer, depth, deep)
        write_square_step(tile, used, (*deep[:-1], deep[-1] * (terms // 2)))

    write_steps(writer, depth, STEPS_UNROLLED, step)
    for part, j in used.cells:
        place = (passed, 0, LANES * SUM)
        do("tilestored64", used.sums(part, j), tile=tile, place=place)
        with writer.loop(parts[part]) as row:
            finish_vector(tile, passed, row * LANES, used.start(part) + row, j)
    do("tilerelease", tile=tile)


def write_square_step(tile: Tile, used: Registers, deep: Sequence[Index]) -> None:
    """Write what adds some more terms to all sums; `deep` is where the first pair is."""
    pairs, vector = pairs_of(tile), tile.vectors[0]
    for part in range(len(used.parts)):
        first = pairs.row_at(tile.at(used.start(part), vector, 0), deep)
        place = (pairs.rows, first, pairs.row_step * ITEM)
        do("tileloadd64", used.rows(part), tile=tile, place=place)
    for j, vector in enumerate(tile.vectors):
        first = pairs.weight_at(tile.at(0, vector, 0), deep)
        place = (pairs.weights, first, LANES * SUM)
        do("tileloadd64", used.weights(j), tile=tile, place=place)
    for part, j in used.cells:
        registers = (used.sums(part, j), used.rows(part), used.weights(j))
        do("tdpbf16ps", *registers, tile=tile)


def do(
    name: str,
    *registers: int,
    tile: Tile,
    place: tuple[Buffer, Index, Index] | None = None,
) -> None:
    """Write an instruction on registers, and on memory: a first element, bytes in a row."""
    writer = tile.work.writer
    arguments = [constant(number, "int8") for number in registers]
    if place:
        buffer, first, stride = place
        position = writer.prover.simplify(first)
        arguments += [address_of(buffer, position), as_index(stride)]
    writer.write(instruction(f"llvm.x86.{name}", *arguments))


def configure(tile: Tile, shapes: Sequence[tuple[int, int]]) -> None:
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
    writer = tile.work.writer
    writer.use(CONFIGURE.format(name=name, content=content))
    writer.write(call_helper(name))
