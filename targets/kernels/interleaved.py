"""Results with a short last axis whose elements lie far apart in what they are made of.

Such are the few channels of an image, brought side by side. Vectors run along the axis in
front of the last one, one for each entry of that; then their lanes are put in turn.
"""

from itertools import pairwise

from lxc.ir.machine import Machine
from lxc.ir.node import Node, Value
from lxc.passes.nodes import attributes_of
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.group import Group
from lxc.targets.kernels.nest import walk
from lxc.targets.kernels.place import Place
from lxc.targets.kernels.sizes import index_of
from lxc.targets.kernels.split import Pieces, vectors
from lxc.targets.kernels.storage import stored
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import Buffer, Index, divide, load_vector, shuffled, store_vector

SHORT = (2, 4, 8)
"""The sizes of a last axis that are worth it."""


def turn_of(source: Source, value: Value) -> Node | None:
    """Return the transpose that puts the innermost axis one in front of the last."""
    node = source.producers.get(value)
    while node is not None and node.op.kind == "elementwise":
        node = source.producers.get(node.operands[0])
    if node is None or node.op.name != "transpose":
        return None
    order = attributes_of(node)["permutation"]
    return node if order[-2] == len(order) - 1 else None


def interleaves(source: Source, group: Group, machine: Machine) -> bool:
    """Return whether a kernel without an anchor is best written so."""
    shape = group.stored.type.shape
    if len(shape) < 2 or shape[-1] not in SHORT or machine.lanes < SHORT[1]:
        return False
    long = isinstance(shape[-2], int) and shape[-2] >= machine.lanes
    return long and turn_of(source, group.stored) is not None


def write_interleaved(
    writer: Writer,
    source: Source,
    group: Group,
    result: Buffer,
    machine: Machine,
    *,
    parallel: bool,
) -> None:
    """Write the loops of such a kernel."""
    shape = [index_of(entry, writer.dims) for entry in group.stored.type.shape]
    pieces = cell_pieces(source, group, machine)

    def body(counters: tuple[Index, ...], chosen: tuple[tuple[Pieces, Index], ...]) -> None:
        ((piece, start),) = chosen
        number = writer.prover.simplify(divide(start - piece.start, piece.size))
        start = piece.start + writer.name(number, piece.count) * piece.size
        write_cells(
            writer, source, group, result, Place(shape, (*counters, start, 0)), piece
        )

    walk(writer, shape[:-2], [pieces], body, parallel=parallel)


def write_cells(
    writer: Writer,
    source: Source,
    group: Group,
    result: Buffer,
    place: Place,
    piece: Pieces,
) -> None:
    """Write all that the cells of one piece have along the last axis."""
    *outer, start, _ = place.coordinates
    dtype, width = group.stored.type.dtype, piece.size
    runs: list[Buffer] = []
    for entry in range(int(group.stored.type.shape[-1])):
        elements = Elements(writer, source, width)
        cell = Place(place.shape, (*outer, start + writer.lane(width), entry))
        element = elements.at(group.stored, cell)
        if width == 1:
            elements.save(result, cell.position, element, dtype)
            continue
        run = writer.array(stored(dtype), width)
        elements.save(run, writer.lane(width), element, dtype)
        runs.append(run)
    if not runs:
        return
    while len(runs) > 1:
        half = len(runs) // 2
        pairs = zip(runs[:half], runs[half:], strict=True)
        runs = [in_turn(writer, pair, stored(dtype), width) for pair in pairs]
        width *= 2
    position = writer.prover.simplify(place.position)
    writer.write(store_vector(result, position, load_vector(runs[0], 0, width), width))


def in_turn(writer: Writer, pair: tuple[Buffer, Buffer], dtype: str, width: int) -> Buffer:
    """Return an array with the lanes of two vectors, one of each in turn."""
    made = writer.array(dtype, 2 * width)
    order = [lane + start for lane in range(width) for start in (0, width)]
    both = shuffled([load_vector(one, 0, width) for one in pair], order)
    writer.write(store_vector(made, 0, both, 2 * width))
    return made


def cell_pieces(source: Source, group: Group, machine: Machine) -> list[Pieces]:
    """Return the vectors along the cells; none crosses the edge of a pad."""
    extent = int(group.stored.type.shape[-2])
    edges, first = {0, extent}, 0
    node = turn_of(source, group.stored)
    while node is not None:
        operand = node.operands[0]
        if node.op.name == "pad":
            low, size = attributes_of(node)["low"][-1], operand.type.shape[-1]
            if not (isinstance(low, int) and isinstance(size, int)):
                break
            first += low
            edges |= {edge for edge in (first, first + size) if 0 < edge < extent}
        node = source.producers.get(operand)
        if node is not None and node.op.kind != "elementwise" and node.op.name != "pad":
            break
    return [
        piece
        for start, stop in pairwise(sorted(edges))
        for piece in vectors(start, stop, machine.lanes)
    ]
