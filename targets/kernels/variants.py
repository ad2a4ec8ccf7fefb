"""The ways in which one kernel can be written, of which records may name the fastest.

All of them give the same bits: they differ in what is computed together, and in what is
fetched ahead, but not in the order of the sums.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lxc.passes.records import Answer, Records, Subject

MOST_VARIANTS = 8
"""So many shapes of tiles are worth to be measured; the cost model is not that wrong."""
PLAIN = " without fetching ahead"


@dataclass(frozen=True)
class TileVariant:
    """A shape of register tiles, and whether the next panel is fetched meanwhile."""

    rows: int
    vectors: int
    fetches: bool = True

    def __str__(self) -> str:
        """Name the variant, as records do."""
        return f"{self.rows}x{self.vectors}{'' if self.fetches else PLAIN}"


class Variants:
    """What was asked about the variants of a kernel, and what was answered."""

    def __init__(self, records: Records, subject: Subject) -> None:
        """Start without a question."""
        self.records, self.subject = records, subject
        self.answer: Answer | None = None

    def tiles(self, shapes: Sequence[tuple[int, int]], *, fetches: bool) -> TileVariant:
        """Return the variant to write; `shapes` are those of tiles, the cheapest first.

        Where there is something to be fetched ahead, it can be left out.
        """
        found = [TileVariant(*shape) for shape in shapes[:MOST_VARIANTS]]
        if fetches:
            found.append(TileVariant(*shapes[0], fetches=False))
        self.answer = self.records.answer(self.subject, [str(one) for one in found])
        return found[self.answer.place]
