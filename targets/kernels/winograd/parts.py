"""What the parts of a Winograd convolution's kernel share: sizes, memory, a block."""

from dataclasses import dataclass

from lxc.errors import InternalError
from lxc.ir.machine import Machine
from lxc.ir.node import Value
from lxc.passes.nodes import attributes_of
from lxc.passes.tile_blocks import tile_counts
from lxc.targets.kernels.sizes import index_of
from lxc.targets.kernels.tile import Work
from lxc.targets.tvm_api import Buffer, Index, divide, modulo


@dataclass(frozen=True)
class Block:
    """Tiles that are computed together: where the first is, and how many there are."""

    sample: Index
    row: Index
    column: Index
    samples: int
    rows: int
    columns: int

    @property
    def tiles(self) -> int:
        """The number of tiles."""
        return self.samples * self.rows * self.columns

    def tile(self, number: Index) -> tuple[Index, Index, Index]:
        """Return sample, row and column of the tile with a number inside of the block."""
        line = divide(number, self.columns)
        return (
            self.sample + divide(line, self.rows),
            self.row + modulo(line, self.rows),
            self.column + modulo(number, self.columns),
        )


class Winograd:
    """One convolution: its operands, its sizes, and where things lie in memory."""

    def __init__(self, work: Work, machine: Machine) -> None:
        """Read the sizes off the node."""
        self.work, self.node, self.machine = work, work.anchor.node, machine
        self.x = self.node.operands[0]
        self.tile: int = attributes_of(self.node)["tile"]
        self.block: int = attributes_of(self.node)["block"]
        self.size = self.tile + 2
        self.points = self.size * self.size
        shape = [index_of(entry, work.writer.dims) for entry in self.node.result.type.shape]
        self.samples, self.outputs, *self.space, self.lanes = shape
        self.inputs = index_of(self.x.type.shape[1], work.writer.dims)
        self.rows, self.columns = tile_counts(tuple(self.space), self.tile)
        self.weight = self.buffer(1)
        self.cells, self.sums = self.buffer(2), self.buffer(3)
        self.cells_row, self.sums_row = (
            self.node.operands[number].type.shape[1] for number in (2, 3)
        )

    @property
    def held(self) -> str:
        """The type of all vectors."""
        return self.work.anchor.held

    def buffer(self, number: int) -> Buffer:
        """Return the memory of an operand that must be in memory as it is."""
        value: Value = self.node.operands[number]
        if value not in self.work.source.buffers:
            name = self.node.op.operands[number]
            raise InternalError("code generation", f"{self.node.op}: {name} is no memory")
        return self.work.source.buffers[value]

    def last_cells(self, axis: int) -> int:
        """Return how many cells of the result the last tile along an axis has."""
        before: int = ((self.rows, self.columns)[axis] - 1) * self.tile
        return int(self.space[axis]) - before

    def cell_at(self, block: Block, point: Index, channels: Index, tile: Index) -> Index:
        """Return where the transformed cells of a block of channels and a tile start."""
        return point * self.cells_row + (channels * block.tiles + tile) * self.lanes

    def sum_at(self, block: Block, point: Index, channels: Index, tile: Index) -> Index:
        """Return where the sums of a block of output channels and a tile start."""
        return point * self.sums_row + (channels * block.tiles + tile) * self.lanes

    def weight_at(self, point: Index, channels: Index, channel: Index) -> Index:
        """Return where the weights of one input channel for a block of outputs start."""
        depth = self.inputs * self.lanes
        return ((point * self.outputs + channels) * depth + channel) * self.lanes
