"""Kernels without an anchor: every element of the result on its own, vector by vector."""

from itertools import pairwise

from lxc.ir.machine import Machine
from lxc.ir.node import Node
from lxc.passes.nodes import attributes_of
from lxc.targets.llvm.element import Elements, Source
from lxc.targets.llvm.group import Group
from lxc.targets.llvm.nest import walk
from lxc.targets.llvm.place import Place, is_one
from lxc.targets.llvm.sizes import index_of
from lxc.targets.llvm.split import Pieces, vectors
from lxc.targets.llvm.writer import Writer
from lxc.targets.tvm_api import Buffer, Index


def write_pointwise(
    writer: Writer,
    source: Source,
    group: Group,
    result: Buffer,
    machine: Machine,
    *,
    parallel: bool,
) -> None:
    """Write the loops of a kernel without an anchor."""
    shape = [index_of(entry, writer.dims) for entry in group.stored.type.shape]
    wide = [axis for axis, entry in enumerate(shape) if not is_one(entry)]
    lane = wide[-1] if wide else None
    outer = [axis for axis in wide if axis != lane]

    def body(counters: tuple[Index, ...], chosen: tuple[tuple[Pieces, Index], ...]) -> None:
        coordinates: list[Index] = [0] * len(shape)
        for axis, counter in zip(outer, counters, strict=True):
            coordinates[axis] = counter
        width = 1
        if lane is not None:
            ((piece, start),) = chosen
            width = piece.size
            coordinates[lane] = start + writer.lane(width)
        elements = Elements(writer, source, width)
        place = Place(shape, coordinates)
        element = elements.at(group.stored, place)
        elements.save(result, place.position, element, group.stored.type.dtype)

    cut = [] if lane is None else [lane_pieces(source, group, shape[lane], lane, machine)]
    walk(writer, [shape[axis] for axis in outer], cut, body, parallel=parallel)


def lane_pieces(
    source: Source, group: Group, extent: Index, lane: int, machine: Machine
) -> list[Pieces]:
    """Return the vectors along the lane axis; none crosses the edge of a pad."""
    edges: list[Index] = [0, *pad_edges(source, group, extent, lane), extent]
    pieces: list[Pieces] = []
    for start, stop in pairwise(edges):
        if isinstance(start, int):
            pieces += vectors(start, stop, machine.lanes)
    return pieces


def pad_edges(source: Source, group: Group, extent: Index, lane: int) -> list[int]:
    """Return where along the lane axis a pad begins or ends, if the whole result is one."""
    node: Node | None = source.producers.get(group.stored)
    while node is not None and node.op.kind == "elementwise":
        node = source.producers.get(node.operands[0])
    if node is None or node.op.name != "pad" or not isinstance(extent, int):
        return []
    low, size = attributes_of(node)["low"][lane], node.operands[0].type.shape[lane]
    if (
        not (isinstance(low, int) and isinstance(size, int))
        or attributes_of(node)["interior"][lane]
    ):
        return []
    return sorted({edge for edge in (low, low + size) if 0 < edge < extent})
