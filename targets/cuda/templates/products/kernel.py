"""Which products and convolutions are computed tile by tile, and in which tiles."""

from collections.abc import Sequence

from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.templates.products.added_chains import following_of
from lxc.targets.cuda.templates.products.contraction import Contraction
from lxc.targets.cuda.templates.products.matrices import MatrixTiling
from lxc.targets.cuda.templates.products.memory import Way, memories_of
from lxc.targets.cuda.templates.products.plan import Plan, plan_of, sides_of
from lxc.targets.cuda.templates.products.split_tiles import SplitTiles
from lxc.targets.cuda.templates.products.splits import Split, chain_of
from lxc.targets.cuda.templates.products.tiles import ProductTiles
from lxc.targets.cuda.templates.products.tilings import Tiling
from lxc.targets.kernels.node_work import NodeWork
from lxc.targets.kernels.tile import Work
from lxc.targets.kernels.variants import Variants
from lxc.targets.tvm_api import as_index, is_at_most, select


def write_products(writer: GridWriter, work: NodeWork, variants: Variants) -> str | None:
    """Write a product or a convolution, and return the algorithm if it is worth it."""
    plan = plan_of(writer, work.node, work.operands)
    if plan is None:
        return None
    if plan.split is not None:
        writer.following = following_of(plan.product, plan.split, variants)
    write_ways(writer, plan, plan.product.work(writer, work.result, variants))
    by_matrices = isinstance(plan.tilings.few, MatrixTiling)
    by = "matrix units" if by_matrices else "tiles of threads"
    return f"{plan.product.anchor.op} by {by}{', in parts' if plan.split else ''}"


def way_of(
    writer: GridWriter, contraction: Contraction, tiling: Tiling, split: Split | None
) -> Way:
    """Return how a product is computed in some tiles."""
    sides = sides_of(writer, contraction, tiling)
    return Way(tiling, sides, chain_of(contraction), split)


def write_ways(writer: GridWriter, plan: Plan, work: Work) -> None:
    """Write a product in tiles for few rows or for many, whose sums blocks may share.

    If only a call tells how many there are, both are written, and the number decides. Where
    an operand does not begin at a multiple of 16 bytes, elements are copied one by one.
    """
    contraction, tilings, split = plan.product.contraction, plan.tilings, plan.split
    few, many, small = (
        way_of(writer, contraction, tiling, split)
        for tiling in (tilings.few, tilings.many, tilings.small)
    )
    rows, limit = contraction.rows, few.tiling.rows
    ways: tuple[Way, ...] = (few, many)
    if isinstance(rows, int):
        ways = (few,) if rows <= limit else (many,)
    elif contraction.fewest > limit:
        # Not only worthless: code for no row at all would divide by their number.
        ways = (many,)
    writer.threads = many.tiling.threads
    *memories, rest = memories_of(writer, (*ways, small))
    of_kind = SplitTiles if split else ProductTiles

    def write() -> None:
        if writer.is_aligned:
            tiles = [
                of_kind(writer, work, contraction, way, memory)
                for way, memory in zip(ways, memories, strict=True)
            ]
            write_chosen(writer, contraction, tiles)
            return
        turns = list(writer.extents)
        of_kind(writer, work, contraction, small.by_elements(), rest).write()
        # As many blocks as suit what most calls do.
        writer.extents[:] = turns

    operands = (contraction.left, contraction.right)
    writer.when_aligned([operand.buffer for operand in operands], write)


def write_chosen(
    writer: GridWriter, contraction: Contraction, tiles: Sequence[ProductTiles]
) -> None:
    """Write a product in the only tiles, or in the first ones for few rows."""
    first, last = tiles[0], tiles[-1]
    if len(tiles) == 1:
        first.write()
        return
    is_few = is_at_most(as_index(contraction.rows), as_index(first.tiling.rows))
    before = len(writer.extents)
    writer.choose(is_few, first.write, last.write)
    chosen = [as_index(extent) for extent in writer.extents[before:]]
    writer.extents[before:] = [select(is_few, *chosen)]
