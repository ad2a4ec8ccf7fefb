"""Attention on a card in one pass over the keys: scores stay in registers.

The largest score so far, and sums of weights and of weighted values in proportion to it,
follow from tiles of keys, which are the same for every query. So a result depends on its
own query, on the keys and on the values, and on nothing else.
"""

from lxc.targets.cuda.grid_writer import THREADS, GridWriter
from lxc.targets.cuda.intrinsics import BARRIER
from lxc.targets.cuda.templates.attention_copies import RowCopy
from lxc.targets.cuda.templates.attention_reach import walk_tiles
from lxc.targets.cuda.templates.attention_sums import Sums
from lxc.targets.cuda.templates.attention_work import (
    FOUR,
    Attention,
    Block,
    attention_of,
)
from lxc.targets.cuda.templates.teams import WARP
from lxc.targets.kernels.attention import Finish
from lxc.targets.kernels.element import Source
from lxc.targets.kernels.group import group_of
from lxc.targets.kernels.node_work import NodeWork
from lxc.targets.kernels.place import unravel
from lxc.targets.kernels.sizes import index_of, product
from lxc.targets.kernels.variants import Variants
from lxc.targets.tvm_api import Index, as_index, at_most, divide


def write_attention_tiles(
    writer: GridWriter, work: NodeWork, variants: Variants
) -> str | None:
    """Write the kernel of an attention node; return None if this is something else."""
    node = work.node
    if node.op.name != "fused":
        return None
    (body,) = node.bodies
    found = [one for one in body.nodes if one.op.name == "attention"]
    if len(found) != 1:
        return None
    source = Source(body, dict(zip(body.parameters, work.operands, strict=True)))
    attention = attention_of(writer, source, found[0])
    if attention is None:
        return None
    finish = Finish(source, group_of(body), found[0], work.result)
    operands = (attention.query, attention.key, attention.value)
    buffers = [operand.buffer for operand in operands]
    writer.when_aligned(buffers, lambda: write_blocks(attention, finish))
    return "attention by tiles"


def write_blocks(work: Attention, finish: Finish) -> None:
    """Write all blocks of queries."""
    writer, rows = work.writer, work.shapes.block_rows
    batch = [index_of(entry, writer.dims) for entry in work.sizes.batch]
    blocks = divide(work.total + (rows - 1), rows)
    outer = [*batch, work.sizes.groups, blocks]
    with writer.team_loop(product(outer), THREADS) as number:
        places = unravel(number, outer)
        *at, group, place = map(writer.name, places, outer)
        write_block(Block(work, place * rows, tuple(at), group), finish)


def write_block(block: Block, finish: Finish) -> None:
    """Write the results of one block of queries."""
    work = block.work
    writer = work.writer
    # The block before may still be read.
    writer.write(BARRIER.statement())
    bring_queries(block)
    sums = Sums(block)

    def one(tile: Index) -> None:
        writer.write(BARRIER.statement())
        bring_tile(block, tile)
        writer.write(BARRIER.statement())
        sums.add_tile(tile)

    walk_tiles(block, sums, one)
    sums.finish(finish)


def bring_queries(block: Block) -> None:
    """Write the queries of a block to shared memory."""
    work = block.work
    shapes = work.shapes

    def start(row: Index) -> Index:
        head, query = work.head_and_query(block.first + row)
        heads = (*block.batch, block.group * work.sizes.shared + head)
        return work.query.position(*heads, query)

    step = shapes.fours * FOUR
    to = work.shared_memory.queries
    rows = (shapes.block_rows, shapes.size, to, step, shapes.fours)
    RowCopy(work.query, start, *rows).write(work.writer)


def bring_tile(block: Block, tile: Index) -> None:
    """Write a tile of keys and values to shared memory."""
    work = block.work
    writer, shapes = work.writer, work.shapes
    first = tile * WARP
    is_whole = isinstance(work.keys, int) and work.keys % WARP == 0

    def key_start(row: Index) -> Index:
        key = first + row if is_whole else at_most(first + row, work.keys - 1)
        return work.key.position(*block.batch, block.group, key)

    def value_start(row: Index) -> Index:
        key = first + row if is_whole else at_most(first + row, work.keys - 1)
        return work.value.position(*block.batch, block.group, key)

    to = work.shared_memory.keys
    keys = RowCopy(
        work.key, key_start, WARP, shapes.size, to, shapes.key_step, shapes.fours
    )
    keys.write(writer)
    step = shapes.columns * WARP
    values = RowCopy(
        *(work.value, value_start, WARP, shapes.width, work.shared_memory.values),
        *(step, step // FOUR),
        None if is_whole else lambda row: as_index(first + row) < as_index(work.keys),
    )
    values.write(writer)
