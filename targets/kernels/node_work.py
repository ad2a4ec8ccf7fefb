"""What it takes to write one node as a kernel."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lxc.ir.machine import Machine
from lxc.ir.node import Node, Value
from lxc.targets.kernels.nest import Coordinates, walk
from lxc.targets.kernels.sizes import index_of
from lxc.targets.kernels.split import Pieces, vectors
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import Buffer, Index

VectorBody = Callable[[Coordinates, Index, int], None]
"""It gets the coordinates of the rows, the place of each lane, and how many there are."""


@dataclass(frozen=True)
class NodeWork:
    """A node, the memory of its operands and its result, and for whom it is written.

    `parallel` says that threads share its loops.
    """

    writer: Writer
    node: Node
    operands: Sequence[Buffer]
    result: Buffer
    machine: Machine
    parallel: bool

    def sizes(self, value: Value) -> list[Index]:
        """Return the sizes of a value as the kernel knows them."""
        return [index_of(entry, self.writer.dims) for entry in value.type.shape]

    def each_vector(self, rows: Sequence[Index], run: Index, body: VectorBody) -> None:
        """Write `body` for all coordinates of `rows` and all vectors of a run."""

        def at_piece(row: Coordinates, chosen: tuple[tuple[Pieces, Index], ...]) -> None:
            ((piece, start),) = chosen
            body(row, start + self.writer.lane(piece.size), piece.size)

        pieces = vectors(0, run, self.machine.lanes)
        walk(self.writer, rows, [pieces], at_piece, parallel=self.parallel)
