"""Copies of channels with room for edges around them, and with cells a step apart."""

from dataclasses import dataclass, replace

from lxc.ir.node import Node
from lxc.passes.nodes import attributes_of
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.place import Place
from lxc.targets.kernels.sizes import index_of
from lxc.targets.kernels.split import lane_panels
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import (
    Buffer,
    Index,
    load_vector,
    shuffled,
    store_vector,
)


@dataclass(frozen=True)
class Room:
    """Memory, where the first channel begins in it, and the sizes of a channel there."""

    memory: Buffer
    start: Index
    sizes: tuple[int, ...]


def write_copies(
    writer: Writer,
    source: Source,
    node: Node,
    which: tuple[Index, Index],
    room: Room,
    lanes: int,
) -> None:
    """Write the copies of the channels of a group of a sample, row by row."""
    x, weight = node.operands[:2]
    facts = attributes_of(node)
    sizes = [index_of(entry, writer.dims) for entry in x.type.shape]
    inputs = index_of(weight.type.shape[1], writer.dims)
    before = [low for low, _ in facts["padding"]]
    sample, group = which
    with writer.loops([inputs, *sizes[2:-1]]) as (inner, *outer):
        moved = [entry + low for entry, low in zip(outer, before, strict=False)]
        start = Place(sizes, (sample, group * inputs + inner, *outer, 0)).position
        place = Place((inputs, *room.sizes), (inner, *moved, 0, 0)).position
        cells = Cells(writer, source, node, start)
        row = replace(room, start=room.start + place)
        write_row(cells, sizes[-1], before[-1], row, lanes)


@dataclass(frozen=True)
class Cells:
    """A row of cells of the operand of a convolution, from a position in it on."""

    writer: Writer
    source: Source
    node: Node
    start: Index

    @property
    def step(self) -> int:
        """How far apart the cells are that one vector holds."""
        step: int = attributes_of(self.node)["strides"][-1]
        return step

    def write(self, room: Room, first: Index, place: Index, width: int) -> None:
        """Write some of them, from the `first` one on, side by side in a room."""
        x, simplify = self.node.operands[0], self.writer.prover.simplify
        start = self.start + first
        target = simplify(room.start + place)
        if self.step == 2 and width > 1 and x in self.source.buffers:
            buffer = self.source.buffers[x]
            # The second vector begins so that it ends with the last cell that is needed.
            pair = [
                load_vector(buffer, simplify(start), width),
                load_vector(buffer, simplify(start + width - 1), width),
            ]
            even = [*range(0, width, 2), *range(width + 1, 2 * width, 2)]
            taken = shuffled(pair, even)
            self.writer.write(store_vector(room.memory, target, taken, width))
            return
        elements = Elements(self.writer, self.source, width)
        lane = self.writer.lane(width)
        position = Place(elements.shape_of(x), position=start + lane * self.step)
        self.writer.store(room.memory, target + lane, elements.at(x, position), width)


def write_row(cells: Cells, length: int, before: int, room: Room, lanes: int) -> None:
    """Write a row of cells to where it begins in a room, a part per place in a step."""
    step = cells.step
    for first in range(min(step, length)):
        part, column = (first + before) % step, (first + before) // step
        begin = part * room.sizes[-1] + column
        for panel in lane_panels(-(-(length - first) // step), lanes, 1):
            with cells.writer.loop(panel.count) as number:
                for vector in panel.vectors:
                    done = panel.start + number * panel.size + vector.offset
                    cells.write(room, first + done * step, begin + done, vector.width)
