"""Transforms of whole tiles: cells of the input to points, sums at points to results."""

from collections.abc import Callable, Sequence

from lxc.ir.ops.winograd import finite_points
from lxc.targets.kernels.element import Elements
from lxc.targets.kernels.finish import finish
from lxc.targets.kernels.place import Place
from lxc.targets.kernels.split import Pieces
from lxc.targets.kernels.winograd.parts import Block, Group, Winograd
from lxc.targets.kernels.winograd.transforms import Transform
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    as_index,
    constant,
    divide,
    is_equal,
    load,
)


def write_cells(
    job: Winograd,
    block: Block,
    lines: tuple[Pieces, Index],
    columns: tuple[Pieces, Index],
    channels: Index,
) -> None:
    """Write some tiles of some rows, of a block of channels, transformed to `job.cells`."""
    writer = job.work.writer
    height, width = job.last_cells(0), job.last_cells(1)
    with writer.loop(lines[0].size) as line:
        first = (lines[1] + line) * block.columns + columns[1]
        sample, row, start = block.place(first)

        def along(down: int) -> None:
            with writer.loop(columns[0].size) as number:
                tile, column = first + number, start + number
                strip = divide(tile, block.strip) if block.strips > 1 else 0
                strip = writer.name(strip, block.strips)
                at_end(
                    writer,
                    column,
                    job.columns,
                    (width, job.tile),
                    lambda across: write_points(
                        job,
                        (sample, channels, row, column),
                        lambda point: job.cell_at(block, strip, point, channels, tile),
                        (down + 2, across + 2),
                    ),
                )

        at_end(writer, row, job.rows, (height, job.tile), along)


def at_end(
    writer: Writer,
    number: Index,
    count: int,
    sizes: tuple[int, int],
    body: Callable[[int], None],
) -> None:
    """Write `body` for the size of the last of `count` tiles and for that of others."""
    last, usual = sizes
    if last == usual or count == 1:
        body(last)
        return
    condition = is_equal(as_index(number), as_index(count - 1))
    writer.choose(condition, lambda: body(last), lambda: body(usual))


def write_points(
    job: Winograd,
    place: tuple[Index, Index, Index, Index],
    cell_at: Callable[[int], Index],
    present: tuple[int, int],
) -> None:
    """Write the points of one tile, of which only the first cells are `present`.

    `place` is the sample, the block of channels, the row and the column of the tile;
    `cell_at` says where a point goes. Lines of points are made one or two at a time, for
    few of them fit into registers.
    """
    writer, lanes = job.work.writer, job.lanes
    lane = writer.lane(lanes)
    elements = Elements(writer, job.work.source, lanes)
    shape = elements.shape_of(job.x)
    transform = transform_of(job)
    sample, channels, row, column = place

    def cell(y: int, x: int) -> Expr | None:
        if y >= present[0] or x >= present[1]:
            return None
        at = (sample, channels, row * job.tile + y, column * job.tile + x, lane)
        return elements.at(job.x, Place(shape, at))

    for part in transform.parts:
        read = transform.reads(part)
        lines = [
            transform.into(
                [cell(y, x) if y in read else None for y in range(job.size)], part
            )
            for x in range(job.size)
        ]
        for y, line in zip(transform.points(part), zip(*lines, strict=True), strict=True):
            write_line(job, transform, line, y, cell_at)


def write_line(
    job: Winograd,
    transform: Transform,
    line: Sequence[Expr | None],
    y: int,
    cell_at: Callable[[int], Index],
) -> None:
    """Write line `y` of the points of a tile, of which the other axis is transformed."""
    writer, lanes = job.work.writer, job.lanes
    for part in transform.parts:
        made = transform.into(line, part)
        for x, value in zip(transform.points(part), made, strict=True):
            position = cell_at(y * job.size + x)
            element = constant(0, job.held) if value is None else value
            position = writer.prover.simplify(position)
            writer.store(job.cells, position + writer.lane(lanes), element, lanes)


def transform_of(job: Winograd) -> Transform:
    """Return the transforms, on vectors of one block of channels."""
    hold = job.work.writer.hold
    finite = finite_points(job.tile)
    return Transform(
        finite, job.tile, job.held, lambda value: hold(value, job.held, job.lanes)
    )


def write_result(
    job: Winograd, group: Group, channels: Index, tile: Index, *, long: bool
) -> None:
    """Write the cells of one tile of a block of output channels, to the result."""
    writer = job.work.writer
    block = group.block
    sample, row, column = block.place(tile)
    height, width = job.last_cells(0), job.last_cells(1)

    def across(down: int) -> None:
        at_end(
            writer,
            column,
            job.columns,
            (width, job.tile),
            lambda wide: write_halves(
                job,
                (sample, channels, row * job.tile, column * job.tile),
                lambda point: job.sum_at(block, group.strip, point, channels, tile),
                (down, wide),
                long=long,
            ),
        )

    at_end(writer, row, job.rows, (height, job.tile), across)


def write_halves(
    job: Winograd,
    first: tuple[Index, Index, Index, Index],
    sum_at: Callable[[int], Index],
    present: tuple[int, int],
    *,
    long: bool,
) -> None:
    """Write the even columns of a tile, then the odd ones: few vectors at a time.

    `first` is where the tile's first cell is, `sum_at` says where the sums of a point are.
    Only the `present` cells are stored.
    """
    transform = transform_of(job)

    def summed(y: int, x: int) -> Expr:
        position = job.work.writer.prover.simplify(sum_at(y * job.size + x))
        return load(job.sums, position + job.work.writer.lane(job.lanes))

    for parity in range(2):
        columns = range(parity, present[1], 2)
        if not columns:
            continue
        lines = []
        for y in range(job.size):
            line = [summed(y, x) for x in range(job.size)]
            lines.append(transform.out_of(line, parity)[: len(columns)])
        cells: dict[tuple[int, int], Expr] = {}
        for number, column in enumerate(columns):
            # Odd rows first: LLVM puts fewer vectors aside than for even ones.
            for turn in (1, 0):
                made = transform.out_of([line[number] for line in lines], turn)
                rows = range(turn, present[0], 2)
                cells |= {(row, column): made[row // 2] for row in rows}
        finish_cells(job, first, dict(sorted(cells.items())), long=long)


def finish_cells(
    job: Winograd,
    first: tuple[Index, Index, Index, Index],
    cells: dict[tuple[int, int], Expr],
    *,
    long: bool,
) -> None:
    """Write what follows the convolution: once per cell, or in a loop over them.

    The cells are every row of every second column.
    """
    writer, lanes = job.work.writer, job.lanes
    sample, channels, row, column = first
    lane = writer.lane(lanes)
    if not long or len(cells) == 1:
        for (y, x), value in cells.items():
            at = (sample, channels, row + y, column + x, lane)
            finish(job.work, value, at, lanes)
        return
    places = list(cells)
    rows, columns = len({y for y, _ in places}), len({x for _, x in places})
    made: Buffer = writer.array(job.held, lanes * len(cells))
    for number, value in enumerate(cells.values()):
        writer.store(made, number * lanes + lane, value, lanes)
    with writer.loops((rows, columns)) as (y, turn):
        value = load(made, (y * columns + turn) * lanes + lane)
        at = (sample, channels, row + y, column + places[0][1] + turn * 2, lane)
        finish(job.work, value, at, lanes)
