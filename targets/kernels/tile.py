"""One register tile of a reduction: the sums of rows by vectors, step by step.

Every result element is one chain of operations in the order of the reduction axes,
whatever the tile, so neither the batch nor the number of threads changes a bit of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from lxc.ir.machine import LARGEST_SECOND_CACHE
from lxc.ir.node import Value
from lxc.targets.kernels.ahead import (
    LINE_BYTES,
    MOST_CELL_STEPS,
    NEAR_TURNS,
    SMALL_BYTES,
    Ahead,
    Beside,
    Cells,
    Near,
)
from lxc.targets.kernels.anchors import Anchor
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.group import Group
from lxc.targets.kernels.sizes import index_of, product
from lxc.targets.kernels.sliding import Sliding
from lxc.targets.kernels.split import Vector
from lxc.targets.kernels.tile_steps import TERMS_WHOLE, most_steps, write_steps
from lxc.targets.kernels.variants import Variants
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import Buffer, Expr, Index, at_most, load

Cell = tuple[int, int]
"""A vector of sums of a tile: its row and its place in a row."""
Terms = Callable[["Tile", dict[Cell, Buffer], tuple[Index, ...]], None]


@dataclass(frozen=True)
class Work:
    """What all tiles of a kernel share; `terms` writes a step where factors are pairs.

    Weights of no more than `resident` bytes stay in the second-level cache. So many vector
    `registers` hold sums and what they are made of.
    """

    writer: Writer
    source: Source
    group: Group
    anchor: Anchor
    result: Buffer
    variants: Variants
    terms: "Terms | None" = None
    resident: int = 0
    registers: int = 0


@dataclass(frozen=True)
class Tile:
    """Where a tile is: the coordinates of its first element, its rows and vectors.

    It is the `turn`-th of `turns` tiles that read the same panel one after the other.
    """

    work: Work
    base: tuple[Index, ...]
    rows: int
    vectors: tuple[Vector, ...]
    turn: Index
    turns: Index

    @property
    def cells(self) -> list[Cell]:
        """All vectors of sums, row by row."""
        return [(row, j) for row in range(self.rows) for j in range(len(self.vectors))]

    def at(self, row: Index, vector: Vector, lane: Index) -> tuple[Index, ...]:
        """Return the coordinates of a lane of a vector along the loop axes."""
        anchor, moved = self.work.anchor, list(self.base)
        if anchor.row is not None:
            moved[anchor.row] = moved[anchor.row] + row
        if anchor.block is not None:
            moved[anchor.block] = moved[anchor.block] + vector.block
        if anchor.lane is not None:
            moved[anchor.lane] = moved[anchor.lane] + vector.offset + lane
        return tuple(moved)


def write_sums(tile: Tile, *, fetches: bool) -> dict[Cell, Buffer]:
    """Write the reduction of every cell; return the arrays with the sums.

    What `fetches` ahead does so where there is a next panel.
    """
    writer, anchor = tile.work.writer, tile.work.anchor
    sums: dict[Cell, Buffer] = {}
    for row, j in tile.cells:
        width = tile.vectors[j].width
        sums[row, j] = writer.array(anchor.held, width)
        writer.store(sums[row, j], writer.lane(width), start_of(tile), width)
    if anchor.sliding:
        write_sliding(tile, sums, anchor.sliding)
        return sums
    steps = product(anchor.depth)
    whole = isinstance(steps, int) and steps * len(sums) <= TERMS_WHOLE
    most = steps if whole else most_steps(anchor, len(sums), tile.work.registers)
    ahead = ahead_of(tile, anchor.depth) if fetches and not whole else None
    near = near_of(tile) if fetches and not whole else None
    cells = None if whole else cells_of(tile)
    terms = tile.work.terms or write_terms

    def step(deep: tuple[Index, ...]) -> None:
        for fetched in (ahead, near, cells):
            if fetched:
                fetched.write(writer, anchor.depth, deep)
        terms(tile, sums, deep)

    write_steps(writer, anchor.depth, most, step)
    if anchor.pairs and anchor.pairs.terms % 2:
        terms(tile, sums, anchor.depth)
    return sums


def start_of(tile: Tile) -> Expr:
    """Return what a reduction of nothing gives.

    Were it known to be zero, a square would not be added to it. Where no loop is around
    the terms, the first square might then be fused with the second one as it is rounded.
    """
    writer, anchor = tile.work.writer, tile.work.anchor
    if anchor.kind == "add" and len(anchor.factors) == 1:
        return writer.settled(anchor.held, anchor.start)
    return anchor.start


def has_next_panel(work: Work) -> bool:
    """Return whether the weights of a product lie in several panels of known sizes."""
    anchor, weight = work.anchor, work.anchor.panel_weight
    if weight is None or weight not in work.source.buffers:
        return False
    blocks = anchor.loops[anchor.block or 0]
    around = [
        anchor.loops[axis] for axis in (*anchor.inner, anchor.row) if axis is not None
    ]
    sizes = (product(anchor.depth), blocks, weight.type.element_count, *around)
    return all(isinstance(entry, int) for entry in sizes) and blocks > 1


def beside(tile: Tile, far: Value) -> Beside | None:
    """Return what a tile fetches of an operand whose steps lie far from each other."""
    work, place = tile.work, tile.work.anchor.far_place
    alone = isinstance(tile.turns, int) and tile.turns < 2
    if place is None or alone or far not in work.source.buffers:
        return None
    width = sum(vector.width for vector in tile.vectors)
    last = index_of(far.type.element_count, work.writer.dims) - 1
    line = LINE_BYTES // far.type.dtype.bytes
    reads = partial(place, tile.base)
    found = Beside(work.source.buffers[far], line, reads, width, last)
    return found.named(work.writer, tile.turn, tile.turns)


def ahead_of(tile: Tile, depth: Sequence[Index]) -> Ahead | Beside | None:
    """Return what a tile fetches for the next panel, if there are several panels.

    It does so in every step of a loop over `depth`.
    """
    work, anchor = tile.work, tile.work.anchor
    if anchor.far is not None:
        return beside(tile, anchor.far)
    weight, place = anchor.panel_weight, anchor.panel_place
    if weight is None or place is None or not has_next_panel(work):
        return None
    terms, blocks = product(anchor.depth), anchor.loops[anchor.block or 0]
    count = weight.type.element_count
    if not isinstance(tile.turns, int) or not isinstance(count, int):
        return None
    if blocks <= tile.vectors[-1].block + 1 or tile.turns < 2:
        return None
    panel = len(tile.vectors) * terms * tile.vectors[0].width * (2 if anchor.pairs else 1)
    buffer, size = work.source.buffers[weight], weight.type.dtype.bytes
    shared = Ahead.of(buffer, count, size, panel, product(depth), tile.turns)
    return shared and shared.named(work.writer, place(tile.base) + panel, tile.turn)


def near_of(tile: Tile) -> Near | None:
    """Return what a tile of a matrix product fetches of its own panel.

    The first tile waits for lines that are on their way to the second-level cache still,
    so it pays where weights come from further away and few tiles share the panel. Where
    there is one tile only, several streams that are fetched get more out of memory.
    """
    work, anchor = tile.work, tile.work.anchor
    weight, place, block = anchor.panel_weight, anchor.panel_place, anchor.block
    if weight is None or place is None or block is None or anchor.lane is None:
        return None
    steps, stride = product(anchor.depth), anchor.loops[anchor.lane]
    if not (isinstance(steps, int) and isinstance(stride, int)):
        return None
    if not (isinstance(tile.turns, int) and 1 <= tile.turns <= NEAR_TURNS):
        return None
    size = weight.type.dtype.bytes
    line, read = LINE_BYTES // size, sum(vector.width for vector in tile.vectors)
    if anchor.pairs or not anchor.row_bytes or stride % line:
        return None
    alone = tile.turns == 1
    resident = max(work.resident, LARGEST_SECOND_CACHE) if alone else work.resident
    if steps * read * size < SMALL_BYTES or weight.type.max_bytes <= resident:
        return None
    firsts: list[Index] = []
    for vector in tile.vectors:
        base = list(tile.base)
        base[block] = base[block] + vector.block
        lanes = range(vector.offset, vector.offset + vector.width)
        firsts += [place(base) + lane for lane in lanes if lane % line == 0]
    return Near(work.source.buffers[weight], tuple(firsts), stride, alone)


def cells_of(tile: Tile) -> Cells | None:
    """Return what a tile fetches for the next one, if its sums are short."""
    work, anchor = tile.work, tile.work.anchor
    value, place, row = anchor.cells, anchor.cell_place, anchor.row
    if value is None or place is None or row is None or anchor.pairs:
        return None
    steps, cells = product(anchor.depth), anchor.loops[row]
    if not (isinstance(steps, int) and isinstance(cells, int)):
        return None
    if steps > MOST_CELL_STEPS or cells < 2 * tile.rows or value not in work.source.buffers:
        return None
    base = list(tile.base)
    base[row] = at_most(base[row] + tile.rows, cells - tile.rows)
    base[row] = work.writer.name(work.writer.prover.simplify(base[row]), cells)
    line = LINE_BYTES // value.type.dtype.bytes
    lines = -(-tile.rows * int(anchor.depth[-1]) // line)
    return Cells(work.source.buffers[value], line, lines, partial(place, base))


def write_sliding(tile: Tile, sums: dict[Cell, Buffer], sliding: Sliding) -> None:
    """Write all terms, those of a window line by line."""

    def window(deep: tuple[Index, ...]) -> None:
        for row, entry in sliding.order(tile.rows):
            cells = [(row, j) for j in range(len(tile.vectors))]
            for column in range(sliding.width):
                write_terms(tile, sums, (*deep, entry, column), cells)

    write_steps(tile.work.writer, tile.work.anchor.depth[:-2], 1, window)


def write_terms(
    tile: Tile,
    sums: dict[Cell, Buffer],
    deep: Sequence[Index],
    cells: Sequence[Cell] | None = None,
) -> None:
    """Write one more term into every cell, or some; what cells share is loaded once."""
    writer, anchor = tile.work.writer, tile.work.anchor
    shared: dict[tuple[int, int | None, int | None], Expr] = {}
    for row, j in tile.cells if cells is None else cells:
        width = tile.vectors[j].width
        elements = Elements(writer, tile.work.source, width)
        pulled = [
            factor_element(tile, shared, number, row, j, deep)
            for number in range(len(anchor.factors))
        ]
        lane = writer.lane(width)
        term = anchor.term(pulled, elements.hold)
        combined = anchor.combine(load(sums[row, j], lane), term, elements.hold)
        writer.store(sums[row, j], lane, combined, width)


def factor_element(
    tile: Tile,
    shared: dict[tuple[int, int | None, int | None], Expr],
    number: int,
    row: int,
    j: int,
    deep: Sequence[Index],
) -> Expr:
    """Return the element of a factor for a cell, held if other cells read it as well."""
    anchor, writer = tile.work.anchor, tile.work.writer
    factor, vector = anchor.factors[number], tile.vectors[j]
    by_row = anchor.row in factor.loops
    by_lane = anchor.lane in factor.loops
    by_vector = by_lane or anchor.block in factor.loops
    key = (number, row if by_row else None, j if by_vector else None)
    if key not in shared:
        width = vector.width if by_lane else 1
        elements = Elements(writer, tile.work.source, width)
        at = tile.at(row, vector, writer.lane(width))
        element = factor.pull(elements, at, deep)
        repeated = (not by_row and tile.rows > 1) or (
            not by_vector and len(tile.vectors) > 1
        )
        if repeated and element_is_number(anchor):
            element = elements.hold(element, anchor.held)
        shared[key] = element
    return shared[key]


def element_is_number(anchor: Anchor) -> bool:
    """Return whether elements are of the type that sums are kept in."""
    return anchor.dtype.value != "bool"
