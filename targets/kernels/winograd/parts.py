"""What the parts of a Winograd convolution's kernel share: sizes, memory, a block."""

from dataclasses import dataclass
from itertools import accumulate

from lxc.errors import InternalError
from lxc.ir.machine import Machine
from lxc.ir.node import Value
from lxc.passes.nodes import attributes_of
from lxc.passes.tile_blocks import tile_counts
from lxc.targets.kernels.sizes import index_of
from lxc.targets.kernels.split import Panels, Pieces
from lxc.targets.kernels.tile import Work
from lxc.targets.tvm_api import Buffer, Index, at_least, at_most, divide, modulo

FLOAT_BYTES = 4


@dataclass(frozen=True)
class Block:
    """Tiles that are computed together: where the first is, and how many there are.

    They lie in one strip or in two, each with memory of its own for `strip` tiles; the
    second one may have fewer. They are cut into register tiles, which are of some `kinds`.
    Tiles and register tiles have numbers inside of the block.
    """

    sample: Index
    row: Index
    column: Index
    samples: int
    rows: int
    columns: int
    strip: int
    kinds: list[Pieces]

    @property
    def strips(self) -> int:
        """The number of strips."""
        return -(-self.samples * self.rows * self.columns // self.strip)

    @property
    def inside(self) -> int:
        """The number of register tiles of the first strip."""
        ends = accumulate(size for kind in self.kinds for size in [kind.size] * kind.count)
        return 1 + sum(end < self.strip for end in ends)

    def start(self, number: Index) -> Index:
        """Return the tile with which a register tile starts."""
        row: Index = 0
        before = 0
        for kind in self.kinds:
            inside = at_most(at_least(number - before, 0), kind.count)
            row = row + inside * kind.size
            before += kind.count
        return row

    def place(self, tile: Index) -> tuple[Index, Index, Index]:
        """Return sample, row and column of a tile."""
        line = divide(tile, self.columns)
        return (
            self.sample + divide(line, self.rows),
            self.row + modulo(line, self.rows),
            self.column + modulo(tile, self.columns),
        )


@dataclass(frozen=True)
class Group:
    """Some tiles of a block by a panel of output channels: what a thread goes over.

    Those are the register tiles from `first` up to `stop`, at most `turns` of them.
    """

    block: Block
    strip: Index
    first: Index
    stop: Index
    panel: Panels
    channels: Index
    turns: int


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
            int(self.node.operands[number].type.shape[1]) for number in (2, 3)
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

    def has_room(self, tiles: int) -> bool:
        """Return whether scratch memory has a place for so many tiles."""
        rows = ((self.cells_row, self.inputs), (self.sums_row, self.outputs))
        return all(row >= blocks * tiles * self.lanes for row, blocks in rows)

    def cell_at(
        self, block: Block, strip: Index, point: Index, channels: Index, tile: Index
    ) -> Index:
        """Return where the transformed cells of a block of channels and a tile start."""
        lines = self.cells_row // self.lanes
        return self.line(block, lines, self.inputs, (strip, point, channels, tile))

    def sum_at(
        self, block: Block, strip: Index, point: Index, channels: Index, tile: Index
    ) -> Index:
        """Return where the sums of a block of output channels and a tile start."""
        lines = self.sums_row // self.lanes
        return self.line(block, lines, self.outputs, (strip, point, channels, tile))

    def line(
        self,
        block: Block,
        lines: int,
        channels: int,
        place: tuple[Index, Index, Index, Index],
    ) -> Index:
        """Return where the lanes of a strip, a point, a block of channels and a tile start.

        There are so many `lines` for every point, and one more than needed where there is
        room. Points must not lie a power of two apart: caches have few places for addresses
        that agree in their last digits.
        """
        strip, point, some, tile = place
        length = channels * block.strip
        length += min(1, lines // block.strips - length)
        number = (strip * self.points + point) * length + some * block.strip
        return (number + tile - strip * block.strip) * self.lanes

    def weight_at(self, point: Index, channels: Index, channel: Index) -> Index:
        """Return where the weights of one input channel for a block of outputs start."""
        depth = self.inputs * self.lanes
        return ((point * self.outputs + channels) * depth + channel) * self.lanes
