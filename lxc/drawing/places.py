"""Places for the items of rows: straight edges first, and no two items too close."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from lxc.drawing.rows import Rows

GAP = 26.0
ROW_GAP = 50.0
MARGIN = 20.0
LINE_WIDTH = 10.0
SWEEPS = 12
LIGHT, PASSING, STRAIGHT = 0.05, 0.25, 6.0
"""How much count boxes that read nothing, long edges, and straight parts of edges."""


@dataclass(frozen=True)
class Size:
    """Width and height of something that is drawn."""

    width: float
    height: float


@dataclass(frozen=True)
class Places:
    """The middle of each item, the upper and the lower end of each row, and the whole."""

    x: tuple[float, ...]
    rows: tuple[tuple[float, float], ...]
    size: Size


def wanted_places(rows: Rows, widths: Sequence[float]) -> list[float]:
    """Return where the middles of items should be, by what they are connected with."""
    above, below = rows.neighbours()
    beside = [not one for one in above]
    heavy = [
        PASSING if item >= rows.boxes else LIGHT if alone else 1.0
        for item, alone in enumerate(beside)
    ]
    x = [0.0] * rows.items
    for row in rows.rows:
        spread(row, [0.0] * len(row), widths, x, heavy)
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        for row in rows.rows if downwards else rows.rows[::-1]:
            near = above if downwards else below
            wanted = [pulled(item, near[item], x, rows, beside) for item in row]
            spread(row, wanted, widths, x, heavy)
    return x


def pulled(
    item: int,
    neighbours: Sequence[int],
    x: Sequence[float],
    rows: Rows,
    beside: Sequence[bool],
) -> float:
    """Return the mean of the neighbours' places.

    Those of edges count more, and those of boxes that read nothing less.
    """
    if not neighbours:
        return x[item]
    weights = [weight(one, item, rows.boxes, is_beside=beside[one]) for one in neighbours]
    total = sum(x[one] * each for one, each in zip(neighbours, weights, strict=True))
    return total / sum(weights)


def weight(neighbour: int, item: int, boxes: int, *, is_beside: bool) -> float:
    """Return how much a neighbour counts for the place of an item."""
    if neighbour >= boxes:
        return STRAIGHT if item >= boxes else PASSING
    return LIGHT if is_beside else 1.0


def spread(
    row: Sequence[int],
    wanted: Sequence[float],
    widths: Sequence[float],
    x: list[float],
    heavy: Sequence[float],
) -> None:
    """Put the items of a row as near as can be to where they should be, in their order.

    Blocks of items that touch each other stand where they move the least, those that are
    `heavy` less than others.
    """
    offsets = [0.0]
    for left, right in pairwise(row):
        offsets.append(offsets[-1] + (widths[left] + widths[right]) / 2 + GAP)
    blocks: list[tuple[float, float, int]] = []
    for item, want, offset in zip(row, wanted, offsets, strict=True):
        mass, count = heavy[item], 1
        total = (want - offset) * mass
        while blocks and blocks[-1][0] / blocks[-1][1] > total / mass:
            before, heavier, more = blocks.pop()
            total, mass, count = total + before, mass + heavier, count + more
        blocks.append((total, mass, count))
    at = 0
    for total, mass, count in blocks:
        for item in row[at : at + count]:
            x[item] = total / mass + offsets[at]
            at += 1


def placed(
    rows: Rows, wanted: Sequence[float], sizes: Sequence[Size], texts: Sequence[float]
) -> Places:
    """Return the places of items of some sizes, near to those that are wanted.

    The whole has place for texts that reach to the right of the items' middles.
    """
    widths = [size.width for size in sizes]
    x, equal = list(wanted), [1.0] * rows.items
    ends, y = [], MARGIN
    for row in rows.rows:
        spread(row, [wanted[item] for item in row], widths, x, equal)
        height = max(sizes[item].height for item in row)
        ends.append((y, y + height))
        y += height + ROW_GAP
    # As much place on the left keeps the middle in the middle.
    halves = [max(size.width / 2, text) for size, text in zip(sizes, texts, strict=True)]
    left = min((at - half for at, half in zip(x, halves, strict=True)), default=0.0)
    right = max((at + half for at, half in zip(x, halves, strict=True)), default=0.0)
    whole = Size(right - left + 2 * MARGIN, max(y - ROW_GAP + MARGIN, 2 * MARGIN))
    return Places(tuple(at - left + MARGIN for at in x), tuple(ends), whole)
