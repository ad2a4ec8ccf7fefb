"""Reductions with vectors along a result axis: a register tile of rows by vectors.

Every result element is one chain of operations in the order of the reduction axes,
whatever the tile, so neither the batch nor the number of threads changes a bit of it.
"""

from collections.abc import Sequence
from contextlib import ExitStack

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
LONG_EPILOGUE = 8
"""A group with more nodes gets small tiles: its code is repeated for every vector."""


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
    lanes = (
        machine.lanes // 2
        if anchor.held in ("float64", "int64", "uint64")
        else machine.lanes
    )
    most = MOST_ACCUMULATORS if len(group.body.nodes) <= LONG_EPILOGUE else 4
    tall, wide = tile_shape(rows, columns, lanes, machine, most)
    outer = [axis for axis in range(len(anchor.loops)) if axis not in (lane, row)]

    def body(counters: tuple[Index, ...], chosen: tuple[tuple[Pieces, Index], ...]) -> None:
        (panel, column), (tile, first) = chosen
        base: list[Index] = [0] * len(anchor.loops)
        for axis, counter in zip(outer, counters, strict=True):
            base[axis] = counter
        cells = []
        for number in range(tile.size):
            offset = 0
            for width in panel.widths:
                at = list(base)
                if row is not None:
                    at[row] = first + number
                if lane is not None:
                    at[lane] = column + offset + writer.lane(width)
                cells.append((tuple(at), width))
                offset += width
        write_tile(writer, source, group, anchor, result, cells)

    cut = [panels(columns, lanes, wide), tiles(rows, tall)]
    walk(writer, [anchor.loops[axis] for axis in outer], cut, body, parallel=parallel)


def write_tile(
    writer: Writer,
    source: Source,
    group: Group,
    anchor: Anchor,
    result: Buffer,
    cells: Sequence[tuple[tuple[Index, ...], int]],
) -> None:
    """Write one register tile: start, reduce, finish and store every vector of it."""
    sums = [writer.array(anchor.held, width) for _, width in cells]
    for total, (_, width) in zip(sums, cells, strict=True):
        writer.store(total, writer.lane(width), anchor.start, width)
    with ExitStack() as stack:
        deep = tuple(stack.enter_context(writer.loop(extent)) for extent in anchor.depth)
        for total, (at, width) in zip(sums, cells, strict=True):
            accumulate(writer, source, anchor, total, at, deep, width)
    for total, (at, width) in zip(sums, cells, strict=True):
        partial = load(total, writer.lane(width))
        finish(writer, source, group, anchor, result, partial, at, width)


def accumulate(
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
