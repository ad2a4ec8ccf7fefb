"""Cut axes into vectors, panels and rows.

Every piece of an axis has its start, how many there are and the widths of the vectors in
it, so nothing reads or writes past an end. Static axes are split evenly; an axis whose
size is only known at run time gets whole vectors or tiles first and the rest in smaller
ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from lxc.ir.machine import Machine
from lxc.targets.tvm_api import Index, divide, modulo


@dataclass(frozen=True)
class Pieces:
    """`count` equal pieces of an axis, one after the other from `start`.

    `widths` are the vectors (or rows) of one piece; a row is a width of 1.
    """

    start: Index
    count: Index
    widths: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of entries of one piece."""
        return sum(self.widths)


def powers(number: int, largest: int) -> tuple[int, ...]:
    """Return powers of two up to `largest` that add up to `number`, falling."""
    widths = []
    while number:
        width = largest
        while width > number:
            width //= 2
        widths.append(width)
        number -= width
    return tuple(widths)


def vectors(start: int, stop: Index, lanes: int) -> list[Pieces]:
    """Return the single vectors that cover an axis from `start` to `stop`."""
    if not isinstance(stop, int):
        length = stop - start
        whole = divide(length, lanes)
        rest = Pieces(start + whole * lanes, modulo(length, lanes), (1,))
        return [Pieces(start, whole, (lanes,)), rest]
    pieces = []
    if stop - start >= lanes:
        pieces.append(Pieces(start, (stop - start) // lanes, (lanes,)))
    position = start + (stop - start) // lanes * lanes
    for width in powers(stop - position, lanes):
        pieces.append(Pieces(position, 1, (width,)))
        position += width
    return pieces


def even(total: int, most: int) -> list[tuple[int, int]]:
    """Return (count, size) of the fewest pieces of nearly one size."""
    if total == 0:
        return []
    pieces = -(-total // most)
    size, larger = divmod(total, pieces)
    return [(n, s) for n, s in ((larger, size + 1), (pieces - larger, size)) if n]


def panels(extent: Index, lanes: int, most: int) -> list[Pieces]:
    """Return panels of at most `most` vectors each that cover the lane axis."""
    if not isinstance(extent, int):
        return vectors(0, extent, lanes)
    whole, rest = divmod(extent, lanes)
    pieces, position = [], 0
    for count, size in even(whole, most):
        pieces.append(Pieces(position, count, (lanes,) * size))
        position += count * size * lanes
    if rest:
        pieces.append(Pieces(position, 1, powers(rest, lanes)))
    return pieces


@dataclass(frozen=True)
class Vector:
    """One vector of a tile: its block, its first lane there, its width.

    Only the first `valid` lanes are part of the result.
    """

    block: int
    offset: int
    width: int
    valid: int


@dataclass(frozen=True)
class Panels:
    """`count` equal panels one after the other from `start`, each with these vectors.

    `size` is how far a panel reaches: blocks if it has several, lanes otherwise.
    """

    start: Index
    count: Index
    size: int
    vectors: tuple[Vector, ...]


def lane_panels(extent: Index, lanes: int, most: int) -> list[Panels]:
    """Return the panels of at most `most` vectors that cover a lane axis."""
    result = []
    for piece in panels(extent, lanes, most):
        offsets = accumulate((0, *piece.widths[:-1]))
        row = zip(offsets, piece.widths, strict=True)
        vectors = tuple(Vector(0, offset, width, width) for offset, width in row)
        result.append(Panels(piece.start, piece.count, piece.size, vectors))
    return result


def block_panels(blocks: int, lanes: int, valid: int | None, most: int) -> list[Panels]:
    """Return the panels of at most `most` blocks of one vector each.

    Of all lanes of all blocks only the first `valid` are part of the result, if given.
    """
    left = lanes if valid is None else valid - (blocks - 1) * lanes
    result: list[Panels] = []
    position = 0
    for count, size in even(blocks, most):
        vectors = tuple(Vector(block, 0, lanes, lanes) for block in range(size))
        last = position + count * size == blocks and left < lanes
        if count - last:
            result.append(Panels(position, count - last, size, vectors))
        position += count * size
        if last:
            short = (*vectors[:-1], Vector(size - 1, 0, lanes, left))
            result.append(Panels(position - size, 1, size, short))
    return result


def tiles(extent: Index, most: int, *, few: bool = False) -> list[Pieces]:
    """Return tiles of at most `most` rows each that cover the row axis.

    Where the size is known at run time only there are whole tiles, some of a few rows and
    single rows; with `few` none in between.
    """
    if isinstance(extent, int):
        pieces, position = [], 0
        for count, size in even(extent, most):
            pieces.append(Pieces(position, count, (1,) * size))
            position += count * size
        return pieces
    whole, rest = divide(extent, most), modulo(extent, most)
    kinds = [Pieces(0, whole, (1,) * most)]
    some = max(2, round(most**0.5))
    if not few and most > some:
        kinds.append(Pieces(whole * most, divide(rest, some), (1,) * some))
        start = whole * most + divide(rest, some) * some
        kinds.append(Pieces(start, modulo(rest, some), (1,)))
    elif most > 1:
        kinds.append(Pieces(whole * most, rest, (1,)))
    return kinds


def tile_shape(
    rows: Index,
    width: int,
    machine: Machine,
    most_rows: int,
    *,
    shared: bool,
    long: bool,
) -> tuple[int, int]:
    """Return how many rows and how many of `width` vectors one register tile has.

    The cost is in cycles for one step of the reduction over the whole result: two
    multiply-adds and two loads per cycle, and at least four cycles to wait for the
    previous step. Operands are `shared` by the vectors of a row and by those of a column,
    or every vector of the tile loads one of its own. What follows a `long` end keeps some
    constants in registers, and a machine without multiply-adds some products.
    """
    height = rows if isinstance(rows, int) else 60
    spare = (2 if machine.has_fma else 5) + (2 if long else 0)
    best: tuple[float, int, int] | None = None
    for broad in range(1, min(8, max(1, width)) + 1):
        for tall in range(1, min(most_rows, max(1, height)) + 1):
            used = tall * broad + spare + (broad if tall > 1 else 1)
            if used > machine.registers:
                continue
            price = 0.0
            for count_r, size_r in even(height, tall):
                for count_c, size_c in even(width, broad):
                    loads = size_r + size_c if shared else (size_r + 1) * size_c
                    step = max(size_r * size_c / 2, loads / 2, 4.0)
                    price += count_r * count_c * (step + 0.15 + 0.2 * size_c)
            if best is None or (price, tall * broad) < (best[0], best[1] * best[2]):
                best = (price, tall, broad)
    return (best[1], best[2]) if best else (1, 1)


def total(pieces: Sequence[Pieces | Panels]) -> Index:
    """Return the number of pieces of all kinds."""
    count: Index = 0
    for piece in pieces:
        count = count + piece.count
    return count
