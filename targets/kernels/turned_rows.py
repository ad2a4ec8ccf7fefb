"""Results of a tile in blocks of lanes, turned around in registers and stored as rows."""

from collections.abc import Sequence

from lxc.targets.kernels.place import Place
from lxc.targets.kernels.sizes import index_of, product
from lxc.targets.kernels.split import powers
from lxc.targets.kernels.tile import Tile
from lxc.targets.kernels.transposition import turned
from lxc.targets.tvm_api import Buffer, Index, load, load_vector, store, store_vector

Row = tuple[Buffer, Index]
"""One vector of channels of a cell: an array and where in it the vector begins."""


def write_turned(tile: Tile, rows: Sequence[Row], j: int) -> None:
    """Write a vector of channels of neighbouring cells as runs of cells per channel.

    The cells are taken in powers of two, each a few square blocks of channels by cells.
    """
    vector, first = tile.vectors[j], 0
    for size in powers(len(rows), vector.width):
        for lane in range(0, vector.valid, size):
            write_square(tile, rows[first : first + size], first, j, lane)
        first += size


def write_square(tile: Tile, rows: Sequence[Row], first: int, j: int, lane: int) -> None:
    """Write as many channels from `lane` on as there are cells from row `first` on."""
    writer, vector, size = tile.work.writer, tile.vectors[j], len(rows)
    count = min(size, vector.valid - lane)
    if size == 1:
        (buffer, start) = rows[0]
        position = position_of(tile, first, j, lane)
        writer.write(store(tile.work.result, position, load(buffer, start + lane)))
        return
    pieces = []
    for buffer, start in rows:
        piece = writer.array("float32", size)
        taken = load_vector(buffer, start + lane, size)
        writer.write(store_vector(piece, 0, taken, size))
        pieces.append(piece)
    for channel, run in enumerate(turned(writer, pieces, "float32")[:count]):
        position = position_of(tile, first, j, lane + channel)
        run_of_cells = load_vector(run, 0, size)
        writer.write(store_vector(tile.work.result, position, run_of_cells, size))


def position_of(tile: Tile, row: int, j: int, lane: int) -> Index:
    """Return where in the plain result a channel of a row's cell lies."""
    work = tile.work
    shape = [index_of(entry, work.writer.dims) for entry in work.group.stored.type.shape]
    at = work.anchor.output(tile.at(row, tile.vectors[j], lane))
    sample, block, *cells, inner = at
    channel = block * shape[-1] + inner
    space = shape[2:-1]
    whole = (shape[0], work.group.exit, product(space))
    cell = Place(space, cells).position
    return work.writer.prover.simplify(Place(whole, (sample, channel, cell)).position)
