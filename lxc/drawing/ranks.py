"""Rows for boxes: every box stands below all that it reads."""

from collections.abc import Collection, Sequence

Link = tuple[int, int]
"""From one box to another, by their places."""


def ranks_of(count: int, links: Sequence[Link], roots: Collection[int]) -> list[int]:
    """Return the row of each of `count` boxes, whose links lead to later boxes only.

    What depends on one of the `roots` is as far up as it can be. The rest, and the roots,
    stand right above their first reader.
    """
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for source, target in links:
        before[target].append(source)
        after[source].append(target)
    ranks = [0] * count
    flows = [False] * count
    for place in range(count):
        ranks[place] = max((ranks[one] + 1 for one in before[place]), default=0)
        flows[place] = any(flows[one] or one in roots for one in before[place])
    for place in reversed(range(count)):
        if not flows[place] and after[place]:
            ranks[place] = min(ranks[one] for one in after[place]) - 1
    return ranks
