"""Rows of items, ordered so that few edges cross.

An edge that passes rows has an item of its own in each of them, so that it goes around the
boxes there.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lxc.drawing.ranks import Link, ranks_of

SWEEPS = 8
MOST_ITEMS = 100_000
"""How many rows edges may pass, all together; the longest go straight if there are more."""


@dataclass(frozen=True)
class Rows:
    """Items in rows from the top, each row from the left.

    The first items are the boxes. `chains[i]` are the items that link i leads along, both
    of its boxes included.
    """

    rows: tuple[tuple[int, ...], ...]
    chains: tuple[tuple[int, ...], ...]
    boxes: int

    @property
    def items(self) -> int:
        """How many there are."""
        return sum(map(len, self.rows))

    def neighbours(self) -> tuple[list[list[int]], list[list[int]]]:
        """Return the items above and below each item that edges lead to."""
        above: list[list[int]] = [[] for _ in range(self.items)]
        below: list[list[int]] = [[] for _ in range(self.items)]
        for chain in self.chains:
            for upper, lower in pairwise(chain):
                below[upper].append(lower)
                above[lower].append(upper)
        return above, below


def rows_of(count: int, links: Sequence[Link], roots: Collection[int]) -> Rows:
    """Return the rows of a diagram with `count` boxes, `roots` those of its inputs."""
    ranks = ranks_of(count, links, roots)
    rows: list[list[int]] = [[] for _ in range(max(ranks, default=-1) + 1)]
    for place, rank in enumerate(ranks):
        rows[rank].append(place)
    chains: list[tuple[int, ...]] = [()] * len(links)
    next_item, limit = count, count + MOST_ITEMS
    spans = [ranks[target] - ranks[source] for source, target in links]
    for index in sorted(range(len(links)), key=spans.__getitem__):
        source, target = links[index]
        between = range(ranks[source] + 1, ranks[target])
        if next_item + len(between) > limit:
            between = range(0)
        items = range(next_item, next_item + len(between))
        for item, rank in zip(items, between, strict=True):
            rows[rank].append(item)
        next_item += len(between)
        chains[index] = (source, *items, target)
    return ordered(Rows(tuple(map(tuple, rows)), tuple(chains), count))


def ordered(rows: Rows) -> Rows:
    """Return rows in which items stand below and above the middle of their neighbours."""
    above, below = rows.neighbours()
    order = [list(row) for row in rows.rows]
    best, fewest = [list(row) for row in order], crossings(order, below)
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        neighbours = above if downwards else below
        places: dict[int, float] = {}
        for row in order if downwards else reversed(order):
            middles = {
                item: middle([places[one] for one in neighbours[item] if one in places], at)
                for at, item in enumerate(row)
            }
            row.sort(key=middles.__getitem__)
            places |= {item: float(at) for at, item in enumerate(row)}
        found = crossings(order, below)
        if found < fewest:
            best, fewest = [list(row) for row in order], found
    return Rows(tuple(map(tuple, best)), rows.chains, rows.boxes)


def middle(places: list[float], own: int) -> float:
    """Return the mean of places, the own one if there are none."""
    return sum(places) / len(places) if places else float(own)


def crossings(order: Sequence[Sequence[int]], below: Sequence[Sequence[int]]) -> int:
    """Return how many pairs of edges cross between neighbouring rows."""
    total = 0
    for upper, lower in pairwise(order):
        places = {item: at for at, item in enumerate(lower)}
        ends = [
            at
            for item in upper
            for at in sorted(places[one] for one in below[item] if one in places)
        ]
        total += inversions(ends, len(lower))
    return total


def inversions(ends: Sequence[int], count: int) -> int:
    """Return how many pairs of numbers below `count` are in falling order."""
    tree, total = [0] * (count + 1), 0
    for seen, end in enumerate(ends):
        at, smaller = end + 1, 0
        while at:
            smaller += tree[at]
            at &= at - 1
        total += seen - smaller
        at = end + 1
        while at <= count:
            tree[at] += 1
            at += at & -at
    return total
