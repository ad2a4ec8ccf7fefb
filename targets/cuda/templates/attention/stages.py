"""Blocks of queries of half types: copies of a tile go on while the last one is summed."""

from lxc.targets.cuda.intrinsics import BARRIER, CLOSE_COPIES, WAIT_COPIES
from lxc.targets.cuda.templates.attention.half_copies import HalfRows
from lxc.targets.cuda.templates.attention.matrices import GAP, Matrices, MatrixSums
from lxc.targets.cuda.templates.attention.reach import walk_tiles
from lxc.targets.cuda.templates.attention.work import Block
from lxc.targets.kernels.attention.kernel import Finish
from lxc.targets.tvm_api import Expr, Index, as_index, at_most, constant, modulo


def write_matrix_block(matrices: Matrices, block: Block, finish: Finish) -> None:
    """Write the results of one block of queries."""
    writer = block.work.writer
    # The block before may still be read.
    writer.write(BARRIER.statement())
    query_rows(matrices, block).write(0)
    sums = MatrixSums(matrices, block)

    def tiles(first: Index, count: Index) -> None:
        some = as_index(count) > 0
        writer.choose(some, lambda: bring_tile(matrices, block, first, 0), lambda: None)
        writer.write(CLOSE_COPIES.statement())
        with writer.loop(count) as number:
            writer.write(WAIT_COPIES.statement(constant(0, "int32")))
            writer.write(BARRIER.statement())
            tile = writer.name(first + number, block.work.keys + 1)
            other = modulo(number + 1, 2)
            writer.choose(
                as_index(number + 1) < as_index(count),
                lambda: bring_tile(matrices, block, tile + 1, other),
                lambda: None,
            )
            writer.write(CLOSE_COPIES.statement())
            sums.add_tile(tile, modulo(number, 2))
        # The next copies go to where these tiles are.
        writer.write(BARRIER.statement())

    walk_tiles(block, sums.highest, 2, tiles)
    sums.finish(finish)


def query_rows(matrices: Matrices, block: Block) -> HalfRows:
    """Return the queries of a block, and where they go."""
    work, shapes = matrices.work, matrices.shapes

    def start(row: Index) -> Index:
        head, query = work.head_and_query(block.first + row)
        heads = (*block.batch, block.group * work.sizes.shared + head)
        return work.query.position(*heads, query)

    def is_there(row: Index) -> Expr:
        return as_index(block.first + row) < as_index(work.total)

    sizes = (shapes.rows, shapes.size, shapes.deep, matrices.queries, shapes.deep + GAP)
    return HalfRows(work.writer, work.query, work.dtype, start, is_there, *sizes)


def bring_tile(matrices: Matrices, block: Block, tile: Index, stage: Index) -> None:
    """Write the copies of a tile of keys and values into a stage."""
    work, shapes = matrices.work, matrices.shapes
    first = tile * shapes.tile

    def key_of(row: Index) -> Index:
        return first + row if work.is_whole else at_most(first + row, work.keys - 1)

    def key_start(row: Index) -> Index:
        return work.key.position(*block.batch, block.group, key_of(row))

    def value_start(row: Index) -> Index:
        return work.value.position(*block.batch, block.group, key_of(row))

    def is_there(row: Index) -> Expr:
        return as_index(first + row) < as_index(work.keys)

    sizes = (shapes.tile, shapes.size, shapes.deep, matrices.keys, shapes.deep + GAP)
    keys = HalfRows(work.writer, work.key, work.dtype, key_start, is_there, *sizes)
    keys.write(stage * shapes.key_stage)
    sizes = (shapes.tile, shapes.width, shapes.wide, matrices.values, shapes.wide + GAP)
    values = HalfRows(work.writer, work.value, work.dtype, value_start, is_there, *sizes)
    values.write(stage * shapes.value_stage)
