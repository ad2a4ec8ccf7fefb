"""Cut axes into vectors, panels and rows.

Every piece of an axis has its start, how many there are and the widths of the vectors in
it, so nothing reads or writes past an end. Static axes are split evenly; an axis whose
size is only known at run time gets whole vectors or tiles first and the rest in smaller
ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from lxc.targets.tvm_api import Index, at_most, divide, modulo


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

    Only the lanes from `skip` up to `valid` are part of the result.
    """

    block: int
    offset: Index
    width: int
    valid: Index
    skip: Index = 0


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
    """Return the panels of at most `most` vectors that cover a lane axis.

    Where the last of several vectors would not be full, it begins further in front, with
    lanes that belong to the one before.
    """
    if isinstance(extent, int) and extent > lanes and extent % lanes:
        return overlapping_panels(extent, lanes, most)
    result = []
    for piece in panels(extent, lanes, most):
        offsets = accumulate((0, *piece.widths[:-1]))
        row = zip(offsets, piece.widths, strict=True)
        vectors = tuple(Vector(0, offset, width, width) for offset, width in row)
        result.append(Panels(piece.start, piece.count, piece.size, vectors))
    return result


def overlapping_panels(extent: int, lanes: int, most: int) -> list[Panels]:
    """Return panels of full vectors, the last of which shares lanes with its neighbour."""
    result: list[Panels] = []
    shared, position = lanes - extent % lanes, 0
    pieces = even(-(-extent // lanes), most)
    for count, size in pieces:
        vectors = tuple(
            Vector(0, lane, lanes, lanes) for lane in range(0, size * lanes, lanes)
        )
        last = (count, size) == pieces[-1]
        if count - last:
            result.append(Panels(position, count - last, size * lanes, vectors))
        position += (count - last) * size * lanes
        if last:
            end = Vector(0, (size - 1) * lanes - shared, lanes, lanes, shared)
            result.append(Panels(position, 1, size * lanes, (*vectors[:-1], end)))
    return result


def aligned_panels(extent: int, lanes: int, most: int, first: Index) -> list[Panels]:
    """Return panels of full vectors that begin at entry `first`, which is below `lanes`.

    An axis of whole vectors has one less of them from there on. The last one begins further
    in front, and what is left before the first is the beginning of a vector of its own.
    """
    head = Vector(0, 0, lanes, first)
    result = [Panels(0, at_most(first, 1), lanes, (head,))]
    position = 0
    pieces = even(extent // lanes, most)
    for count, size in pieces:
        row = tuple(Vector(0, lane, lanes, lanes) for lane in range(0, size * lanes, lanes))
        last = (count, size) == pieces[-1]
        if count - last:
            result.append(Panels(first + position, count - last, size * lanes, row))
        position += (count - last) * size * lanes
        if last:
            end = Vector(0, (size - 1) * lanes - first, lanes, lanes, first)
            result.append(Panels(first + position, 1, size * lanes, (*row[:-1], end)))
    return result


def block_panels(
    blocks: int, lanes: int, valid: int | None, most: int, width: int | None = None
) -> list[Panels]:
    """Return the panels of at most `most` blocks each, in vectors of a width.

    A block is one vector if there is no width. Of all lanes of all blocks only the first
    `valid` are part of the result, if given.
    """
    left = lanes if valid is None else valid - (blocks - 1) * lanes
    result: list[Panels] = []
    position = 0
    for count, size in even(blocks, most):
        whole = block_vectors(size, lanes, lanes, width or lanes)
        last = position + count * size == blocks and left < lanes
        if count - last:
            result.append(Panels(position, count - last, size, whole))
        position += count * size
        if last:
            short = block_vectors(size, lanes, left, width or lanes)
            result.append(Panels(position - size, 1, size, short))
    return result


def block_vectors(blocks: int, lanes: int, left: int, width: int) -> tuple[Vector, ...]:
    """Return the vectors of some blocks; of the last one only `left` lanes are valid."""
    return tuple(
        Vector(block, offset, width, min(width, valid - offset))
        for block in range(blocks)
        for valid in (left if block == blocks - 1 else lanes,)
        for offset in range(0, valid, width)
    )


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


def total(pieces: Sequence[Pieces | Panels]) -> Index:
    """Return the number of pieces of all kinds."""
    count: Index = 0
    for piece in pieces:
        count = count + piece.count
    return count
