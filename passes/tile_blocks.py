"""How the tiles of a Winograd convolution are put together to blocks.

A block is what is transformed before it is multiplied, so that what lies between stays in
the second-level cache. It holds some samples with all their tiles, or some rows of tiles of
one sample, or a part of one row.
"""

from dataclasses import dataclass

from lxc.ir.dim import Size, bounds

STRIPS = 2
"""In so many strips at most lie the tiles of a block, each in memory of its own."""


@dataclass(frozen=True)
class TileBlock:
    """The largest block: samples, rows of tiles and tiles in a row."""

    samples: int
    rows: int
    columns: int

    @property
    def tiles(self) -> int:
        """The number of tiles."""
        return self.samples * self.rows * self.columns


def tile_counts(cells: tuple[int, int], tile: int) -> tuple[int, int]:
    """Return how many rows and columns of tiles cover the cells of a result."""
    return -(-cells[0] // tile), -(-cells[1] // tile)


def block_of(samples: Size, rows: int, columns: int, most: int) -> TileBlock:
    """Return a large block of up to `most` tiles that leaves others of nearly its size."""
    if most >= rows * columns:
        held = min(bounds(samples)[1], most // max(1, rows * columns))
        return TileBlock(max(1, held), rows, columns)
    if most >= columns:
        return TileBlock(1, part_of(rows, most // columns), columns)
    return TileBlock(1, 1, part_of(columns, most))


def part_of(total: int, most: int) -> int:
    """Return the size of the largest part if there are few of nearly one size.

    There is code for every size, so half as large a part will do if all are equal then.
    """
    fewest = -(-total // -(-total // most))
    equal = max(size for size in range(1, most + 1) if total % size == 0)
    return equal if 2 * equal >= fewest else fewest
