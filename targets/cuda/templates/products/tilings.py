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
FEW_ROWS_BY_UNITS = UnitTiling(2, 4, 1, 1, slices=8, stages=4)
"""The tile for no more rows than it has: 48 KiB of weights are on their way to a block."""

MATRICES = (
    MatrixTiling(4, 8, 2, 2),
    MatrixTiling(2, 4, 2, 2),
    MatrixTiling(1, 2, 2, 2, stages=6),
)
FEW_ROWS_BY_MATRICES = MatrixTiling(1, 1, 1, 4, depth=128, stages=6)
"""That for matrix units: 40 KiB of weights are on their way to a block."""

CHAINED_MATRICES = (replace(MATRICES[0], wide=4), *MATRICES[1:])
"""Where a sum has several chains: their sums are in registers beside those of one."""

TF32_MATRICES = tuple(replace(one, depth=16) for one in MATRICES)
"""Factors of four bytes: half as many fit."""
CHAINED_TF32_MATRICES = tuple(replace(one, depth=16) for one in CHAINED_MATRICES)
FEW_ROWS_BY_TF32 = replace(FEW_ROWS_BY_MATRICES, depth=64)

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


def tilings_of(contraction: Contraction, *, one_by_one: bool, is_chained: bool) -> Tilings:
    """Return the tiles of a product; half types and TF32 have matrix units.

    Where elements of two bytes are copied `one_by_one`, through registers, the largest
    tiles leave too few of those. On matrix units a sum `is_chained` if it has several
    chains.
    """
    most = contraction.most
    if attributes_of(contraction.node)["factors"] == "tf32":
        fitting = CHAINED_TF32_MATRICES if is_chained else TF32_MATRICES
        return Tilings(FEW_ROWS_BY_TF32, best(fitting, most), fitting[-1])
    if contraction.left.dtype is not DType.F32:
        fitting = CHAINED_MATRICES if is_chained else MATRICES
        fitting = fitting[1:] if one_by_one else fitting
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
