"""Attention of float32 numbers: blocks of queries, by multiply-adds."""

from lxc.ir.node import Node
from lxc.passes.attention_memory import head_sizes
from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.intrinsics import BARRIER
from lxc.targets.cuda.templates.attention.copies import RowCopy
from lxc.targets.cuda.templates.attention.reach import walk_tiles
from lxc.targets.cuda.templates.attention.shapes import Shared, Units, shapes_of
from lxc.targets.cuda.templates.attention.sums import Sums
from lxc.targets.cuda.templates.attention.work import FOUR, Block, Parts, attention_of
from lxc.targets.cuda.templates.teams import WARP
from lxc.targets.kernels.attention.kernel import Finish
from lxc.targets.kernels.element import Source
from lxc.targets.tvm_api import Index, as_index, at_most


def units_of(writer: GridWriter, source: Source, node: Node) -> Units | None:
    """Return attention by multiply-adds, or None if its heads are too large."""
    query, key, value, *_ = (operand.type for operand in node.operands)
    shapes = shapes_of(head_sizes(query, key, value))
    if shapes is None:
        return None
    memory = Shared(*writer.shared(*shapes.arrays()))
    parts = Parts(shapes.block_rows, WARP, memory.flags)
    return Units(attention_of(writer, source, node, parts), shapes, memory)


def write_unit_block(units: Units, block: Block, finish: Finish) -> None:
    """Write the results of one block of queries."""
    writer = block.work.writer
    # The block before may still be read.
    writer.write(BARRIER.statement())
    bring_queries(units, block)
    sums = Sums(units, block)

    def tiles(first: Index, count: Index) -> None:
        with writer.loop(count) as number:
            tile = writer.name(first + number, block.work.keys + 1)
            writer.write(BARRIER.statement())
            bring_tile(units, block, tile)
            writer.write(BARRIER.statement())
            sums.add_tile(tile)

    walk_tiles(block, sums.highest, units.shapes.rows, tiles)
    sums.finish(finish)


def bring_queries(units: Units, block: Block) -> None:
    """Write the queries of a block to shared memory."""
    work, shapes = units.work, units.shapes

    def start(row: Index) -> Index:
        head, query = work.head_and_query(block.first + row)
        heads = (*block.batch, block.group * work.sizes.shared + head)
        return work.query.position(*heads, query)

    step = shapes.fours * FOUR
    to = units.memory.queries
    rows = (shapes.block_rows, shapes.size, to, step, shapes.fours)
    RowCopy(work.query, start, *rows).write(work.writer)


def bring_tile(units: Units, block: Block, tile: Index) -> None:
    """Write a tile of keys and values to shared memory."""
    work, shapes = units.work, units.shapes
    writer, first, is_whole = work.writer, tile * WARP, work.is_whole

    def key_start(row: Index) -> Index:
        key = first + row if is_whole else at_most(first + row, work.keys - 1)
        return work.key.position(*block.batch, block.group, key)

    def value_start(row: Index) -> Index:
        key = first + row if is_whole else at_most(first + row, work.keys - 1)
        return work.value.position(*block.batch, block.group, key)

    to = units.memory.keys
    keys = RowCopy(
        work.key, key_start, WARP, shapes.size, to, shapes.key_step, shapes.fours
    )
    keys.write(writer)
    step = shapes.columns * WARP
    values = RowCopy(
        *(work.value, value_start, WARP, shapes.width, units.memory.values),
        *(step, step // FOUR),
        None if is_whole else lambda row: as_index(first + row) < as_index(work.keys),
    )
    values.write(writer)
