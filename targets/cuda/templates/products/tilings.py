"""Which tiles a product is computed in; they decide no bit of the results."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lxc.ir.types import DType
from lxc.passes.nodes import attributes_of
from lxc.targets.cuda.templates.products.contraction import Contraction
from lxc.targets.cuda.templates.products.matrices import MatrixTiling
from lxc.targets.cuda.templates.products.units import UnitTiling

Tiling = UnitTiling | MatrixTiling

UNITS = (
    UnitTiling(8, 8, 4, 2),
    UnitTiling(4, 4, 4, 2),
    UnitTiling(4, 4, 2, 1, slices=4),
)
"""Tiles for multiply-adds, the largest first."""
FEW_ROWS_BY_UNITS = UnitTiling(2, 4, 1, 1, slices=8)
"""The tile for no more rows than it has."""

MATRICES = (
    MatrixTiling(4, 8, 2, 2),
    MatrixTiling(2, 4, 2, 2),
    MatrixTiling(1, 2, 2, 2, stages=6),
)
FEW_ROWS_BY_MATRICES = MatrixTiling(1, 2, 1, 4, depth=64, stages=6)

TF32_MATRICES = tuple(replace(one, depth=16) for one in MATRICES)
"""Factors of four bytes: half as many fit."""
FEW_ROWS_BY_TF32 = replace(FEW_ROWS_BY_MATRICES, depth=32)

BLOCKS = 96
"""So many blocks keep most of a card busy."""
READ_COST = 2.0
"""What a read from shared memory takes of the time of what it feeds."""


@dataclass(frozen=True)
class Tilings:
    """The tiles for `few` rows, for `many`, and `small` ones for what is rare.

    All have as many threads.
    """

    few: Tiling
    many: Tiling
    small: Tiling


def tilings_of(contraction: Contraction, *, one_by_one: bool) -> Tilings:
    """Return the tiles of a product; half types and TF32 have matrix units.

    Where elements of two bytes are copied `one_by_one`, through registers, the largest
    tiles leave too few of those.
    """
    most = contraction.most
    if attributes_of(contraction.node)["factors"] == "tf32":
        return Tilings(FEW_ROWS_BY_TF32, best(TF32_MATRICES, most), TF32_MATRICES[-1])
    if contraction.left.dtype is not DType.F32:
        fitting = MATRICES[1:] if one_by_one else MATRICES
        return Tilings(FEW_ROWS_BY_MATRICES, best(fitting, most), MATRICES[-1])
    return Tilings(FEW_ROWS_BY_UNITS, best(UNITS, most), UNITS[-1])


def best(tilings: Sequence[Tiling], most: tuple[int, int, int]) -> Tiling:
    """Return the cheapest tiles of which there are enough to keep a card busy."""
    batches, rows, columns = most
    costs = {}
    for tiling in tilings:
        high, wide = -(-rows // tiling.rows), -(-columns // tiling.columns)
        if batches * high * wide >= BLOCKS:
            area = high * tiling.rows * wide * tiling.columns
            costs[tiling] = area * (1 + READ_COST * tiling.reads)
    return min(costs, key=costs.__getitem__) if costs else tilings[-1]
