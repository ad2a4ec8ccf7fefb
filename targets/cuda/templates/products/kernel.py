"""Which products and convolutions are computed tile by tile, and in which tiles."""

from collections.abc import Sequence

from lxc.ir.node import Value
from lxc.passes.rows import rows_in
from lxc.passes.tiled_products import suits_tiles
from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.templates.products.contraction import Contraction, contraction_of
from lxc.targets.cuda.templates.products.copies import COPIES
from lxc.targets.cuda.templates.products.ends import anchor_of
from lxc.targets.cuda.templates.products.matrices import MatrixTiling
from lxc.targets.cuda.templates.products.memory import Memory, Way, memories_of
from lxc.targets.cuda.templates.products.sides import Side, side_of
from lxc.targets.cuda.templates.products.tiles import ProductTiles
from lxc.targets.cuda.templates.products.tilings import (
    MATRICES,
    Tiling,
    Tilings,
    tilings_of,
)
from lxc.targets.kernels.element import Source
from lxc.targets.kernels.group import group_of
from lxc.targets.kernels.node_work import NodeWork
from lxc.targets.kernels.tile import Work
from lxc.targets.kernels.variants import Variants
from lxc.targets.tvm_api import Buffer, as_index, is_at_most, select


def write_products(writer: GridWriter, work: NodeWork, variants: Variants) -> str | None:
    """Write a product or a convolution, and return the algorithm if it is worth it."""
    if work.node.op.name != "fused" or rows_in(work.node.bodies[0].nodes):
        return None
    (body,) = work.node.bodies
    buffers: dict[Value, Buffer] = dict(zip(body.parameters, work.operands, strict=True))
    source, group = Source(body, buffers), group_of(body)
    if group.anchor is None or not suits_tiles(group.anchor):
        return None
    if group.halo is not None or group.exit is not None:
        return None
    contraction = contraction_of(group.anchor, source, writer.dims)
    sides = sides_of(writer, contraction, MATRICES[0])
    one_by_one = any(side.copy_bytes not in COPIES for side in sides)
    tilings = tilings_of(contraction, one_by_one=one_by_one)
    anchor = anchor_of(contraction, writer)
    whole = Work(writer, source, group, anchor, work.result, variants)
    write_ways(writer, whole, contraction, tilings)
    by = "matrix units" if isinstance(tilings.few, MatrixTiling) else "tiles of threads"
    return f"{group.anchor.op} by {by}"


def way_of(writer: GridWriter, contraction: Contraction, tiling: Tiling) -> Way:
    """Return how a product is computed in some tiles."""
    return Way(tiling, sides_of(writer, contraction, tiling))


def sides_of(
    writer: GridWriter, contraction: Contraction, tiling: Tiling
) -> tuple[Side, Side]:
    """Return how both operands are kept for some tiles."""
    how = tiling.depth, writer.prover
    by_matrices = isinstance(tiling, MatrixTiling)
    left, right = contraction.left, contraction.right
    return (
        side_of(left, tiling.rows, *how, by_matrices=by_matrices),
        side_of(right, tiling.columns, *how, by_matrices=by_matrices),
    )


def write_ways(
    writer: GridWriter, work: Work, contraction: Contraction, tilings: Tilings
) -> None:
    """Write a product in tiles for few rows or for many.

    If only a call tells how many there are, both are written, and the number decides. Where
    an operand does not begin at a multiple of 16 bytes, elements are copied one by one.
    """
    few, many, small = (
        way_of(writer, contraction, tiling)
        for tiling in (tilings.few, tilings.many, tilings.small)
    )
    rows, limit = contraction.rows, few.tiling.rows
    ways: tuple[Way, ...] = (few, many)
    if isinstance(rows, int):
        ways = (few,) if rows <= limit else (many,)
    elif writer.prover.holds(as_index(rows) > limit):
        ways = (many,)
    writer.threads = many.tiling.threads
    *memories, rest = memories_of(writer, (*ways, small))

    def write() -> None:
        if writer.is_aligned:
            write_chosen(writer, work, contraction, ways, memories)
            return
        turns = list(writer.extents)
        ProductTiles(writer, work, contraction, small.by_elements(), rest).write()
        # As many blocks as suit what most calls do.
        writer.extents[:] = turns

    operands = (contraction.left, contraction.right)
    writer.when_aligned([operand.buffer for operand in operands], write)


def write_chosen(
    writer: GridWriter,
    work: Work,
    contraction: Contraction,
    ways: Sequence[Way],
    memories: Sequence[Memory],
) -> None:
    """Write a product in the only way, or in the first one for few rows."""
    first, last = (
        ProductTiles(writer, work, contraction, ways[number], memories[number])
        for number in (0, -1)
    )
    if len(ways) == 1:
        first.write()
        return
    is_few = is_at_most(as_index(contraction.rows), as_index(ways[0].tiling.rows))
    before = len(writer.extents)
    writer.choose(is_few, first.write, last.write)
    chosen = [as_index(extent) for extent in writer.extents[before:]]
    writer.extents[before:] = [select(is_few, *chosen)]
