"""Which sums are computed by several blocks, and how many.

Few tiles with long sums leave most of a card idle. Chains of terms are then shared by
blocks, and each chain is left in memory; a second kernel adds them, in order.
"""

from dataclasses import dataclass

from lxc.ir.types import DType
from lxc.passes.nodes import attributes_of
from lxc.targets.cuda.templates.products.contraction import Contraction
from lxc.targets.cuda.templates.products.tilings import BLOCKS, Tiling, Tilings
from lxc.targets.cuda.templates.products.units import SPLIT
from lxc.targets.tvm_api import Index

MATRIX_CHAIN = 512
"""So many terms are one chain of matrix units where a sum has several."""
LONG_SUM, FEW_COLUMNS = 1024, 1024
"""Sums on matrix units have several chains from so many terms, up to so many columns."""

FULL = 264
"""Two blocks for each multiprocessor of the largest card."""
MOST_PARTIAL_BYTES = 32 << 20
"""What chains may take: written and read once, it is to stay in a card's cache."""


@dataclass(frozen=True)
class Split:
    """Sums of `chains` chains, each left in memory, for so many results at most."""

    chains: int
    results: int
    most: tuple[int, int, int]

    @property
    def bytes(self) -> int:
        """What the chains of all results take."""
        return self.chains * self.results * DType.F32.bytes

    def tiling_of(self, tilings: Tilings) -> Tiling:
        """Return the tiles of the largest sizes."""
        return tilings.few if self.most[1] <= tilings.few.rows else tilings.many

    def rounds(self, tiling: Tiling) -> int:
        """Return how often all slices of one block would take a chain."""
        return -(-self.chains // tiling.slices)

    def rounds_of_part(self, tiling: Tiling) -> int:
        """Return how often the slices of each of several blocks take one."""
        rounds = self.rounds(tiling)
        wanted = -(-FULL // max(1, tiles_of(self.most, tiling)))
        return -(-rounds // min(rounds, wanted))

    def parts(self, tiling: Tiling) -> int:
        """Return how many blocks share the sums of a tile."""
        return -(-self.rounds(tiling) // self.rounds_of_part(tiling))


def tiles_of(most: tuple[int, int, int], tiling: Tiling) -> int:
    """Return how many tiles there are of the largest sizes."""
    batches, rows, columns = most
    return batches * -(-rows // tiling.rows) * -(-columns // tiling.columns)


def chain_of(contraction: Contraction) -> int | None:
    """Return how many terms a chain has, or None if a sum is one chain.

    That follows from the number of terms and of columns alone, never from that of rows.
    """
    if is_of_units(contraction):
        return SPLIT
    depth, columns = contraction.depth, contraction.columns
    is_long = isinstance(depth, int) and depth >= LONG_SUM
    is_narrow = isinstance(columns, int) and columns <= FEW_COLUMNS
    return MATRIX_CHAIN if is_long and is_narrow else None


def is_of_units(contraction: Contraction) -> bool:
    """Return whether a product is one of multiply-adds."""
    is_rounded = attributes_of(contraction.node)["factors"] == "tf32"
    return contraction.left.dtype is DType.F32 and not is_rounded


def split_of(contraction: Contraction, tilings: Tilings) -> Split | None:
    """Return how a product is split, if it is."""
    found = wanted_split(contraction, tilings)
    return found if found and found.bytes <= MOST_PARTIAL_BYTES else None


def wanted_split(contraction: Contraction, tilings: Tilings) -> Split | None:
    """Return how to split a product whose largest sizes make too few tiles."""
    chain, depth, most = chain_of(contraction), contraction.depth, contraction.most
    if chain is None or not isinstance(depth, int):
        return None
    batches, rows, columns = most
    found = Split(-(-depth // chain), batches * rows * columns, most)
    tiling = found.tiling_of(tilings)
    has_enough = tiles_of(most, tiling) >= BLOCKS
    return None if has_enough or found.parts(tiling) < 2 else found


def place_of_chain(
    contraction: Contraction, chain: Index, batch: Index, row: Index, column: Index
) -> Index:
    """Return where a chain lies: neighbours are those of the result."""
    rows, columns = contraction.rows, contraction.columns
    high, wide = (columns, rows) if contraction.ends_in_rows else (rows, columns)
    down, across = (column, row) if contraction.ends_in_rows else (row, column)
    return ((chain * contraction.batches + batch) * high + down) * wide + across
