"""Scores of a tile of queries, and the weights that they become.

A score is one chain of multiply-adds over the features of a key in their order. Which score
is the largest so far, and with it by how much sums shrink, follows from blocks of keys,
whose size is fixed.
"""

from collections.abc import Callable, Sequence

from lxc.passes.attention_memory import KEYS
from lxc.targets.kernels.attention.block import F32, LOWEST, Tile
from lxc.targets.kernels.attention.power import falling_power
from lxc.targets.kernels.sizes import covering_parts, whole_parts
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    as_index,
    at_most,
    constant,
    differs,
    is_equal,
    is_less,
    load,
    select,
)

MaskRows = tuple[Sequence[Index], Index]
"""Where each mask has a row for the first key of a block, and which query the row is."""


def score(tile: Tile) -> None:
    """Write the products of the rows of a tile with all keys of the block."""
    work = tile.block.work
    writer, lanes = work.writer, work.lanes
    wide = work.wide(tile.rows)
    vectors = tile.keys.vectors
    if isinstance(vectors, int):
        wide = min(wide, vectors)
    cells = [(row, j) for row in range(tile.rows) for j in range(wide)]
    step = work.query.steps[-1]
    queries = [tile.block.query_start(tile.start + row) for row in range(tile.rows)]
    keys = tile.block.place + work.parts.keys
    lane = writer.lane(lanes)
    with writer.loop(covering_parts(vectors, wide)) as panel:
        column = writer.name(panel * (wide * lanes), KEYS)
        sums = [writer.array(F32, lanes) for _ in cells]
        for total in sums:
            writer.store(total, lane, constant(0.0, F32), lanes)
        with writer.loop(work.size) as place:
            for total, (row, j) in zip(sums, cells, strict=True):
                x = load(work.query.buffer, queries[row] + place * step)
                y = load(work.memory, keys + place * KEYS + column + j * lanes + lane)
                writer.store(total, lane, load(total, lane) + x * y, lanes)
        for total, (row, j) in zip(sums, cells, strict=True):
            at = tile.score(row, column + j * lanes + lane)
            scaled = load(total, lane) * constant(work.scale, F32)
            writer.store(work.memory, at, scaled, lanes)


def weigh(tile: Tile) -> Buffer:
    """Turn scores into weights; return by how much earlier sums of each row shrink."""
    work = tile.block.work
    writer = work.writer
    width = 1 if tile.rows == 1 else min(8, work.lanes)
    count = -(-tile.rows // width) * width
    before, highest, shrink = (writer.array(F32, count) for _ in range(3))
    for start in range(0, count, width):
        lane = start + writer.lane(width)
        for array in (before, highest):
            writer.store(array, lane, constant(0.0, F32), width)
    with writer.loop(tile.rows) as row:
        raise_highest(tile, row, before, highest)
    hold = holder(writer, width)
    for start in range(0, count, width):
        lane = start + writer.lane(width)
        top, lowest = load(highest, lane), constant(LOWEST, F32)
        # A row that has seen nothing yet: minus infinity less itself would be NaN.
        safe = hold(select(is_equal(top, lowest), constant(0.0, F32), top), F32)
        writer.store(highest, lane, safe, width)
        apart = hold(load(before, lane) - safe, F32)
        writer.store(shrink, lane, falling_power(apart, hold), width)
    with writer.loop(tile.rows) as row:
        take_powers(tile, row, highest, shrink)
    return shrink


def holder(writer: Writer, width: int) -> Callable[[Expr, str], Expr]:
    """Return the function that keeps a vector of a width in registers."""
    return lambda value, dtype: writer.hold(value, dtype, width)


def raise_highest(tile: Tile, row: Index, before: Buffer, highest: Buffer) -> None:
    """Write the masked scores of a row, and the largest score before and with them."""
    block, count = tile.block, tile.keys.count
    work = block.work
    writer, lanes = work.writer, work.lanes
    lane = writer.lane(lanes)
    top = writer.array(F32, lanes)
    writer.store(top, lane, constant(LOWEST, F32), lanes)
    masks = mask_rows(tile, row)
    whole = whole_parts(count, lanes)

    def vector(number: Index, *, last: bool) -> None:
        inner = number * lanes + lane
        shown = load(work.memory, tile.score(row, inner))
        shown = writer.hold(masked(tile, masks, shown, inner, last=last), F32, lanes)
        writer.store(work.memory, tile.score(row, inner), shown, lanes)
        writer.store(top, lane, larger(load(top, lane), shown), lanes)

    with writer.loop(whole) as number:
        vector(number, last=False)
    with writer.loop(tile.keys.vectors - whole) as number:
        vector(whole + number, last=True)
    at = block.place + work.parts.highest + tile.start + row
    old = writer.hold(load(work.memory, at), F32, 1)
    found = writer.hold(folded(writer, top, lanes, larger), F32, 1)
    new = writer.hold(larger(old, found), F32, 1)
    writer.store(before, row, old, 1)
    writer.store(highest, row, new, 1)
    writer.store(work.memory, at, new, 1)


def larger(x: Expr, y: Expr) -> Expr:
    """Return the larger of two; NaN may get lost here, and reaches all sums anyway."""
    return select(is_less(x, y), y, x)


def folded(
    writer: Writer, total: Buffer, lanes: int, combine: Callable[[Expr, Expr], Expr]
) -> Expr:
    """Write halves of a vector onto each other and return the one number that is left."""
    while lanes > 1:
        lanes //= 2
        lane = writer.lane(lanes)
        both = combine(load(total, lane), load(total, lanes + lane))
        writer.store(total, lane, both, lanes)
    return load(total, 0)


def mask_rows(tile: Tile, row: Index) -> MaskRows:
    """Return where masks have a row of the tile, and which query it is."""
    block, work = tile.block, tile.block.work
    if not work.masks and not work.causal:
        return (), 0
    head, query = block.head_and_query(block.last_row(tile.start + row))
    starts = []
    for mask, start in zip(work.masks, block.masks, strict=True):
        at = start + head * mask.steps[-3] + query * mask.steps[-2]
        at = at + tile.keys.first * mask.steps[-1]
        starts.append(work.writer.hold(as_index(at), "int64", 1))
    return starts, query


def masked(tile: Tile, rows: MaskRows, shown: Expr, inner: Index, *, last: bool) -> Expr:
    """Return scores of keys after every mask.

    The `last` vector may reach behind the keys: no mask is read there, and what is shown is
    minus infinity.
    """
    work, (starts, query) = tile.block.work, rows
    hold = holder(work.writer, work.lanes)
    inside = at_most(inner, tile.keys.count - 1) if last else inner
    hidden = constant(work.hidden, F32)
    for mask, start in zip(work.masks, starts, strict=True):
        element = load(mask.buffer, start + inside * mask.steps[-1])
        if mask.is_condition:
            seen = differs(element, constant(0, "uint8"))
            shown = hold(select(seen, shown, hidden), F32)
        else:
            shown = hold(shown + element, F32)
    if work.causal:
        key = as_index(tile.keys.first + inner)
        seen = key < as_index(query + work.offset + 1)
        shown = hold(select(seen, shown, hidden), F32)
    if last:
        there = as_index(inner) < as_index(tile.keys.count)
        shown = select(there, shown, constant(LOWEST, F32))
    return shown


def take_powers(tile: Tile, row: Index, highest: Buffer, shrink: Buffer) -> None:
    """Write the weights of a row over its scores, and add them to its sums."""
    block = tile.block
    work = block.work
    writer, lanes = work.writer, work.lanes
    lane, hold = writer.lane(lanes), holder(writer, lanes)
    at = block.place + work.parts.sums + (tile.start + row) * lanes + lane
    total = writer.array(F32, lanes)
    writer.store(total, lane, load(work.memory, at) * load(shrink, row), lanes)
    with writer.loop(tile.keys.vectors) as number:
        place = tile.score(row, number * lanes + lane)
        apart = hold(load(work.memory, place) - load(highest, row), F32)
        weight = falling_power(apart, hold)
        writer.store(work.memory, place, weight, lanes)
        writer.store(total, lane, load(total, lane) + weight, lanes)
    writer.store(work.memory, at, load(total, lane), lanes)
