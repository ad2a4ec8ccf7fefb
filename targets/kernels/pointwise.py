"""Kernels without an anchor: every element of the result on its own, vector by vector."""

from itertools import pairwise

from lxc.ir.machine import Machine
from lxc.ir.node import Node
from lxc.ir.types import DType
from lxc.passes.nodes import attributes_of
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.group import Group
from lxc.targets.kernels.kept_elements import kept_by
from lxc.targets.kernels.nest import walk
from lxc.targets.kernels.place import joined
from lxc.targets.kernels.sizes import index_of, product
from lxc.targets.kernels.split import Pieces, vectors
from lxc.targets.kernels.streams import streams_of
from lxc.targets.kernels.vector_math.steps import steps_of
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import Buffer, Index, divide, is_one

SIMPLE = ("broadcast", "reshape", "constant")
"""Ops that elements can be pulled through along many axes at once."""
AHEAD_BYTES = 1024
"""So far ahead memory is fetched."""
LONG_CHAIN, TOO_LONG = 16, 120
"""A chain of so many steps leaves the machine idle; one of so many fills the registers."""


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
    first = first_joined(group, shape)
    extent = product(shape[first:])
    kept = kept_by(source, group, first)
    nodes, stored = group.body.nodes, group.stored
    streams = streams_of(nodes, stored, source.buffers, (stored, result), machine)
    pieces = lane_pieces(source, group, extent, first, machine)

    def write(counters: tuple[Index, ...], piece: Pieces, start: Index) -> None:
        elements = Elements(writer, source, piece.size)
        place = joined(shape, counters, start + writer.lane(piece.size))
        if piece.size >= machine.lanes:
            ahead = joined(shape, counters, start + AHEAD_BYTES // stored.type.dtype.bytes)
            streams.fetch(writer, ahead.position, piece.size)
        element = elements.at(group.stored, place)
        elements.save(result, place.position, element, group.stored.type.dtype)

    def body(counters: tuple[Index, ...], chosen: tuple[tuple[Pieces, Index], ...]) -> None:
        ((piece, start),) = chosen
        if parallel and len(pieces) > 1 and isinstance(piece.start, int):
            # Where the kind of a piece is chosen, nothing is known of its number: the edges
            # of a pad would be checked lane by lane.
            number = writer.prover.simplify(divide(start - piece.start, piece.size))
            start = piece.start + writer.name(number, piece.count) * piece.size
        if kept is None:
            write(counters, piece, start)
            return
        written = kept.is_written(writer, result, joined(shape, counters, start))
        writer.choose(written, lambda: write(counters, piece, start), lambda: None)

    walk(writer, shape[:first], [pieces], body, parallel=parallel)


def first_joined(group: Group, shape: list[Index]) -> int:
    """Return the axis from which on all axes are walked as one.

    Axes are joined as long as every node reads whole stretches of them: broadcasts have all
    of these axes or none. What is not so simple is walked along the last long axis.
    """
    wide = [axis for axis, entry in enumerate(shape) if not is_one(entry)]
    first = wide[-1] if wide else 0
    nodes = [node for node in group.body.nodes if node.op.kind != "elementwise"]
    if any(node.op.name not in SIMPLE for node in nodes):
        return first
    repeats = [node for node in nodes if node.op.name == "broadcast"]
    repeats = [node for node in repeats if node.result.type.rank == len(shape)]
    while first and all(reads_stretches(node, first - 1) for node in repeats):
        first -= 1
    return first


def reads_stretches(node: Node, first: int) -> bool:
    """Return whether a broadcast has all of the axes from `first` on, or none of them."""
    sizes = dict(zip(attributes_of(node)["axes"], node.operands[0].type.shape, strict=True))
    entries = list(enumerate(node.result.type.shape))[first:]
    whole = [axis for axis, entry in entries if entry != 1]
    read = [axis for axis in whole if sizes.get(axis, 1) != 1]
    return read in ([], whole)


def lane_pieces(
    source: Source, group: Group, extent: Index, lane: int, machine: Machine
) -> list[Pieces]:
    """Return the vectors along the lane axis; none crosses the edge of a pad."""
    edges: list[Index] = [0, *pad_edges(source, group, extent, lane), extent]
    several = machine.lanes * vectors_at_once(group, machine)
    pieces: list[Pieces] = []
    for start, stop in pairwise(edges):
        if isinstance(start, int):
            if several > machine.lanes:
                wide = wide_vectors(start, stop, several)
                pieces.append(wide)
                start = start + wide.count * several
            pieces += vectors(start, stop, machine.lanes)
    return pieces


def wide_vectors(start: int, stop: Index, several: int) -> Pieces:
    """Return as many pieces of several vectors each as there are from `start` on."""
    static = isinstance(stop, int)
    count = (stop - start) // several if static else divide(stop - start, several)
    return Pieces(start, count, (several,))


def vectors_at_once(group: Group, machine: Machine) -> int:
    """Return how many vectors are worked at together.

    In a long chain each operation waits for the one before it, so that the machine is idle
    unless there are others to go on with. Functions of float64 are calls, one by one.
    """
    values = [v for node in group.body.nodes for v in (*node.operands, *node.results)]
    if any(value.type.dtype is DType.F64 for value in values):
        return 1
    long = LONG_CHAIN <= steps_of(group.body.nodes) <= TOO_LONG
    return machine.registers // 8 if long else 1


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
