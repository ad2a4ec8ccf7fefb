"""Where the elements of a kernel with a halo lie, and what is around them."""

from collections.abc import Sequence

from lxc.passes.nodes import attributes_of
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.group import Group
from lxc.targets.kernels.place import Place
from lxc.targets.kernels.sizes import index_of, product
from lxc.targets.kernels.split import vectors
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import Buffer, Index


def position_in_result(writer: Writer, group: Group, place: Place) -> Index:
    """Return where in memory the element of the stored value at `place` lies."""
    if group.halo is None:
        return place.position
    low = attributes_of(group.halo)["low"]
    moved = [entry + by for entry, by in zip(place.coordinates, low, strict=True)]
    shape = [index_of(entry, writer.dims) for entry in group.halo.result.type.shape]
    return Place(shape, moved).position


def write_halo(
    writer: Writer, source: Source, group: Group, result: Buffer, lanes: int
) -> None:
    """Write the filling around the stored value, box by box."""
    if group.halo is None:
        return
    low = attributes_of(group.halo)["low"]
    shape = [index_of(entry, writer.dims) for entry in group.halo.result.type.shape]
    inner = [index_of(entry, writer.dims) for entry in group.stored.type.shape]
    for axis, (whole, inside, before) in enumerate(zip(shape, inner, low, strict=True)):
        starts = [*low[:axis], 0]
        extents = [*inner[:axis], before]
        write_box(writer, source, group, result, starts, extents, lanes)
        starts = [*low[:axis], before + inside]
        extents = [*inner[:axis], whole - inside - before]
        write_box(writer, source, group, result, starts, extents, lanes)


def write_box(
    writer: Writer,
    source: Source,
    group: Group,
    result: Buffer,
    starts: Sequence[Index],
    extents: Sequence[Index],
    lanes: int,
) -> None:
    """Write the filling to a box of leading coordinates; all other axes are whole."""
    if group.halo is None or (isinstance(extents[-1], int) and extents[-1] == 0):
        return
    shape = [index_of(entry, writer.dims) for entry in group.halo.result.type.shape]
    rank = len(extents)
    length = extents[-1] * product(shape[rank:])
    with writer.loops(extents[:-1]) as counters:
        leading = [s + c for s, c in zip(starts[:-1], counters, strict=True)]
        corner = [*leading, starts[-1], *(0 for _ in shape[rank:])]
        first = Place(shape, corner).position
        for piece in vectors(0, length, lanes):
            with writer.loop(piece.count) as number:
                elements = Elements(writer, source, piece.size)
                filling = elements.at(group.halo.operands[1], Place((), position=0))
                position = first + piece.start + number * piece.size
                place = position + writer.lane(piece.size)
                dtype = group.stored.type.dtype
                elements.save(result, place, filling, dtype)
