"""Which blocks of keys a block of queries goes through, if keys behind it are hidden.

A hidden key has a weight of 0, so blocks of them change nothing, except where a row sees
next to nothing else, or where a value is infinite or NaN, which 0 does not take away. Then
they are gone through after all, behind the others.
"""

from collections.abc import Callable

from lxc.passes.attention_memory import KEYS
from lxc.targets.kernels.attention.block import F32, Block, Keys, Tile
from lxc.targets.kernels.attention.scores import folded
from lxc.targets.kernels.sizes import covering_parts
from lxc.targets.kernels.split import vectors
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    as_index,
    at_least,
    at_most,
    constant,
    divide,
    intrinsic,
    is_equal,
    is_less,
    load,
    modulo,
    reinterpret,
    select,
)

WEIGHTLESS = 128.0
"""A key whose score is this much below the largest has a weight of 0."""
EXPONENT = 0x7F800000
"""All digits of the exponent of a float32: infinite or NaN."""

TileBody = Callable[[Tile], None]


def walk_keys(block: Block, body: Callable[[Keys, TileBody], None], one: TileBody) -> None:
    """Write `body` for blocks of keys, in order; it gets what to do with its tiles.

    That is `one` where keys matter to the tile.
    """
    work = block.work
    writer = work.writer
    blocks = covering_parts(work.keys, KEYS)
    if not work.causal or (isinstance(blocks, int) and blocks == 1):
        with writer.loop(blocks) as number:
            body(keys_of(block, number), one)
        return
    seen = writer.name(covering_parts(reach(block, 0, block.rows), KEYS), blocks + 1)
    end = writer.array("int64", 1)
    writer.store(end, 0, as_index(seen), 1)
    with writer.loop(2) as turn:

        def rest() -> None:
            matters = is_equal(load(rest_matters(block), 0), constant(0, "int32"))
            writer.store(end, 0, select(matters, as_index(0), as_index(blocks)), 1)

        def where_due(tile: Tile) -> None:
            # Each pair of a tile and a block of keys has its turn once.
            shown = as_index(tile.keys.first) < reach(block, tile.start, tile.rows)
            due = is_equal(select(shown, as_index(0), as_index(1)), turn)
            writer.choose(due, lambda: one(tile), lambda: None)

        writer.choose(as_index(turn) < 1, lambda: None, rest)
        with writer.loop(load(end, 0)) as number:
            body(keys_of(block, number), where_due)


def keys_of(block: Block, number: Index) -> Keys:
    """Return a block of keys by its number."""
    work = block.work
    first = number * KEYS
    if isinstance(work.keys, int) and (work.keys <= KEYS or work.keys % KEYS == 0):
        count: Index = min(work.keys, KEYS)
    else:
        count = work.writer.name(at_most(work.keys - first, KEYS), KEYS + 1)
    return Keys(first, count, covering_parts(count, work.lanes))


def reach(block: Block, start: Index, rows: Index) -> Index:
    """Return how many keys, from the first on, one of some rows may see."""
    work = block.work
    first = block.first + start
    last = at_most(first + rows, block.first + block.rows) - 1
    query = last_query(first, last, work.shared, work.queries)
    return keys_up_to(query + work.offset, work.keys)


def last_query(first: Index, last: Index, shared: int, queries: Index) -> Index:
    """Return the last query of rows that are counted through all of some heads."""
    if shared == 1:
        return last
    heads = (divide(row, queries) for row in (first, last))
    one_head = is_equal(*map(as_index, heads))
    inside = as_index(modulo(last, queries))
    return select(one_head, inside, as_index(queries - 1))


def keys_up_to(last: Index, keys: Index) -> Index:
    """Return how many of so many keys a query sees, the last one of which is `last`."""
    return at_least(at_most(last + 1, keys), 0)


def rest_matters(block: Block) -> Buffer:
    """Return whether blocks of hidden keys change a row after all: a number but 0."""
    work = block.work
    writer = work.writer
    # No block in front of that is hidden from a row, whatever head it is of.
    query = block.first if work.shared == 1 else 0
    shown = keys_up_to(query + work.offset, work.keys)
    hidden = writer.name(divide(shown, KEYS) * KEYS, work.keys + 1)
    found = writer.array("int32", 1)
    writer.store(found, 0, constant(0, "int32"), 1)
    enough = constant(work.hidden + WEIGHTLESS, F32)
    with writer.loop(block.rows) as row:
        highest = load(work.memory, block.place + work.parts.highest + row)
        high = is_less(enough, highest)
        writer.store(found, 0, select(high, load(found, 0), constant(1, "int32")), 1)
    for piece in vectors(0, work.width, work.machine.lanes):
        with writer.loop(piece.count) as number:
            endless(block, hidden, piece.start + number * piece.size, piece.size, found)
    return found


def endless(block: Block, first: Index, start: Index, width: int, found: Buffer) -> None:
    """Note in `found` whether some features of keys from `first` on are not finite."""
    work = block.work
    writer = work.writer
    lane, exponent = writer.lane(width), constant(EXPONENT, "int32")
    along, feature = work.value.steps[-2:]
    most = writer.array("int32", width)
    writer.store(most, lane, constant(0, "int32"), width)
    with writer.loop(work.keys - first) as key:
        at = block.value + (first + key) * along + (start + lane) * feature
        bits = intrinsic("and", reinterpret("int32", load(work.value.buffer, at)), exponent)
        writer.store(most, lane, larger(load(most, lane), bits), width)
    same = is_equal(folded(writer, most, width, larger), exponent)
    writer.store(found, 0, select(same, constant(1, "int32"), load(found, 0)), 1)


def larger(x: Expr, y: Expr) -> Expr:
    """Return the larger of two integers."""
    return select(is_less(x, y), y, x)
