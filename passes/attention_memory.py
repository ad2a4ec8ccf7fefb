"""How an attention kernel divides its work, and the memory that it works in.

Queries are taken in blocks, keys in blocks of a fixed size, whatever their number is: so a
result has the same bits in a longer sequence. A place is the memory for one block of
queries. Places are few, so that they stay in the cache; each is used for one block after
the other, and several threads use several of them.
"""

from dataclasses import dataclass

from lxc.errors import InternalError
from lxc.ir.dim import Size, bounds
from lxc.ir.machine import Machine
from lxc.ir.types import Shape, TensorType, count_elements

KEYS = 64
"""Keys of one block. The largest vector of any machine divides it."""
ROWS = 132
"""The most queries of one block: full tiles that make up for bringing keys into order."""
TALL = 6
"""Queries of one register tile."""
FEWEST = 3
"""From this many on, queries that do not fill a tile are computed as if they did."""
FEWEST_PLACES, MOST_PLACES = 8, 64
BLOCKS_PER_PLACE = 4
"""With many blocks of queries, each place has about this many."""
LINE = 16
"""Parts of a place start at whole cache lines of this many float32."""


@dataclass(frozen=True)
class AttentionMemory:
    """Where the parts of a place start, in float32, for `rows` queries at a time.

    `keys` holds one block [size, KEYS]; `scores` those of a tile [TALL, KEYS]; `results`
    [rows, width], not yet divided by the sums; `sums` one vector per row; `highest` the
    largest score of each row so far.
    """

    rows: int
    keys: int
    scores: int
    results: int
    sums: int
    highest: int
    total: int


def attention_memory(size: int, width: int, rows: int, machine: Machine) -> AttentionMemory:
    """Return the parts of a place for blocks of at most `rows` queries."""
    held = max(rows, (rows + TALL - FEWEST) // TALL * TALL)
    parts = (
        size * KEYS,
        TALL * KEYS,
        held * width,
        held * machine.lanes,
        held + 2 * machine.lanes,
    )
    starts = [0]
    for count in parts:
        starts.append(starts[-1] + -(-count // LINE) * LINE)
    return AttentionMemory(rows, *starts)


def query_blocks(rows: Size) -> tuple[Size, int]:
    """Return how many blocks `rows` queries are divided into, and the size of all but one.

    The last block may be smaller.
    """
    if not isinstance(rows, int):
        size = min(ROWS, bounds(rows)[1])
        return (rows + (size - 1)) // size, size
    size = -(-rows // max(1, -(-rows // ROWS)))
    size = size if size < TALL else -(-size // TALL) * TALL
    return -(-rows // max(1, size)), size


@dataclass(frozen=True)
class HeadSizes:
    """The sizes of an attention: `shared` heads in a row read the keys of one group."""

    batch: Shape
    groups: int
    shared: int
    queries: Size
    keys: Size
    size: int
    width: int


def head_sizes(query: TensorType, key: TensorType, value: TensorType) -> HeadSizes:
    """Return the sizes that operands of attention have, which suit each other."""
    *batch, heads, queries, size = query.shape
    groups, keys, width = key.shape[-3], key.shape[-2], value.shape[-1]
    whole = known(heads) // known(groups)
    return HeadSizes(
        tuple(batch), known(groups), whole, queries, keys, known(size), known(width)
    )


def known(size: Size) -> int:
    """Return a size that does not depend on a run."""
    if not isinstance(size, int):
        raise InternalError("a pass", f"{size} had to be known before a run")
    return size


def memory_shape(sizes: HeadSizes, machine: Machine) -> Shape:
    """Return the shape of the memory for attention of some sizes: places by float32."""
    blocks, rows = query_blocks(sizes.queries * sizes.shared)
    count = bounds(count_elements((*sizes.batch, sizes.groups, blocks)))[1]
    total = attention_memory(sizes.size, sizes.width, max(1, rows), machine).total
    places = max(FEWEST_PLACES, min(MOST_PLACES, count // BLOCKS_PER_PLACE))
    return (max(1, min(places, count)), total)
