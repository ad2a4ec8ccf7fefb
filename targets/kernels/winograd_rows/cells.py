"""Rows of cells brought to points: copied, turned around in registers, transformed."""

from lxc.ir.ops.winograd_rows import TILE, Filter
from lxc.targets.kernels.element import Elements
from lxc.targets.kernels.place import Place
from lxc.targets.kernels.rooms import write_zeros
from lxc.targets.kernels.split import vectors
from lxc.targets.kernels.transposition import turned
from lxc.targets.kernels.winograd.transforms import Transform
from lxc.targets.kernels.winograd_rows.parts import Band, RowConvolution
from lxc.targets.tvm_api import (
    Expr,
    Index,
    as_index,
    both,
    constant,
    is_at_most,
    is_less,
    load,
    load_vector,
    store_vector,
)


def write_cells(job: RowConvolution, band: Band) -> None:
    """Write all rows of cells that a band reads, at all points of all tiles."""
    writer = job.work.writer
    count = (band.rows - 1) * job.steps[0] + job.depth // job.inputs
    with writer.loops((count, job.inputs)) as (row, channel):
        write_line(job, band, row, channel)
        with writer.loop(job.room.columns // job.lanes) as number:
            write_turned(job, band, number)
        line = row * job.inputs + channel
        with writer.loop(job.room.columns // job.lanes) as number:
            for one in job.filters:
                write_points(job, band, line, number * job.lanes, one)


def write_line(job: RowConvolution, band: Band, row: Index, channel: Index) -> None:
    """Write the copy of a row of cells, or zeros where it lies in the padding."""
    writer, (low, high) = job.work.writer, job.padding[0]
    y = band.first * job.steps[0] + row - low
    target = job.line_at(band.start) + job.padding[1][0]

    def copies() -> None:
        write_row(job, band.sample, (channel, y), target)

    def zeros() -> None:
        write_zeros(writer, job.memory, target, job.space[1], job.lanes)

    if not low and not high:
        copies()
        return
    height = job.space[0]
    inside = both(
        is_at_most(as_index(0), as_index(y)), is_less(as_index(y), as_index(height))
    )
    writer.choose(inside, copies, zeros)


def write_row(
    job: RowConvolution, sample: Index, place: tuple[Index, Index], target: Index
) -> None:
    """Write the copy of a row, given its channel and its number."""
    writer = job.work.writer
    for piece in vectors(0, job.space[1], job.lanes):
        with writer.loop(piece.count) as number:
            elements = Elements(writer, job.work.source, piece.size)
            shape, lane = elements.shape_of(job.x), writer.lane(piece.size)
            column = piece.start + number * piece.size
            where = Place(shape, (sample, *place, column + lane))
            element = elements.at(job.x, where)
            position = writer.prover.simplify(target + column)
            writer.store(job.memory, position + lane, element, piece.size)


def write_turned(job: RowConvolution, band: Band, number: Index) -> None:
    """Write the cells of as many tiles as lanes, all their first ones as one vector.

    So are their second ones, and so on: as many as there are points, and some more to fill
    up the last square.
    """
    writer, lanes, simplify = job.work.writer, job.lanes, job.work.writer.prover.simplify
    first = number * lanes
    with writer.loop(-(-job.points // lanes)) as block:
        rows = []
        for tile in range(lanes):
            cell = (first + tile) * (TILE * job.steps[1]) + block * lanes
            taken = load_vector(job.memory, simplify(job.line_at(band.start) + cell), lanes)
            row = writer.array(job.held, lanes)
            writer.write(store_vector(row, 0, taken, lanes))
            rows.append(row)
        for lane, column in enumerate(turned(writer, rows, job.held)):
            position = job.turned_at(band.start, block * lanes + lane) + first
            vector = load_vector(column, 0, lanes)
            writer.write(store_vector(job.memory, simplify(position), vector, lanes))


def write_points(
    job: RowConvolution, band: Band, line: Index, first: Index, one: Filter
) -> None:
    """Write the points of a filter for some tiles, as many as lanes, from `first` on."""
    writer, lanes = job.work.writer, job.lanes
    lane, transform = writer.lane(lanes), transform_of(job, one)

    def cell(number: int) -> Expr:
        place = job.turned_at(band.start, one.first + number * job.steps[1]) + first
        return load(job.memory, writer.prover.simplify(place) + lane)

    for part in transform.parts:
        read = transform.reads(part)
        cells = [cell(n) if n in read else None for n in range(one.points)]
        made = transform.into(cells, part)
        for point, value in zip(transform.points(part), made, strict=True):
            position = job.cell_at(band.start, line, one.start + point) + first
            position = writer.prover.simplify(position)
            element = constant(0, job.held) if value is None else value
            writer.store(job.memory, position + lane, element, lanes)


def transform_of(job: RowConvolution, one: Filter) -> Transform:
    """Return the transforms of a filter, on vectors in registers."""
    hold = job.work.writer.hold
    return Transform(
        one.finite, TILE, job.held, lambda value: hold(value, job.held, job.lanes)
    )
