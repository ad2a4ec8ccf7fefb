"""What the blocks of an attention kernel share.

A block has some queries of one group of heads, and goes through the keys in tiles. A warp
has some of its queries, for which it sees every tile of keys.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lxc.ir.node import Node
from lxc.ir.types import DType
from lxc.passes.attention_memory import HeadSizes, head_sizes
from lxc.passes.nodes import attributes_of
from lxc.targets.cuda.grid_writer import THREADS, GridWriter
from lxc.targets.cuda.templates.teams import WARP
from lxc.targets.kernels.element import Source
from lxc.targets.kernels.sizes import index_of
from lxc.targets.kernels.strided import Strided, strided
from lxc.targets.tvm_api import Buffer, Expr, Index, as_index, at_most, divide, modulo

F32 = "float32"
FOUR = 4
WARPS = THREADS // WARP


@dataclass(frozen=True)
class Parts:
    """The queries of a block, the keys of a tile, and a number of each warp for others."""

    rows: int
    tile: int
    flags: Buffer


@dataclass(frozen=True)
class Attention:
    """What all blocks of a kernel share: operands, sizes and options."""

    writer: GridWriter
    node: Node
    parts: Parts
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
    def dtype(self) -> DType:
        """What queries, keys and values are."""
        return self.node.operands[0].type.dtype

    @property
    def is_whole(self) -> bool:
        """Whether all tiles are full of keys."""
        return isinstance(self.keys, int) and self.keys % self.parts.tile == 0

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


def write_shared_out(writer: GridWriter, total: int, body: Callable[[Index], None]) -> None:
    """Write `body` for so many numbers, which the threads of a block share."""
    with writer.loop(-(-total // THREADS)) as turn:
        number = turn * THREADS + writer.member(THREADS)
        if total % THREADS == 0:
            body(number)
        else:
            inside = as_index(number) < as_index(total)
            writer.choose(inside, lambda: body(number), lambda: None)


def attention_of(writer: GridWriter, source: Source, node: Node, parts: Parts) -> Attention:
    """Return what the blocks of a node share."""
    query, key, value, _, *masks = node.operands
    sizes = head_sizes(query.type, key.type, value.type)
    return Attention(
        writer,
        node,
        parts,
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

    def sees(self, row: Index, key: Index) -> Expr:
        """Return whether the query of a row sees a key."""
        _, query = self.work.head_and_query(row)
        return as_index(key) < as_index(query + self.work.offset + 1)
