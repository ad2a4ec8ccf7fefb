"""The linear transforms of Winograd's algorithm along one axis, on vectors in registers.

The points of a transform are 0, pairs (p, -p), perhaps one more, and infinity. The two
results of a pair share two halves: `one + p * other` and `one - p * other`. Cells that are
known to be zero are None.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction

from lxc.ir.minimal_filtering import input_rows
from lxc.targets.tvm_api import Expr, constant

Cells = Sequence[Expr | None]
Hold = Callable[[Expr], Expr]


class Transform:
    """The transforms of one size of tile; `hold` keeps a vector in registers."""

    def __init__(
        self, finite: Sequence[Fraction], tile: int, dtype: str, hold: Hold
    ) -> None:
        """Know the numbers and their type; `finite` are all points but infinity."""
        self.tile, self.dtype, self.hold = tile, dtype, hold
        self.pairs = [finite[n] for n in range(1, len(finite) - 1, 2)]
        self.single = None if len(finite) % 2 else finite[-1]
        self.rows = input_rows(finite)

    @property
    def parts(self) -> range:
        """The parts of the input's transform: zero, every pair, one more, infinity."""
        return range(len(self.pairs) + 2 + (self.single is not None))

    def points(self, part: int) -> list[int]:
        """Return the numbers of the points of a part."""
        if part == 0:
            return [0]
        if part <= len(self.pairs):
            return [2 * part - 1, 2 * part]
        return [part + len(self.pairs)]

    def reads(self, part: int) -> set[int]:
        """Return the numbers of the cells that a part depends on."""
        rows = [self.rows[point] for point in self.points(part)]
        return {i for row in rows for i, entry in enumerate(row) if entry}

    def into(self, cells: Cells, part: int) -> list[Expr | None]:
        """Return the cells of one line transformed to the points of a part."""
        first = self.rows[self.points(part)[0]]
        if len(self.points(part)) == 1:
            return [self.combined(cells, first)]
        point = self.pairs[part - 1]
        both = [*zip(first, self.rows[self.points(part)[1]], strict=True)]
        shared = [(one + other) / 2 for one, other in both]
        turned = [(one - other) / 2 / point for one, other in both]
        here, there = self.combined(cells, shared), self.combined(cells, turned)
        pair = [here, there]
        return [self.combined(pair, (1, sign * point)) for sign in (1, -1)]

    def out_of(self, sums: Sequence[Expr], parity: int) -> list[Expr]:
        """Return every second cell of a tile, from `parity` on, from sums at all points."""
        halves = []
        for number in range(len(self.pairs)):
            here, there = sums[2 * number + 1], sums[2 * number + 2]
            halves.append(self.hold(here - there if parity else here + there))
        found = []
        for power in range(parity, self.tile, 2):
            ends = [sums[0]] if power == 0 else []
            ends += [sums[-1]] if power == self.tile - 1 else []
            scales: list[Fraction] = [Fraction(point**power) for point in self.pairs]
            single = []
            if self.single is not None:
                scales.append(self.single**power)
                single = [sums[-2]]
            numbers: list[Fraction | int] = [*(1 for _ in ends), *scales]
            found.append(self.combined([*ends, *halves, *single], numbers))
        return found

    def combined(self, cells: Cells, numbers: Sequence[Fraction | int]) -> Expr | None:
        """Return the sum of cells times numbers; those times one are added first."""
        pairs = [
            (cell, number)
            for cell, number in zip(cells, numbers, strict=True)
            if cell is not None and number
        ]
        if not pairs:
            return None
        pairs.sort(key=lambda pair: pair[1] != 1)
        total: Expr | None = None
        for cell, number in pairs:
            term = cell if number == 1 else cell * constant(float(number), self.dtype)
            total = term if total is None else total + term
        return self.hold(total)
