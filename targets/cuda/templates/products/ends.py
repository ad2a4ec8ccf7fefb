"""What follows the sums of a tile: the rest of the kernel's nodes, and the result."""

from dataclasses import dataclass

from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.templates.products.contraction import Contraction, Coordinates
from lxc.targets.cuda.templates.products.copies import unrolled
from lxc.targets.kernels.anchors import Anchor
from lxc.targets.kernels.finish import finished
from lxc.targets.kernels.halo import position_in_result
from lxc.targets.kernels.sizes import index_of
from lxc.targets.kernels.storage import computed
from lxc.targets.kernels.tile import Work
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    as_index,
    at_most,
    both,
    divide,
    is_less,
    load,
    modulo,
)

TOGETHER = 8
"""So many results of a thread are computed at a time, so that it waits for all at once."""


@dataclass(frozen=True)
class Corner:
    """Where a tile lies: its batch, and its first row and column."""

    batch: Index
    row: Index
    column: Index


def anchor_of(contraction: Contraction, writer: GridWriter) -> Anchor:
    """Return a product for what follows it: a place is one of the result's."""
    node = contraction.node
    shape = tuple(index_of(entry, writer.dims) for entry in node.result.type.shape)
    depth = (contraction.depth,)
    return Anchor(node, shape, depth, None, None, "add", lambda at: at, ())


def write_end(
    writer: GridWriter,
    work: Work,
    contraction: Contraction,
    corner: Corner,
    sums: Buffer,
    tile: tuple[int, int],
) -> None:
    """Write the results of a tile of so many rows and columns.

    Its sums lie in shared memory, one row behind the other. Neighbouring threads write
    what lies side by side in the result.
    """
    rows, columns = tile
    threads = writer.threads
    each = rows * columns // threads
    together = min(TOGETHER, each)
    with writer.loop(each // together) as turn, unrolled(writer, together) as number:
        entry = (turn * together + number) * threads + writer.thread
        if contraction.ends_in_rows:
            row, column = modulo(entry, rows), divide(entry, rows)
        else:
            row, column = divide(entry, columns), modulo(entry, columns)
        place = row * (columns + 1) + column
        write_result(work, contraction, corner, (row, column), load(sums, place))


def write_result(
    work: Work,
    contraction: Contraction,
    corner: Corner,
    inside: tuple[Index, Index],
    total: Index,
) -> None:
    """Write one result, if there is one.

    Threads without one compute another one's, so that nothing waits behind a condition.
    """
    writer = work.writer
    numbers, conditions = [], []
    starts, sizes = (corner.row, corner.column), (contraction.rows, contraction.columns)
    for start, entry, size in zip(starts, inside, sizes, strict=True):
        number = as_index(start + entry)
        conditions.append(is_less(number, as_index(size)))
        numbers.append(writer.name(at_most(number, size - 1), size))
    at = contraction.coordinates(corner.batch, *numbers)
    write_at(work, total, at, both(*conditions))


def write_at(
    work: Work, total: Index, at: Coordinates, is_there: Expr | None = None
) -> None:
    """Write the result that follows a sum, on a condition if there is one."""
    writer = work.writer
    elements, place, element = finished(work, total, at, 1)
    position = position_in_result(writer, work.group, place)
    dtype = work.group.stored.type.dtype
    if is_there is None:
        elements.save(work.result, position, element, dtype)
        return
    held = elements.hold(element, computed(dtype))
    writer.choose(
        is_there,
        lambda: elements.save(work.result, position, held, dtype),
        lambda: None,
    )
