"""Reductions with vectors along a result axis: a register tile of rows by vectors.

Every result element is one chain of operations in the order of the reduction axes,
whatever the tile, so neither the batch nor the number of threads changes a bit of it.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate, groupby
from operator import itemgetter

from lxc.ir.machine import Machine
from lxc.targets.llvm.anchors import Anchor
from lxc.targets.llvm.element import Elements, Source
from lxc.targets.llvm.group import Group
from lxc.targets.llvm.nest import walk
from lxc.targets.llvm.place import Place
from lxc.targets.llvm.sizes import index_of
from lxc.targets.llvm.split import Pieces, panels, tile_shape, tiles
from lxc.targets.llvm.storage import rounded
from lxc.targets.llvm.writer import Writer
from lxc.targets.tvm_api import Buffer, Expr, Index, constant, differs, load

MOST_ACCUMULATORS = 26
STACK_BYTES = 1024
LONG_WORK = 8
"""From this many steps per element on, work is written in loops instead of unrolled."""
COSTLY = {"exp": 30, "tanh": 40, "logistic": 45}
"""The steps of elementwise ops that take more than one."""

Cell = tuple[int, int, int]
"""A vector of a tile: its row, the lane it starts at, and its width."""


@dataclass(frozen=True)
class Tile:
    """One register tile: where it is, and the vectors of one row of it."""

    writer: Writer
    source: Source
    group: Group
    anchor: Anchor
    result: Buffer
    base: tuple[Index, ...]
    rows: int
    widths: tuple[int, ...]

    @property
    def offsets(self) -> tuple[int, ...]:
        """Where each vector of a row starts."""
        return tuple(accumulate((0, *self.widths[:-1])))

    @property
    def cells(self) -> list[Cell]:
        """All vectors, row by row."""
        row = list(zip(self.offsets, self.widths, strict=True))
        return [
            (number, offset, width) for number in range(self.rows) for offset, width in row
        ]

    def at(self, row: Index, offset: Index, width: int) -> tuple[Index, ...]:
        """Return the coordinates of a vector along the loop axes."""
        moved = list(self.base)
        if self.anchor.row is not None:
            moved[self.anchor.row] = moved[self.anchor.row] + row
        if self.anchor.lane is not None:
            lane = moved[self.anchor.lane] + offset + self.writer.lane(width)
            moved[self.anchor.lane] = lane
        return tuple(moved)


def write_tiles(
    writer: Writer,
    source: Source,
    group: Group,
    anchor: Anchor,
    result: Buffer,
    machine: Machine,
    *,
    parallel: bool,
) -> None:
    """Write the loops of a reduction whose vectors run along a result axis."""
    lane, row = anchor.lane, anchor.row
    columns = 1 if lane is None else anchor.loops[lane]
    rows = 1 if row is None else anchor.loops[row]
    wide = anchor.held in ("float64", "int64", "uint64")
    lanes = machine.lanes // 2 if wide else machine.lanes
    long = steps(group) > LONG_WORK
    tall, broad = tile_shape(
        rows, columns, lanes, machine, most_vectors(group, lanes, wide)
    )
    outer = [axis for axis in range(len(anchor.loops)) if axis not in (lane, row)]

    def body(counters: tuple[Index, ...], chosen: tuple[tuple[Pieces, Index], ...]) -> None:
        (panel, column), (tile, first) = chosen
        base: list[Index] = [0] * len(anchor.loops)
        for axis, start in zip(
            (lane, row, *outer), (column, first, *counters), strict=True
        ):
            if axis is not None:
                base[axis] = start
        place = (writer, source, group, anchor, result, tuple(base))
        write_tile(Tile(*place, tile.size, panel.widths), long)

    cut = [panels(columns, lanes, broad), tiles(rows, tall, few=long)]
    walk(writer, [anchor.loops[axis] for axis in outer], cut, body, parallel=parallel)


def steps(group: Group) -> int:
    """Return roughly how many instructions a group spends on one element."""
    nodes = group.body.nodes
    return sum(
        COSTLY.get(node.op.name, 1) for node in nodes if node.op.kind == "elementwise"
    )


def most_vectors(group: Group, lanes: int, wide: bool) -> int:
    """Return how many vectors a tile may have."""
    if steps(group) <= LONG_WORK:
        return MOST_ACCUMULATORS
    if group.anchor and group.anchor.op.name in ("reduce", "reduce_window"):
        return 1
    # The vectors of a tile go through one array on the stack.
    return min(MOST_ACCUMULATORS, (STACK_BYTES - 1) // (lanes * (8 if wide else 4)))


def write_tile(tile: Tile, long: bool) -> None:
    """Write one register tile: start, reduce, finish and store every vector of it."""
    writer, anchor = tile.writer, tile.anchor
    sums = [writer.array(anchor.held, width) for _, _, width in tile.cells]
    for total, (_, _, width) in zip(sums, tile.cells, strict=True):
        writer.store(total, writer.lane(width), anchor.start, width)
    with ExitStack() as stack:
        deep = tuple(stack.enter_context(writer.loop(extent)) for extent in anchor.depth)
        for total, cell in zip(sums, tile.cells, strict=True):
            at = tile.at(*cell)
            add_term(writer, tile.source, anchor, total, at, deep, cell[2])
    if long and len(sums) > 1:
        finish_in_loops(tile, sums)
        return
    for total, cell in zip(sums, tile.cells, strict=True):
        partial = load(total, writer.lane(cell[2]))
        place = (tile.source, tile.group, anchor, tile.result, partial)
        finish(writer, *place, tile.at(*cell), cell[2])


def finish_in_loops(tile: Tile, sums: Sequence[Buffer]) -> None:
    """Write the end of a tile once for all rows and for all vectors of one width."""
    writer, size = tile.writer, sum(tile.widths)
    spilled = writer.array(tile.anchor.held, size * tile.rows)
    for total, (row, offset, width) in zip(sums, tile.cells, strict=True):
        lane = writer.lane(width)
        writer.store(spilled, row * size + offset + lane, load(total, lane), width)
    with writer.loop(tile.rows) as row:
        for width, run in groupby(
            zip(tile.offsets, tile.widths, strict=True), itemgetter(1)
        ):
            offsets = [offset for offset, _ in run]
            with writer.loop(len(offsets)) as number:
                offset = offsets[0] + number * width
                partial = load(spilled, row * size + offset + writer.lane(width))
                at = tile.at(row, offset, width)
                place = (tile.source, tile.group, tile.anchor, tile.result, partial)
                finish(writer, *place, at, width)


def add_term(
    writer: Writer,
    source: Source,
    anchor: Anchor,
    total: Buffer,
    at: Sequence[Index],
    deep: Sequence[Index],
    width: int,
) -> None:
    """Write one more term into a vector of partial results."""
    elements = Elements(writer, source, width)
    term = anchor.as_term(anchor.term(elements, at, deep))
    lane = writer.lane(width)
    combined = anchor.combine(load(total, lane), term, elements.hold)
    writer.store(total, lane, combined, width)


def finish(
    writer: Writer,
    source: Source,
    group: Group,
    anchor: Anchor,
    result: Buffer,
    partial: Expr,
    at: Sequence[Index],
    width: int,
) -> None:
    """Write what follows the reduction, and the store, for one vector of its results."""
    elements = Elements(writer, source, width)
    shape = [index_of(entry, writer.dims) for entry in anchor.node.result.type.shape]
    place = Place(shape, anchor.output(at))
    if anchor.held == "int32" and anchor.dtype.value == "bool":
        partial = differs(partial, constant(0, "int32"))
    else:
        partial = elements.hold(rounded(partial, anchor.dtype), anchor.held)
    elements.known[anchor.node.result, place] = partial
    element = elements.at(group.stored, place)
    elements.save(result, place.position, element, group.stored.type.dtype)
