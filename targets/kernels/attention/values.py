"""Values of a block of keys, added to the results of a tile by their weights.

A result is one chain of multiply-adds over the keys in their order.
"""

from collections.abc import Sequence

from lxc.targets.kernels.attention.block import F32, Tile
from lxc.targets.kernels.split import powers
from lxc.targets.tvm_api import Buffer, Index, load


def add_values(tile: Tile, shrink: Buffer) -> None:
    """Write the results of a tile, shrunk and with what a block of keys adds."""
    work = tile.block.work
    most = work.panel(tile.rows)
    lanes = work.machine.lanes
    whole, rest = divmod(work.width, lanes)
    with work.writer.loop(whole // most) as panel:
        add_panel(tile, shrink, panel * (most * lanes), (lanes,) * most)
    start = whole // most * most * lanes
    widths = (*(lanes,) * (whole % most), *powers(rest, lanes))
    while widths:
        add_panel(tile, shrink, start, widths[:most])
        start += sum(widths[:most])
        widths = widths[most:]


def add_panel(tile: Tile, shrink: Buffer, start: Index, widths: Sequence[int]) -> None:
    """Write one register tile of results: some vectors of every row."""
    block = tile.block
    work = block.work
    writer = work.writer
    along, feature = work.value.steps[-2:]
    results = block.place + work.parts.results + tile.start * work.width + start
    cells = []
    for row in range(tile.rows):
        offset = 0
        for width in widths:
            cells.append((row, offset, width, writer.array(F32, width)))
            offset += width
    for row, offset, width, total in cells:
        lane = writer.lane(width)
        old = load(work.memory, results + row * work.width + offset + lane)
        writer.store(total, lane, old * load(shrink, row), width)
    with writer.loop(tile.keys.count) as key:
        from_here = block.value + (tile.keys.first + key) * along
        for row, offset, width, total in cells:
            inner = start + offset + writer.lane(width)
            weight = load(work.memory, tile.score(row, key))
            term = weight * load(work.value.buffer, from_here + inner * feature)
            lane = writer.lane(width)
            writer.store(total, lane, load(total, lane) + term, width)
    for row, offset, width, total in cells:
        lane = writer.lane(width)
        at = results + row * work.width + offset + lane
        writer.store(work.memory, at, load(total, lane), width)
