"""What follows a reduction in its kernel, and the store, vector by vector."""

from collections.abc import Mapping, Sequence
from functools import partial

from lxc.targets.kernels.element import Elements
from lxc.targets.kernels.halo import position_in_result
from lxc.targets.kernels.place import Place
from lxc.targets.kernels.sizes import index_of
from lxc.targets.kernels.split import powers
from lxc.targets.kernels.storage import stored
from lxc.targets.kernels.tile import Cell, Tile, Work
from lxc.targets.kernels.turned_rows import Row, write_turned
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    as_index,
    constant,
    differs,
    divide,
    is_equal,
    load,
    modulo,
)

VECTOR_BYTES = 64
STACK_BYTES = 1024
"""An array on the stack is smaller than this."""
LONG_WORK = 8
"""From this many steps per element on, work is written in loops instead of unrolled."""


def rows_aside(row_bytes: int) -> int:
    """Return the rows of a tile at most, if an array holds a vector of each at its end."""
    return max(1, (STACK_BYTES - 1) // max(VECTOR_BYTES, row_bytes))


def finish_tile(tile: Tile, sums: Mapping[Cell, Buffer], columns: Sequence[Buffer]) -> None:
    """Write what follows the sums of a tile: once per vector, or in a loop over rows.

    The loop needs memory for the sums: an array of `columns` for every vector of a row.
    """
    if tile.work.group.exit is not None:
        finish_turned(tile, sums, columns)
        return
    if columns and tile.rows > 1:
        finish_rows(tile, sums, columns)
        return
    for row, j in tile.cells:
        finish_vector(tile, sums[row, j], 0, row, j)


def finish_rows(tile: Tile, sums: Mapping[Cell, Buffer], columns: Sequence[Buffer]) -> None:
    """Write the end of a tile once for all rows."""
    writer = tile.work.writer
    for row, j in tile.cells:
        width = tile.vectors[j].width
        lane = writer.lane(width)
        writer.store(columns[j], row * width + lane, load(sums[row, j], lane), width)
    with writer.loop(tile.rows) as row:
        for j, vector in enumerate(tile.vectors):
            finish_vector(tile, columns[j], row * vector.width, row, j)


def finish_vector(tile: Tile, sums: Buffer, first: Index, row: Index, j: int) -> None:
    """Write the end of one vector, whose sums start at `first`."""
    writer, vector = tile.work.writer, tile.vectors[j]
    count, offset = vector.valid - vector.skip, vector.skip
    if not isinstance(count, int):
        finish_part(tile, sums, first, row, j)
        return
    widths = powers(count, vector.width)
    for width in widths:
        summed = load(sums, first + offset + writer.lane(width))
        at = tile.at(row, vector, offset + writer.lane(width))
        finish(tile.work, summed, at, width)
        offset += width


def finish_part(tile: Tile, sums: Buffer, first: Index, row: Index, j: int) -> None:
    """Write the end of one vector of which only running code knows how much is stored.

    What is stored is taken apart into runs of lanes, each half as long as the one before.
    """
    writer, work, vector = tile.work.writer, tile.work, tile.vectors[j]
    dtype, count = work.group.stored.type.dtype, vector.valid - vector.skip
    lane, width = writer.lane(vector.width), vector.width
    ready = writer.array(stored(dtype), width)
    at = tile.at(row, vector, lane)
    elements, _, element = finished(work, load(sums, first + lane), at, width)
    elements.save(ready, lane, element, dtype)
    while width:
        begun = divide(count, 2 * width) * (2 * width)
        run = vector.skip + begun + writer.lane(width)
        write_run = partial(store_run, tile, ready, run, (row, j), width)
        is_there = is_equal(modulo(divide(count, width), 2), as_index(1))
        writer.choose(is_there, write_run, lambda: None)
        width //= 2


def store_run(tile: Tile, ready: Buffer, run: Index, cell: Cell, width: int) -> None:
    """Write the store of some lanes of a vector, which is ready in an array."""
    row, j = cell
    place = place_of(tile.work, tile.at(row, tile.vectors[j], run))
    position = position_in_result(tile.work.writer, tile.work.group, place)
    tile.work.writer.store(tile.work.result, position, load(ready, run), width)


def finish_turned(
    tile: Tile, sums: Mapping[Cell, Buffer], columns: Sequence[Buffer]
) -> None:
    """Write the end of a tile whose result leaves its blocks of lanes.

    What is ready lies in an array per vector, or in those of `columns`.
    """
    writer = tile.work.writer
    ready: dict[Cell, Row] = {}
    if columns:
        for row, j in tile.cells:
            width = tile.vectors[j].width
            start = row * width
            lane = writer.lane(width)
            writer.store(columns[j], start + lane, load(sums[row, j], lane), width)
            ready[row, j] = (columns[j], start)
        with writer.loop(tile.rows) as row:
            for j, vector in enumerate(tile.vectors):
                finish_aside(tile, (columns[j], row * vector.width), row, j)
    else:
        for row, j in tile.cells:
            ready[row, j] = (sums[row, j], 0)
            finish_aside(tile, ready[row, j], row, j)
    for j in range(len(tile.vectors)):
        write_turned(tile, [ready[row, j] for row in range(tile.rows)], j)


def finish_aside(tile: Tile, place: Row, row: Index, j: int) -> None:
    """Write what follows the reduction to where the sums of a vector are."""
    vector, (buffer, start) = tile.vectors[j], place
    lane = tile.work.writer.lane(vector.width)
    at = tile.at(row, vector, lane)
    summed = load(buffer, start + lane)
    elements, _, element = finished(tile.work, summed, at, vector.width)
    dtype = tile.work.group.stored.type.dtype
    elements.save(buffer, start + lane, element, dtype)


def finish(work: Work, summed: Expr, at: Sequence[Index], width: int) -> None:
    """Write what follows the reduction, and the store, for one vector of its results."""
    elements, place, element = finished(work, summed, at, width)
    position = position_in_result(work.writer, work.group, place)
    elements.save(work.result, position, element, work.group.stored.type.dtype)


def finished(
    work: Work, summed: Expr, at: Sequence[Index], width: int
) -> tuple[Elements, Place, Expr]:
    """Return what follows the reduction for one vector of its results, and its place."""
    writer, anchor, group = work.writer, work.anchor, work.group
    elements = Elements(writer, work.source, width, beside_sums=True)
    place = place_of(work, at)
    if anchor.held == "int32" and anchor.dtype.value == "bool":
        summed = differs(summed, constant(0, "int32"))
    else:
        summed = elements.rounded(summed, anchor.dtype)
    elements.known[anchor.node.result, place] = summed
    return elements, place, elements.at(group.stored, place)


def place_of(work: Work, at: Sequence[Index]) -> Place:
    """Return where in the result of the reduction an element lies."""
    anchor, dims = work.anchor, work.writer.dims
    shape = [index_of(entry, dims) for entry in anchor.node.result.type.shape]
    position = anchor.position(at) if anchor.position else None
    return Place(shape, anchor.output(at), position)
