"""The kernel of a grouped convolution that copies a group at a time with what is around it.

Every row of the scratch memory is worked in by one task: the edges in it are zero from the
start, and the channels of one group after the other are copied to between them. Vectors run
along the cells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

from lxc.ir.machine import Machine
from lxc.ir.node import Node
from lxc.ir.ops.staged import staged_shape
from lxc.passes.nodes import attributes_of
from lxc.targets.kernels.anchors import Anchor, Coordinates, Factor, Pull
from lxc.targets.kernels.convolutions.grouped import (
    CHANNEL,
    GROUP,
    SAMPLE,
    Grouped,
    grouped,
)
from lxc.targets.kernels.convolutions.staged_copy import Room, write_copies
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.finish import finish_tile
from lxc.targets.kernels.place import Place, unravel
from lxc.targets.kernels.rooms import shares, write_zeros
from lxc.targets.kernels.sliding import Sliding
from lxc.targets.kernels.split import Panels, Pieces, lane_panels, tiles
from lxc.targets.kernels.tile import Tile, Work, write_sums
from lxc.targets.kernels.tile_shapes import tile_shapes
from lxc.targets.tvm_api import Expr, Index, divide, load, modulo

MOST_ROWS = 16


@dataclass(frozen=True)
class Plane:
    """How the results of one group are cut: tiles along rows, panels along the cells."""

    work: Work
    lane: int
    row: int
    kinds: list[Pieces]
    panels: list[Panels]

    def write(self, base: Sequence[Index]) -> None:
        """Write the tiles, given the coordinates of the other loop axes."""
        writer = self.work.writer
        for panel in self.panels:
            with writer.loop(panel.count) as number:
                for kind in self.kinds:
                    with writer.loop(kind.count) as turn:
                        place = list(base)
                        place[self.lane] = panel.start + number * panel.size
                        place[self.row] = kind.start + turn * kind.size
                        tile = Tile(self.work, tuple(place), kind.size, panel.vectors, 0, 1)
                        finish_tile(tile, write_sums(tile, fetches=False), [])


def staged_conv(node: Node, dims: Mapping[str, Expr], source: Source) -> Anchor:
    """Return the loops over sample, group, channel and cells, with the weight as factor."""
    one = grouped(node, dims)
    last = len(one.shape)
    return Anchor(
        node,
        (one.shape[0], one.groups, one.outputs, *one.shape[2:]),
        one.kernel[1:],
        last,
        CHANNEL if one.outputs > 1 or last == CHANNEL + 1 else last - 1,
        "add",
        lambda at: (at[SAMPLE], one.channel(at), *at[3:]),
        (one.factor,),
        sliding=sliding(node, one) if one.outputs == 1 and last > CHANNEL + 1 else None,
    )


def sliding(node: Node, one: Grouped) -> Sliding:
    """Return how windows slide down the planes of a group with one result."""
    facts, (height, width) = attributes_of(node), one.kernel[-2:]
    step, spread = facts["strides"][-2], facts["rhs_dilation"][-2]
    return Sliding(step, spread, int(height), int(width))


def write_staged(work: Work, machine: Machine, *, parallel: bool) -> str:
    """Write the kernel, a row of the scratch memory per task; return the algorithm."""
    node, writer = work.anchor.node, work.writer
    facts = attributes_of(node)
    shape = staged_shape(node.operands[0].type, facts["strides"], facts["padding"])
    sizes = tuple(int(entry) for entry in shape)
    memory = work.source.buffers[node.operands[2]]
    rows, length = (int(entry) for entry in node.operands[2].type.shape)
    samples, groups = work.anchor.loops[:2]
    with shares(writer, rows, samples * groups, parallel=parallel) as share:
        room = Room(memory, share.row * length, sizes)
        write_zeros(writer, memory, room.start, length, machine.lanes)
        with writer.loop(share.count) as turn:
            which = unravel(share.first + turn, (samples, groups))
            write_copies(writer, work.source, node, which, room, machine.lanes)
            write_group(work, which, room, machine)
    return f"{node.op} by tiles"


def write_group(
    work: Work, which: tuple[Index, Index], room: Room, machine: Machine
) -> None:
    """Write the results of one group of a sample, which lies in its room."""
    anchor = work.anchor
    cells = frozenset({SAMPLE, GROUP, *range(CHANNEL + 1, len(anchor.loops))})
    copied = Factor(reader(anchor.node, room), cells)
    work = replace(work, anchor=replace(anchor, factors=(copied, *anchor.factors)))
    lane, row = len(anchor.loops) - 1, anchor.row or CHANNEL
    rows, columns = anchor.loops[row], anchor.loops[lane]
    width = -(-columns // machine.lanes)
    shapes = anchor.sliding.shapes(rows, width, machine) if anchor.sliding else []
    if not shapes:
        work = replace(work, anchor=replace(work.anchor, sliding=None))
        shared = row == CHANNEL
        shapes = tile_shapes(rows, width, machine, MOST_ROWS, shared=shared, long=False)
    variant = work.variants.tiles(shapes, fetches=False)
    panels = lane_panels(columns, machine.lanes, variant.vectors)
    plane = Plane(work, lane, row, tiles(rows, variant.rows), panels)
    outer = [axis for axis in range(CHANNEL, lane) if axis != row]
    with work.writer.loops([anchor.loops[axis] for axis in outer]) as counters:
        base: list[Index] = [*which, *(0 for _ in anchor.loops[2:])]
        for axis, counter in zip(outer, counters, strict=True):
            base[axis] = counter
        plane.write(base)


def reader(node: Node, room: Room) -> Pull:
    """Return how a cell is read from the copies in a room."""
    strides, spread = attributes_of(node)["strides"], attributes_of(node)["rhs_dilation"]

    def pull(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        inner, *taps = deep
        moves = zip(at[3:], taps, strides, spread, strict=True)
        *outer, _ = [cell * s + tap * d for cell, tap, s, d in moves]
        reach = taps[-1] * spread[-1]
        step = strides[-1]
        where = (*outer, modulo(reach, step), at[-1] + divide(reach, step))
        place = Place(room.sizes, where).position
        position = room.start + inner * prod(room.sizes) + place
        return load(room.memory, elements.writer.prover.simplify(position))

    return pull
