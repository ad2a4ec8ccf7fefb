"""What the parts of a kernel for tiles of rows share: sizes, memory, a band."""

from dataclasses import dataclass
from itertools import pairwise

from lxc.errors import InternalError
from lxc.ir.machine import Machine
from lxc.ir.ops.winograd_rows import Filter, Room, filters, room_of, taps_of, tiles_in
from lxc.passes.nodes import attributes_of
from lxc.targets.kernels.sizes import index_of
from lxc.targets.kernels.tile import Work
from lxc.targets.tvm_api import Buffer, Index


@dataclass(frozen=True)
class Band:
    """Some rows of the result of one sample, and where the room for them starts."""

    sample: Index
    first: Index
    rows: int
    start: Index


@dataclass(frozen=True)
class Sums:
    """Sums at neighbouring points, that the same filters add products to.

    There are `count` of them from number `first` on. Each filter's points for them begin at
    one of `starts`.
    """

    first: int
    count: int
    starts: tuple[int, ...]


class RowConvolution:
    """One convolution: its operands, its sizes, and where things lie in memory."""

    def __init__(self, work: Work, machine: Machine) -> None:
        """Read the sizes off the node."""
        self.work, self.node, self.machine = work, work.anchor.node, machine
        facts = attributes_of(self.node)
        self.x, self.weight_value, self.memory_value = self.node.operands
        self.steps: tuple[int, int] = facts["strides"]
        self.padding: tuple[tuple[int, int], tuple[int, int]] = facts["padding"]
        self.band: int = facts["band"]
        shape = [index_of(entry, work.writer.dims) for entry in self.node.result.type.shape]
        self.samples, self.outputs, self.height, self.width, self.lanes = shape
        self.inputs, *self.space = (int(entry) for entry in self.x.type.shape[1:])
        self.points, _, self.depth, _ = map(int, self.weight_value.type.shape)
        self.tiles = tiles_in(self.width)
        self.taps = taps_of(self.points, self.steps[1])
        self.filters = filters(self.taps, self.steps[1])
        self.room: Room = room_of(
            self.inputs, self.weight_value.type, self.steps, self.width, self.band
        )
        self.weight = self.buffer(1)
        self.memory = self.buffer(2)

    @property
    def held(self) -> str:
        """The type of all vectors."""
        return self.work.anchor.held

    @property
    def largest(self) -> Filter:
        """The filter with the most points; every sum is one of its points."""
        return max(self.filters, key=lambda one: one.points)

    def buffer(self, number: int) -> Buffer:
        """Return the memory of an operand that must be in memory as it is."""
        value = self.node.operands[number]
        if value not in self.work.source.buffers:
            name = self.node.op.operands[number]
            raise InternalError("code generation", f"{self.node.op}: {name} is no memory")
        return self.work.source.buffers[value]

    def line_at(self, start: Index) -> Index:
        """Return where the line of a room begins."""
        return start + self.room.cells

    def turned_at(self, start: Index, cell: Index) -> Index:
        """Return where one cell of all tiles begins."""
        return self.line_at(start) + self.room.line + cell * self.room.columns

    def cell_at(self, start: Index, row: Index, point: Index) -> Index:
        """Return where the tiles of a point begin; rows have one entry per channel."""
        return start + row * self.room.cells_row + point * self.room.columns

    def sum_at(self, start: Index, blocks: int, place: tuple[Index, Index, Index]) -> Index:
        """Return where the sum of a point, a tile and one of `blocks` begins.

        Tiles count from the first one of those that are computed together.
        """
        point, tile, block = place
        before = self.line_at(start) + self.room.line + self.room.turned
        return before + ((point * self.room.together + tile) * blocks + block) * self.lanes

    def weight_at(self, point: Index, block: Index, term: Index) -> Index:
        """Return where the weights of a term for a block of output channels begin."""
        return ((point * self.outputs + block) * self.depth + term) * self.lanes

    def sums(self) -> list[Sums]:
        """Return all sums, those together that the same filters add to."""
        last = self.largest.points - 1
        edges = sorted({0, *(one.points - 1 for one in self.filters)})
        found = []
        for first, stop in pairwise(edges):
            adding = [one for one in self.filters if one.points - 1 > first]
            starts = tuple(one.start for one in adding)
            found.append(Sums(first, stop - first, starts))
        ends = tuple(one.start + one.points - 1 for one in self.filters)
        return [*found, Sums(last, 1, tuple(end - last for end in ends))]
