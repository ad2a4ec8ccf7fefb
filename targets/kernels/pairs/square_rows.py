"""Which rows go through registers that hold tiles, and where their sums go.

Cells of a convolution lie in lines. Where a line is short, its end would leave most of a
register empty; then all lines of a sample are one run of rows, with those in between that
belong to no cell. Their sums are left where they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

from lxc.targets.kernels.anchors import Anchor, Coordinates
from lxc.targets.kernels.finish import finish_vector
from lxc.targets.kernels.split import Pieces, tiles
from lxc.targets.kernels.tile import Tile, Work
from lxc.targets.kernels.tile_groups import bytes_of_tile
from lxc.targets.tvm_api import Buffer, Index, as_index, divide

ROWS = 16
"""The rows of a register."""
LANES = 16
ITEM = 2
"""The bytes of a factor."""


@dataclass(frozen=True)
class SquareRows:
    """The rows of a product of pairs: those of `anchor`, whose sums go to those of `work`.

    They are the same, unless rows of the anchor are lines that begin `wide` rows apart.
    """

    work: Work
    anchor: Anchor
    wide: int = 0

    @property
    def count(self) -> Index:
        """The number of rows."""
        row = self.anchor.row
        return 1 if row is None else self.anchor.loops[row]

    @property
    def most(self) -> int:
        """How many rows a tile has at most: those of one register, or of two."""
        few = isinstance(self.count, int) and self.count <= ROWS
        return ROWS if few else 2 * ROWS

    def pieces(self) -> list[Pieces]:
        """Return the tiles: as many of one size as there are, and then the rest."""
        if not isinstance(self.count, int):
            return tiles(self.count, self.most)
        whole, rest = divmod(self.count, self.most)
        full = Pieces(0, whole, (1,) * self.most)
        last = Pieces(whole * self.most, 1, (1,) * rest)
        return [piece for piece in (full, last) if piece.count and piece.size]

    def bytes_of_tile(self, kinds: Sequence[Pieces]) -> int:
        """Return how many bytes of rows the largest of some kinds of tiles reads.

        Taps of a convolution read the same cells again.
        """
        if not self.wide:
            return bytes_of_tile(self.anchor, max((kind.size for kind in kinds), default=1))
        sample = prod(map(int, self.anchor.node.operands[0].type.shape[1:]))
        return ITEM * sample // max(1, sum(int(kind.count) for kind in kinds))

    def finish(self, tile: Tile, passed: Sequence[Buffer], first: int, row: Index) -> None:
        """Write what follows the sums of row `first + row`, which are row `row` of arrays.

        There is one array for every vector of the tile.
        """
        if not self.wide:
            finish_row(tile, passed, row, first + row)
            return
        anchor, writer = self.work.anchor, self.work.writer
        (inner,) = anchor.inner
        at = tile.at(first + row, tile.vectors[0], 0)
        number = at[inner]
        line = writer.name(divide(number, self.wide), anchor.loops[inner])
        cell = writer.name(as_index(number) - line * self.wide, self.wide)
        base = (*tile.base[:inner], line, cell, *tile.base[inner + 1 :])
        single = Tile(self.work, base, 1, tile.vectors, tile.turn, tile.turns)
        writer.choose(
            as_index(cell) < as_index(anchor.loops[inner + 1]),
            lambda: finish_row(single, passed, row, 0),
            lambda: None,
        )


def finish_row(tile: Tile, passed: Sequence[Buffer], place: Index, row: Index) -> None:
    """Write the end of all vectors of a row, whose sums are row `place` of the arrays."""
    for j in range(len(tile.vectors)):
        finish_vector(tile, passed[j], place * LANES, row, j)


def square_rows(work: Work) -> SquareRows:
    """Return the rows of a product of pairs as registers take them."""
    wide = distance_of_lines(work.anchor)
    if not wide:
        return SquareRows(work, work.anchor)
    anchor = work.anchor
    (inner,), row = anchor.inner, anchor.inner[0] + 1
    lines, cells = anchor.loops[inner], anchor.loops[row]
    joined = (lines - 1) * wide + cells

    def apart(at: Coordinates) -> Coordinates:
        return (*at[:inner], 0, *at[inner:])

    pairs, place = anchor.pairs, anchor.panel_place
    flat = replace(
        anchor,
        loops=(*anchor.loops[:inner], joined, *anchor.loops[row + 1 :]),
        lane=row,
        row=inner,
        inner=(),
        pairs=pairs
        and replace(pairs, row_at=lambda at, deep: pairs.row_at(apart(at), deep)),
        panel_place=place and (lambda at: place(apart(at))),
    )
    return SquareRows(work, flat, wide)


def distance_of_lines(anchor: Anchor) -> int:
    """Return how many rows apart lines begin, or 0 where they are taken one by one."""
    pairs, row = anchor.pairs, anchor.row
    if pairs is None or len(anchor.inner) != 1 or anchor.inner[0] + 1 != row:
        return 0
    lines, cells = anchor.loops[anchor.inner[0]], anchor.loops[row]
    known = all(isinstance(n, int) for n in (lines, cells, pairs.row_step, pairs.line_step))
    if not known or not pairs.row_step or pairs.line_step % pairs.row_step:
        return 0
    wide = int(pairs.line_step // pairs.row_step)
    if lines < 2 or wide < cells:
        return 0
    joined = price_of_rows((lines - 1) * wide + cells)
    return wide if joined < lines * price_of_rows(cells) else 0


def price_of_rows(rows: int) -> float:
    """Return the instructions of a step over some rows, for each vector of a row.

    A tile has up to three vectors if its rows fit into a register, or else two.
    """
    if rows <= ROWS:
        return 7 / 3
    parts, wholes = -(-rows // ROWS), -(-rows // (2 * ROWS))
    return 1.5 * parts + wholes
