"""Tiles whose rows read much of what their neighbours do, as windows slide down a plane.

A window's rows are steps of the reduction, so that a row of cells is a term of several
sums. All of those are written where it is loaded, line after line down the tile: each sum
has its terms in the same order as before, and needs its register for a short time only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lxc.ir.machine import Machine
from lxc.targets.kernels.split import even

LINE_BYTES, FLOAT_BYTES = 64, 4
MOST_ROWS = 4
"""More rows save few loads, and are stored in more places of memory at a time."""
MOST_TERMS = 32
"""Factors of a larger window are too many to be in registers or read again in time."""


@dataclass(frozen=True)
class Sliding:
    """Row r of a tile reads line r * `step` + t * `spread` for entry t of the window.

    Entries are those of the last reduction axis but one, `height` in number, each of
    `width` terms.
    """

    step: int
    spread: int
    height: int
    width: int

    @property
    def terms(self) -> int:
        """The terms of a window."""
        return self.height * self.width

    def order(self, rows: int) -> list[tuple[int, int]]:
        """Return every row of a tile with every entry, by the line that is read."""
        pairs = [(row, entry) for row in range(rows) for entry in range(self.height)]
        return sorted(pairs, key=lambda pair: (self.line(*pair), pair[1]))

    def line(self, row: int, entry: int) -> int:
        """Return the line that a row of a tile reads for an entry."""
        return row * self.step + entry * self.spread

    def lines(self, rows: int) -> int:
        """Return how many lines the rows of a tile read."""
        return len({self.line(*pair) for pair in self.order(rows)})

    def shapes(self, rows: int, vectors: int, machine: Machine) -> list[tuple[int, int]]:
        """Return how many rows and vectors a tile may have, the cheapest first.

        There are none if no line is read twice, or if there are not enough registers.
        """
        found: dict[object, tuple[float, int, int]] = {}
        for tall in range(2, min(rows, MOST_ROWS) + 1):
            shares = self.lines(tall) < tall * self.height
            for broad in range(1, vectors + 1):
                fits = self.registers(tall, broad, machine) <= machine.registers
                if shares and fits and self.terms <= MOST_TERMS:
                    lines, columns = even(rows, tall), even(vectors, broad)
                    price = self.price(lines, columns, machine)
                    found.setdefault((*lines, None, *columns), (price, tall, broad))
        return [(tall, broad) for _, tall, broad in sorted(found.values())]

    def registers(self, rows: int, vectors: int, machine: Machine) -> int:
        """Return how many registers a tile takes: for sums, cells of a line, and factors.

        Of many factors some are read again from memory, as part of a multiply-add.
        """
        factors = min(self.terms, machine.registers // 2)
        return (rows + self.width) * vectors + factors + (1 if machine.has_fma else 2)

    def price(
        self,
        rows: Sequence[tuple[int, int]],
        vectors: Sequence[tuple[int, int]],
        machine: Machine,
    ) -> float:
        """Return the cycles of all tiles: two multiply-adds or lines of the cache each.

        Most vectors of cells begin somewhere in a line of the cache, and end in the next.
        """
        touched = 1 + machine.lanes * FLOAT_BYTES / LINE_BYTES
        price = 0.0
        for count_r, tall in rows:
            for count_v, broad in vectors:
                loads = touched * self.lines(tall) * self.width * broad + self.terms
                terms = tall * broad * self.terms
                price += count_r * count_v * max(terms, loads) / 2
        return price
