"""What the blocks of an attention kernel share, and the shared memory that each has.

A block has some queries of one group of heads, and goes through the keys in tiles of one
key per lane of a warp. A warp has `rows` queries, for which it sees every tile of keys.
"""

from dataclasses import dataclass

from lxc.ir.node import Node
from lxc.passes.attention_memory import HeadSizes, head_sizes
from lxc.passes.nodes import attributes_of
from lxc.targets.cuda.grid_writer import THREADS, GridWriter
from lxc.targets.cuda.shared_memory import SharedArray
from lxc.targets.cuda.templates.teams import WARP
from lxc.targets.kernels.element import Source
from lxc.targets.kernels.sizes import index_of
from lxc.targets.kernels.strided import Strided, strided
from lxc.targets.tvm_api import Buffer, Expr, Index, as_index, at_most, divide, modulo

F32 = "float32"
FOUR = 4
WARPS = THREADS // WARP
MOST_ROWS = 8
"""A warp has at most so many queries: their sums have to stay in registers, ..."""
MOST_SUMS = 32
"""... of which a thread has so many for the results, ..."""
MOST_BYTES = 96 << 10
"""... and a block has no more shared memory on any card than this."""


@dataclass(frozen=True)
class Shapes:
    """The sizes of the parts of a block: queries of a warp, and padded features.

    Keys lie `key_step` apart in shared memory, so that 32 of them are read at once.
    """

    rows: int
    size: int
    width: int

    @property
    def block_rows(self) -> int:
        """The queries of a block."""
        return self.rows * WARPS

    @property
    def fours(self) -> int:
        """The features of a query in whole groups of four."""
        return -(-self.size // FOUR)

    @property
    def key_step(self) -> int:
        """How far apart keys lie."""
        return FOUR * (self.fours + 1 - self.fours % 2)

    @property
    def columns(self) -> int:
        """The features of values that a lane has."""
        return -(-self.width // WARP)

    def arrays(self) -> tuple[SharedArray, ...]:
        """Return what a block wants: queries, keys, values, weights and flags."""
        return (
            SharedArray("queries", F32, self.block_rows * self.fours * FOUR),
            SharedArray("keys", F32, WARP * self.key_step),
            SharedArray("values", F32, WARP * self.columns * WARP),
            SharedArray("weights", F32, self.block_rows * WARP),
            SharedArray("flags", "int32", WARPS),
        )

    @property
    def bytes(self) -> int:
        """The shared memory of a block."""
        return sum(one.bytes for one in self.arrays())


def shapes_of(sizes: HeadSizes) -> Shapes | None:
    """Return the parts of a block, or None if heads are too large for any."""
    rows = MOST_ROWS
    total = sizes.queries * sizes.shared
    if isinstance(total, int):
        rows = max(1, min(rows, -(-total // WARPS)))
    shapes = Shapes(rows, sizes.size, sizes.width)
    while shapes.rows * shapes.columns > MOST_SUMS or shapes.bytes > MOST_BYTES:
        if shapes.rows == 1:
            return None
        shapes = Shapes(shapes.rows // 2, sizes.size, sizes.width)
    return shapes


@dataclass(frozen=True)
class Shared:
    """The arrays of a block."""

    queries: Buffer
    keys: Buffer
    values: Buffer
    weights: Buffer
    flags: Buffer


@dataclass(frozen=True)
class Attention:
    """What all blocks of a kernel share: operands, sizes and options."""

    writer: GridWriter
    node: Node
    shapes: Shapes
    shared_memory: Shared
    query: Strided
    key: Strided
    value: Strided
    masks: tuple[Strided, ...]
    sizes: HeadSizes
    queries: Index
    keys: Index

    @property
    def scale(self) -> float:
        """What products are multiplied by."""
        return float(attributes_of(self.node)["scale"])

    @property
    def hidden(self) -> float:
        """The score of a key that is not seen."""
        return float(attributes_of(self.node)["hidden"])

    @property
    def causal(self) -> bool:
        """Whether keys behind a query are not seen."""
        return bool(attributes_of(self.node)["causal"])

    @property
    def offset(self) -> Index:
        """How far behind a query the last key lies that it sees."""
        return index_of(attributes_of(self.node)["offset"], self.writer.dims)

    @property
    def total(self) -> Index:
        """The rows of a group of heads: all queries of its first head, and so on."""
        return self.queries * self.sizes.shared

    @property
    def lane(self) -> Index:
        """The number of this thread in its warp."""
        return self.writer.member(WARP)

    @property
    def warp(self) -> Index:
        """The number of this thread's warp in its block."""
        return divide(self.writer.member(THREADS), WARP)

    def head_and_query(self, row: Index) -> tuple[Index, Index]:
        """Return which head of the group and which query a row is; the last for others."""
        row = at_most(row, self.total - 1)
        if self.sizes.shared == 1:
            return 0, row
        return divide(row, self.queries), modulo(row, self.queries)


def attention_of(writer: GridWriter, source: Source, node: Node) -> Attention | None:
    """Return what the blocks of a node share, or None if its heads are too large."""
    query, key, value, _, *masks = node.operands
    sizes = head_sizes(query.type, key.type, value.type)
    shapes = shapes_of(sizes)
    if shapes is None:
        return None
    return Attention(
        writer,
        node,
        shapes,
        Shared(*writer.shared(*shapes.arrays())),
        strided(source, query, writer.dims),
        strided(source, key, writer.dims),
        strided(source, value, writer.dims),
        tuple(strided(source, mask, writer.dims) for mask in masks),
        sizes,
        index_of(sizes.queries, writer.dims),
        index_of(sizes.keys, writer.dims),
    )


@dataclass(frozen=True)
class Block:
    """One block of queries: its first row, and the heads that its group begins with."""

    work: Attention
    first: Index
    batch: tuple[Index, ...]
    group: Index

    @property
    def heads(self) -> tuple[Index, ...]:
        """The coordinates of the first head of the group."""
        return (*self.batch, self.group * self.work.sizes.shared)

    def row(self, number: int) -> Index:
        """Return one of the rows of this thread's warp."""
        return self.first + self.work.warp * self.work.shapes.rows + number

    def sees(self, row: Index, key: Index) -> Expr:
        """Return whether the query of a row sees a key."""
        _, query = self.work.head_and_query(row)
        return as_index(key) < as_index(query + self.work.offset + 1)
