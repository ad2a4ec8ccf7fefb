"""Cut axes into vectors, panels and rows.

Every piece of an axis has its start, how many there are and the widths of the vectors in
it, so nothing reads or writes past an end. Static axes are split evenly; an axis whose
size is only known at run time gets whole vectors or tiles first and the rest in smaller
ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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


def tiles(extent: Index, most: int, *, few: bool = False) -> list[Pieces]:
    """Return tiles of at most `most` rows each that cover the row axis.

    With `few` there are only two kinds where the size is known at run time only.
    """
    if isinstance(extent, int):
        pieces, position = [], 0
        for count, size in even(extent, most):
            pieces.append(Pieces(position, count, (1,) * size))
            position += count * size
        return pieces
    whole = divide(extent, most)
    rest = modulo(extent, most)
    pieces_by_size = [Pieces(0, whole, (1,) * most)]
    if few and most > 1:
        return [*pieces_by_size, Pieces(whole * most, rest, (1,))]
    size = 1
    while size * 2 < most:
        size *= 2
    while size and most > 1:
        start = whole * most + divide(rest, 2 * size) * (2 * size)
        pieces_by_size.append(Pieces(start, modulo(divide(rest, size), 2), (1,) * size))
        size //= 2
    return pieces_by_size


def tile_shape(
    rows: Index, columns: Index, lanes: int, machine: Machine, most: int
) -> tuple[int, int]:
    """Return how many rows and how many vectors one register tile has.

    The cost is in cycles for one step of the reduction over the whole result: two
    multiply-adds and two loads per cycle, and at least four cycles to wait for the
    previous step.
    """
    height = rows if isinstance(rows, int) else 60
    width = -(-columns // lanes) if isinstance(columns, int) else 1
    spare = 2 if machine.has_fma else 3
    best: tuple[float, int, int] | None = None
    for vectors_wide in range(1, min(8, max(1, width)) + 1):
        for tall in range(1, min(16, max(1, height)) + 1):
            used = tall * vectors_wide + vectors_wide + spare
            if used > machine.registers or tall * vectors_wide > most:
                continue
            price = 0.0
            for count_r, size_r in even(height, tall):
                for count_c, size_c in even(width, vectors_wide):
                    steps = max(size_r * size_c / 2, (size_r + size_c) / 2, 4.0)
                    price += count_r * count_c * (steps + 0.15 + 0.2 * size_c)
            if best is None or (price, tall * vectors_wide) < (best[0], best[1] * best[2]):
                best = (price, tall, vectors_wide)
    return (best[1], best[2]) if best else (1, 1)


def total(pieces: Sequence[Pieces]) -> Index:
    """Return the number of pieces of all kinds."""
    count: Index = 0
    for piece in pieces:
        count = count + piece.count
    return count
