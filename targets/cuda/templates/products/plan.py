"""How a node is computed as a product: in which tiles, and what blocks share."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lxc.ir.node import Node
from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.templates.products.contraction import Contraction
from lxc.targets.cuda.templates.products.copies import COPIES
from lxc.targets.cuda.templates.products.matrices import MatrixTiling
from lxc.targets.cuda.templates.products.product import Product, product_of
from lxc.targets.cuda.templates.products.sides import Side, side_of
from lxc.targets.cuda.templates.products.splits import Split, chain_of, split_of
from lxc.targets.cuda.templates.products.tilings import (
    MATRICES,
    Tiling,
    Tilings,
    tilings_of,
)
from lxc.targets.tvm_api import Buffer


@dataclass(frozen=True)
class Plan:
    """A product, the tiles for it, and how blocks share its sums if they do."""

    product: Product
    tilings: Tilings
    split: Split | None


def plan_of(writer: GridWriter, node: Node, operands: Sequence[Buffer]) -> Plan | None:
    """Return how a node is computed, or None if it is no product that tiles suit."""
    found = product_of(writer, node, operands)
    if found is None:
        return None
    contraction = found.contraction
    sides = sides_of(writer, contraction, MATRICES[0])
    one_by_one = any(side.copy_bytes not in COPIES for side in sides)
    is_chained = chain_of(contraction) is not None
    tilings = tilings_of(contraction, one_by_one=one_by_one, is_chained=is_chained)
    return Plan(found, tilings, split_of(contraction, tilings))


def sides_of(
    writer: GridWriter, contraction: Contraction, tiling: Tiling
) -> tuple[Side, Side]:
    """Return how both operands are kept for some tiles."""
    how = tiling.depth, writer.prover
    by_matrices = isinstance(tiling, MatrixTiling)
    left, right = (
        side_of(operand, extent, *how, by_matrices=by_matrices)
        for operand, extent in (
            (contraction.left, tiling.rows),
            (contraction.right, tiling.columns),
        )
    )
    # Eight lanes, which a card serves together, read 16 bytes of one row: no banks collide.
    return (left if by_matrices else replace(left, gap=0)), right
