"""Which tiles of keys a block of queries goes through, if keys behind it are hidden.

A hidden key has a weight of 0, so tiles of them change nothing, except where a row sees
next to nothing else, or where a value is infinite or NaN, which 0 does not take away. Then
they are gone through after all, behind the others.
"""

from collections.abc import Callable

from lxc.targets.cuda.grid_writer import THREADS
from lxc.targets.cuda.intrinsics import ANY_LANE, BARRIER
from lxc.targets.cuda.templates.attention.work import F32, WARPS, Block
from lxc.targets.kernels.attention.reach import (
    EXPONENT,
    WEIGHTLESS,
    keys_up_to,
    last_query,
)
from lxc.targets.kernels.sizes import covering_parts
from lxc.targets.kernels.storage import from_memory
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    as_index,
    at_most,
    constant,
    differs,
    divide,
    intrinsic,
    is_equal,
    is_less,
    load,
    modulo,
    reinterpret,
    select,
)


def walk_tiles(
    block: Block, highest: Buffer, rows: int, body: Callable[[Index, Index], None]
) -> None:
    """Write `body` for all tiles of keys that matter, in order.

    It gets the first of some tiles and their number. `highest` are the largest scores so
    far of the `rows` rows of a thread.
    """
    work = block.work
    writer, size = work.writer, work.parts.tile
    tiles = covering_parts(work.keys, size)
    if not work.causal:
        body(0, tiles)
        return
    seen = writer.name(covering_parts(reach(block), size), tiles + 1)
    first, stop = (writer.array("int64", 1) for _ in range(2))
    writer.store(first, 0, as_index(0), 1)
    writer.store(stop, 0, as_index(seen), 1)
    with writer.loop(2) as turn:

        def rest() -> None:
            writer.store(first, 0, as_index(seen), 1)
            matters = rest_matters(block, highest, rows, seen * size)
            writer.store(stop, 0, select(matters, as_index(tiles), as_index(seen)), 1)

        writer.choose(as_index(turn) < 1, lambda: None, rest)
        start = writer.name(load(first, 0), tiles + 1)
        body(start, writer.name(load(stop, 0) - load(first, 0), tiles + 1))


def reach(block: Block) -> Index:
    """Return how many keys, from the first on, a row of the block may see."""
    work = block.work
    last = at_most(block.first + (work.parts.rows - 1), work.total - 1)
    query = last_query(block.first, last, work.sizes.shared, work.queries)
    return keys_up_to(query + work.offset, work.keys)


def rest_matters(block: Block, highest: Buffer, rows: int, hidden: Index) -> Expr:
    """Return whether keys from `hidden` on change a row of the block after all."""
    work = block.work
    writer, flags, width = work.writer, work.parts.flags, work.sizes.width
    found = writer.array("int32", 1)
    writer.store(found, 0, constant(0, "int32"), 1)
    enough = constant(work.hidden + WEIGHTLESS, F32)
    for row in range(rows):
        high = is_less(enough, load(highest, row))
        writer.store(found, 0, select(high, load(found, 0), constant(1, "int32")), 1)
    count = (work.keys - hidden) * width
    turns = covering_parts(count, THREADS)
    with writer.loop(turns) as turn:
        place = at_most(turn * THREADS + writer.member(THREADS), count - 1)
        key, feature = divide(place, width), modulo(place, width)
        at = work.value.position(*block.batch, block.group, hidden + key, feature)
        exponent = constant(EXPONENT, "int32")
        element = from_memory(load(work.value.buffer, at), work.dtype)
        bits = reinterpret("int32", writer.hold(element, F32, 1))
        endless = is_equal(intrinsic("and", bits, exponent), exponent)
        writer.store(found, 0, select(endless, constant(1, "int32"), load(found, 0)), 1)
    together = writer.hold(ANY_LANE.value("int32", load(found, 0)), "int32", 1)
    leads = is_equal(as_index(work.lane), as_index(0))
    writer.choose(leads, lambda: writer.store(flags, work.warp, together, 1), lambda: None)
    writer.write(BARRIER.statement())
    whole = load(flags, 0)
    for warp in range(1, WARPS):
        whole = intrinsic("or", whole, load(flags, warp))
    return differs(writer.hold(whole, "int32", 1), constant(0, "int32"))
