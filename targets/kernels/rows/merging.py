"""The trees that put the partial results of some rows together, all rows at once.

The lanes of a vector are halved until one is left: the upper half is put to the lower one.
So that vectors stay full, vectors of several rows are joined on the way. Which partial
results meet, and in what order, is the same for one row and for several.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lxc.targets.kernels.anchors import Anchor
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import Buffer, Expr, load, load_vector, shuffled, store_vector


@dataclass(frozen=True)
class Merging:
    """How the partial results of one reduction are put together.

    No vector is made with more lanes than `lanes`.
    """

    writer: Writer
    anchor: Anchor
    lanes: int

    def vector(self, chains: Sequence[Buffer], width: int) -> Buffer:
        """Write the tree over the chains of a row; return the vector at its end."""
        while len(chains) > 1:
            half = len(chains) // 2
            for first, second in zip(chains[:half], chains[-half:], strict=True):
                self.combine(first, first, second, width)
            chains = chains[: len(chains) - half]
        return chains[0]

    def numbers(
        self,
        vectors: Sequence[Buffer],
        width: int,
        ends: Mapping[int, Sequence[Buffer]],
    ) -> Buffer:
        """Write the tree over the lanes of one vector per row; return a number per row.

        `ends` are vectors of smaller widths, one per row, for when the tree gets there.
        """
        count, rows = len(vectors), 1
        while width > 1:
            together = min(len(vectors), max(1, 2 * self.lanes // (rows * width)))
            groups = [
                vectors[start : start + together]
                for start in range(0, len(vectors), together)
            ]
            vectors = [self.halved(group, rows, width) for group in groups]
            rows, width = rows * together, width // 2
            for number, vector in enumerate(vectors if width in ends else ()):
                first = number * rows
                end = self.picked(ends[width][first : first + rows], width, range(width))
                self.combine(vector, vector, end, rows * width)
        return self.picked(vectors, rows, range(rows)) if count > rows else vectors[0]

    def halved(self, vectors: Sequence[Buffer], rows: int, width: int) -> Buffer:
        """Return what puts halves together: of some vectors with `rows` stretches each."""
        half = width // 2
        lower = [row * width + lane for row in range(rows) for lane in range(half)]
        upper = [lane + half for lane in lower]
        first, second = (
            self.picked(vectors, rows * width, order) for order in (lower, upper)
        )
        self.combine(first, first, second, len(vectors) * len(lower))
        return first

    def picked(self, vectors: Sequence[Buffer], width: int, order: Sequence[int]) -> Buffer:
        """Return the same lanes of each of some vectors, one after the other."""
        size = len(vectors) * len(order)
        found = self.writer.array(self.anchor.held, size)
        if width == 1 or size == 1:
            single = [load(vector, lane) for vector in vectors for lane in order]
            for place, element in enumerate(single):
                self.writer.store(found, place, element, 1)
            return found
        places = [n * width + lane for n in range(len(vectors)) for lane in order]
        whole = [load_vector(vector, 0, width) for vector in vectors]
        self.writer.write(store_vector(found, 0, shuffled(whole, places), size))
        return found

    def combine(self, result: Buffer, first: Buffer, second: Buffer, width: int) -> None:
        """Write two vectors of partial results put together into one."""
        lane = self.writer.lane(width)

        def hold(value: Expr, dtype: str) -> Expr:
            return self.writer.hold(value, dtype, width)

        combined = self.anchor.combine(load(first, lane), load(second, lane), hold)
        self.writer.store(result, lane, combined, width)
