"""Results that lie across what they are made of, turned around in registers, in squares.

Such are channels brought into blocks, and taken out of them. What is read side by side
lies far apart in the result, along its `across` axes; what is stored side by side, along
its last axes, is read far apart. So vectors are made along the across axes, one for each of
as many entries of the last axes as they have lanes, and turned around before they are
stored.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from lxc.ir.machine import Machine
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.group import Group
from lxc.targets.kernels.nest import walk_axes
from lxc.targets.kernels.place import Place, unravel
from lxc.targets.kernels.sizes import index_of, product
from lxc.targets.kernels.split import Pieces, vectors
from lxc.targets.kernels.storage import stored
from lxc.targets.kernels.transposition import turned
from lxc.targets.kernels.turns import Turn
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import Buffer, Index, divide, load_vector, store_vector


def write_squares(
    writer: Writer,
    source: Source,
    group: Group,
    result: Buffer,
    machine: Machine,
    turn: Turn,
    *,
    parallel: bool,
) -> None:
    """Write the loops of a kernel whose result lies across what it reads."""
    squares = Squares(writer, source, group, result, turn)
    axes = [squares.cut(run, machine.lanes) for run in squares.runs]
    walk_axes(writer, axes, squares.write, parallel=parallel)


class Squares:
    """One result, whose axes are walked in `runs`: some neighbours as one, others alone."""

    def __init__(
        self, writer: Writer, source: Source, group: Group, result: Buffer, turn: Turn
    ) -> None:
        """Read the sizes off the stored value."""
        self.writer, self.source, self.result = writer, source, result
        self.stored, self.turn = group.stored, turn
        self.shape = [index_of(entry, writer.dims) for entry in self.stored.type.shape]
        starts = {turn.across.start: turn.across, turn.last.start: turn.last}
        self.runs: list[range] = []
        while not self.runs or self.runs[-1].stop < len(self.shape):
            axis = self.runs[-1].stop if self.runs else 0
            self.runs.append(starts.get(axis, range(axis, axis + 1)))

    def cut(self, run: range, lanes: int) -> Index | list[Pieces]:
        """Return the extent of a run of axes, or its pieces: vectors where they turn.

        No piece is partly filling.
        """
        extent = product(self.shape[run.start : run.stop])
        edges = [0, *self.turn.edges(run), extent]
        turns = run in (self.turn.across, self.turn.last)
        if len(edges) == 2 and not turns:
            return extent
        return [
            piece
            for start, stop in pairwise(edges)
            for piece in vectors(start, stop, lanes if turns else 1)
        ]

    def write(self, entries: tuple[Any, ...]) -> None:
        """Write one piece of the across axes by one piece of the last axes."""
        starts: list[Index] = []
        sizes: dict[range, int] = {}
        filling = False
        for run, entry in zip(self.runs, entries, strict=True):
            if not isinstance(entry, tuple):
                starts.append(entry)
                continue
            piece, start = entry
            # Where the kind of a piece is chosen, nothing is known of its number: the edges
            # of a pad would be checked lane by lane.
            number = self.writer.prover.simplify(divide(start - piece.start, piece.size))
            number = self.writer.name(number, piece.count)
            starts.append(piece.start + number * piece.size)
            sizes[run] = piece.size
            filling = filling or self.turn.is_filling(run, piece.start)
        rows, columns = sizes[self.turn.across], sizes[self.turn.last]
        size = 1 if filling else min(rows, columns)
        for row in range(0, rows, size):
            if size == 1:
                self.write_vector(starts, row, columns)
                continue
            for column in range(0, columns, size):
                self.write_square(starts, row, column, size)

    def place(
        self, starts: Sequence[Index], row: int, column: int, lanes: tuple[range, int]
    ) -> Place:
        """Return a place so many rows and columns behind the starts of the runs.

        Lanes, so many, are neighbours along a run of axes.
        """
        moves = {self.turn.across: row, self.turn.last: column}
        coordinates: list[Index] = []
        for run, start in zip(self.runs, starts, strict=True):
            at = start + moves.get(run, 0)
            if run == lanes[0]:
                at = at + self.writer.lane(lanes[1])
            coordinates += unravel(at, self.shape[run.start : run.stop])
        return Place(self.shape, coordinates)

    def write_vector(self, starts: Sequence[Index], row: int, width: int) -> None:
        """Write neighbours in the result, wherever they come from."""
        elements = Elements(self.writer, self.source, width)
        place = self.place(starts, row, 0, (self.turn.last, width))
        element = elements.at(self.stored, place)
        elements.save(self.result, place.position, element, self.stored.type.dtype)

    def write_square(
        self, starts: Sequence[Index], row: int, column: int, size: int
    ) -> None:
        """Write `size` vectors of the last axes, of as many lanes each."""
        writer, dtype = self.writer, self.stored.type.dtype
        runs = []
        for number in range(size):
            elements = Elements(writer, self.source, size)
            place = self.place(starts, row, column + number, (self.turn.across, size))
            run = writer.array(stored(dtype), size)
            elements.save(run, writer.lane(size), elements.at(self.stored, place), dtype)
            runs.append(run)
        for number, run in enumerate(turned(writer, runs, stored(dtype))):
            place = self.place(starts, row + number, column, (range(0), size))
            position = writer.prover.simplify(place.position)
            vector = load_vector(run, 0, size)
            writer.write(store_vector(self.result, position, vector, size))
