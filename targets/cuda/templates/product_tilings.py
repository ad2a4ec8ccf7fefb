"""Which tiles a product is computed in; they decide no bit of the results."""

from collections.abc import Sequence
from dataclasses import dataclass

from lxc.targets.cuda.templates.contraction import Contraction
from lxc.targets.cuda.templates.product_matrices import MULTIPLY, MatrixTiling
from lxc.targets.cuda.templates.product_units import UnitTiling

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

BLOCKS = 96
"""So many blocks keep most of a card busy."""


@dataclass(frozen=True)
class Tilings:
    """The tiles for `few` rows, for `many`, and `small` ones for what is rare.

    All have as many threads.
    """

    few: Tiling
    many: Tiling
    small: Tiling


def tilings_of(contraction: Contraction) -> Tilings:
    """Return the tiles of a product; half types have matrix units."""
    most = contraction.most
    if contraction.left.dtype in MULTIPLY:
        return Tilings(FEW_ROWS_BY_MATRICES, largest(MATRICES, most), MATRICES[-1])
    return Tilings(FEW_ROWS_BY_UNITS, largest(UNITS, most), UNITS[-1])


def largest(tilings: Sequence[Tiling], most: tuple[int, int, int]) -> Tiling:
    """Return the largest tiles of which there are enough to keep a card busy."""
    batches, rows, columns = most
    for tiling in tilings:
        count = batches * -(-rows // tiling.rows) * -(-columns // tiling.columns)
        if count >= BLOCKS:
            return tiling
    return tilings[-1]
