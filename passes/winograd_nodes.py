"""The nodes that stand for a 3 by 3 convolution on blocks when it is done by tiles."""

from lxc.ir.machine import Machine
from lxc.ir.minimal_filtering import Rows
from lxc.ir.node import Node, Value
from lxc.ir.ops.arithmetic import multiply
from lxc.ir.ops.contract import dot_general
from lxc.ir.ops.logic import cast
from lxc.ir.ops.scratch import scratch
from lxc.ir.ops.shape import broadcast, concat, constant, reshape
from lxc.ir.ops.winograd import TAPS, weight_matrix, winograd_conv
from lxc.ir.rewrite import Replacement
from lxc.ir.types import DType, Shape
from lxc.passes.node_writer import NodeWriter
from lxc.passes.tile_blocks import STRIPS, block_of, tile_counts


def by_tiles(node: Node, tile: int, machine: Machine) -> Replacement:
    """Return what stands for a `blocked_conv` whose weight follows from parameters."""
    return Tiled(node, machine).replacement(tile)


class Tiled(NodeWriter):
    """The nodes that stand for one convolution, in the order in which they are made."""

    def __init__(self, node: Node, machine: Machine) -> None:
        """Start without nodes."""
        super().__init__(node.location)
        self.node, self.machine = node, machine

    def replacement(self, tile: int) -> Replacement:
        """Return the transform of the weight, the scratch memory and the convolution."""
        x, weight = self.node.operands
        dtype = x.type.dtype
        samples, outputs, *cells, lanes = self.node.result.type.shape
        inputs, points = x.type.shape[1], (tile + 2) ** 2
        turned = self.turned(weight, tile)
        rows, columns = tile_counts((int(cells[0]), int(cells[1])), tile)
        point_bytes = points * int(lanes) * dtype.bytes
        most = self.most_tiles(point_bytes, int(inputs), int(outputs))
        block = block_of(samples, rows, columns, most).tiles
        memory = []
        for blocks in (inputs, outputs):
            # In two strips there may be room for one more tile than there is, and a line
            # more for each, so that points do not lie a power of two apart.
            length = (int(blocks) * (block + block % STRIPS) + STRIPS) * int(lanes)
            memory.append(self.made(scratch, shape=(points, length), dtype=dtype))
        y = self.made(winograd_conv, x, turned, *memory, tile=tile, block=block)
        return Replacement((y,), self.nodes)

    def most_tiles(self, point_bytes: int, inputs: int, outputs: int) -> int:
        """Return how many tiles a block has at most.

        `point_bytes` are those of one tile in a block of channels at all points. Where the
        second-level cache holds the weights, a block fits besides them. Elsewhere weights
        are read again for every block, and it is the cells of a block that fit. There are
        never so few tiles that reading takes longer than computing, or sharing the work.
        """
        cache, lanes = self.machine.second_cache, self.machine.lanes
        left = cache - point_bytes * inputs * outputs * lanes
        fitting = cache // (point_bytes * inputs)
        if left > 0:
            fitting = left // (point_bytes * (inputs + outputs))
        return max(2 * lanes, fitting)

    def turned(self, weight: Value, tile: int) -> Value:
        """Return [points, O blocks, C, lanes] of a weight: transformed in float64."""
        outputs, inputs, *_, lanes = weight.type.shape
        points = (tile + 2) ** 2
        wide = self.made(cast, weight, dtype=DType.F64)
        wide = self.shaped(wide, (outputs, inputs, TAPS * TAPS, lanes, lanes))
        found = self.made(
            dot_general,
            self.matrix(tile),
            wide,
            lhs_batch=(),
            rhs_batch=(),
            lhs_contract=(1,),
            rhs_contract=(2,),
        )
        found = self.made(cast, found, dtype=weight.type.dtype)
        return self.shaped(found, (points, outputs, inputs * lanes, lanes))

    def matrix(self, tile: int) -> Value:
        """Return the transform of both axes at once, [points, taps], in float64."""
        size = tile + 2
        line = matrix_value(self, weight_matrix(tile))
        shape = (size, size, TAPS, TAPS)
        down = self.made(broadcast, line, shape=shape, axes=(0, 2))
        across = self.made(broadcast, line, shape=shape, axes=(1, 3))
        both = self.made(multiply, down, across)
        return self.shaped(both, (size * size, TAPS * TAPS))

    def shaped(self, value: Value, shape: Shape) -> Value:
        """Return the elements of a value in another shape."""
        return self.made(reshape, value, shape=shape)


def matrix_value(nodes: NodeWriter, rows: Rows) -> Value:
    """Return a matrix in float64: its columns, each a constant, side by side."""
    columns = []
    for entries in zip(*rows, strict=True):
        numbers = tuple(float(entry) for entry in entries)
        shape = (len(numbers), 1)
        column = nodes.made(constant, dtype=DType.F64, shape=shape, value=numbers)
        columns.append(column)
    return nodes.made(concat, *columns, axis=1)
