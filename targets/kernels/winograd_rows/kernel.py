"""The kernel of a convolution by tiles of rows: a band of rows of the result at a time.

A task brings the cells that its band reads to points, in scratch memory of its own. Then it
goes over panels of output channels, and over the rows of the band: for every point a
product of tiles by terms by channels, whose sums stay in the first-level cache, and the way
back, with what follows the convolution. Every sum is one chain: over the filters that share
its point, and in each over the rows and the channels of its taps, in their order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lxc.ir.machine import Machine
from lxc.ir.ops.winograd_rows import TILE
from lxc.targets.kernels.finish import LONG_WORK, finish
from lxc.targets.kernels.halo import write_halo
from lxc.targets.kernels.nest import choose_kind
from lxc.targets.kernels.place import unravel
from lxc.targets.kernels.rooms import shares, write_zeros
from lxc.targets.kernels.sizes import product
from lxc.targets.kernels.split import Panels, Pieces, block_panels, tiles, total
from lxc.targets.kernels.tile import Work
from lxc.targets.kernels.tile_shapes import tile_shapes
from lxc.targets.kernels.vector_math.steps import steps_of
from lxc.targets.kernels.winograd.products import TERMS_UNROLLED
from lxc.targets.kernels.winograd.tiles import at_end
from lxc.targets.kernels.winograd_rows.cells import (
    transform_of,
    write_cells,
)
from lxc.targets.kernels.winograd_rows.parts import Band, RowConvolution, Sums
from lxc.targets.tvm_api import Expr, Index, constant, load

MOST_ROWS = 16


@dataclass(frozen=True)
class Cut:
    """How the results of a row are cut: blocks to panels, tiles to runs of some.

    Of a run there are register tiles of `tall` tiles at most.
    """

    runs: list[Pieces]
    tall: int
    panels: list[Panels]


@dataclass(frozen=True)
class Run:
    """A run of tiles, from the `first` one on, of a row of a band, for a panel."""

    band: Band
    number: Index
    panel: Panels
    block: Index
    first: Index


def write_winograd_rows(work: Work, machine: Machine, *, parallel: bool) -> str:
    """Write the kernel, a row of the scratch memory per task; return the algorithm."""
    job = RowConvolution(work, machine)
    writer = work.writer
    write_halo(writer, work.source, work.group, work.result, machine.lanes)
    cut, bands = cut_of(job), tiles(job.height, job.band)
    rooms, length = map(int, job.memory_value.type.shape)
    shape = (job.samples, total(bands))
    with shares(writer, rooms, product(shape), parallel=parallel) as share:
        start = share.row * length
        write_zeros(writer, job.memory, job.line_at(start), job.room.line, job.lanes)
        with writer.loop(share.count) as turn:
            sample, number = unravel(share.first + turn, shape)

            def one(entry: tuple[Pieces, Index]) -> None:
                piece, first = entry
                write_band(job, Band(sample, first, piece.size, start), cut)

            choose_kind(writer, bands, number, one)
    return f"winograd 1x{TILE}"


def cut_of(job: RowConvolution) -> Cut:
    """Return how tiles and output channels are cut."""
    width = -(-job.lanes // job.machine.lanes)
    narrow = replace(job.machine, registers=job.machine.registers // width)
    runs = tiles(job.tiles, job.room.together)
    shapes = tile_shapes(
        runs[0].size, job.room.most, narrow, MOST_ROWS, shared=True, long=False
    )
    chosen = job.work.variants.tiles(shapes, fetches=False)
    panels = block_panels(job.outputs, job.lanes, None, chosen.vectors)
    return Cut(runs, chosen.rows, panels)


def write_band(job: RowConvolution, band: Band, cut: Cut) -> None:
    """Write a band: all cells to points first, then products and the way back."""
    write_cells(job, band)
    writer = job.work.writer
    for panel in cut.panels:
        with writer.loop(panel.count) as turn, writer.loop(band.rows) as number:
            block = panel.start + turn * panel.size
            for piece in cut.runs:
                with writer.loop(piece.count) as place:
                    first = piece.start + place * piece.size
                    run = Run(band, number, panel, block, first)
                    write_run(job, run, piece.size, tiles(piece.size, cut.tall))


def write_run(job: RowConvolution, run: Run, size: int, kinds: Sequence[Pieces]) -> None:
    """Write a run of so many tiles: the sums at all points, then the results."""
    writer = job.work.writer
    for some in job.sums():
        with writer.loop(some.count) as point:
            for kind in kinds:
                with writer.loop(kind.count) as place:
                    tile = kind.start + place * kind.size
                    write_products(job, run, some, point, (tile, kind.size))
    with writer.loops((size, run.panel.size)) as (tile, inner):
        write_result(job, run, tile, inner)


def write_products(
    job: RowConvolution, run: Run, some: Sums, point: Index, some_tiles: tuple[Index, int]
) -> None:
    """Write the sums of a register tile at one point, number `point` of some."""
    writer, lanes = job.work.writer, job.lanes
    (tile, count), columns, start = some_tiles, run.panel.size, run.band.start
    lane, simplify = writer.lane(lanes), writer.prover.simplify
    sums = [[writer.array(job.held, lanes) for _ in range(columns)] for _ in range(count)]
    for held in (one for line in sums for one in line):
        writer.store(held, lane, constant(0, job.held), lanes)
    steps = steps_in_row(job.depth, count * columns)
    for first in some.starts:
        number = first + some.first + point
        with writer.loop(job.depth // steps) as group:
            for step in range(steps):
                term = group * steps + step
                factors = []
                for j in range(columns):
                    position = simplify(job.weight_at(number, run.block + j, term))
                    weight = load(job.weight, position + lane)
                    factors.append(writer.hold(weight, job.held, lanes))
                line = run.number * (job.steps[0] * job.inputs) + term
                for r, totals in enumerate(sums):
                    place = simplify(
                        job.cell_at(start, line, number) + run.first + tile + r
                    )
                    cell = load(job.memory, place)
                    held = writer.hold(cell, job.held, 1) if columns > 1 else cell
                    for one, factor in zip(totals, factors, strict=True):
                        writer.store(one, lane, load(one, lane) + held * factor, lanes)
    for r, totals in enumerate(sums):
        for j, one in enumerate(totals):
            place = (some.first + point, tile + r, j)
            position = simplify(job.sum_at(start, columns, place))
            writer.store(job.memory, position + lane, load(one, lane), lanes)


def steps_in_row(depth: int, terms: int) -> int:
    """Return how many terms are added in one turn of the innermost loop."""
    most = max(1, TERMS_UNROLLED // terms)
    return max(size for size in range(1, most + 1) if depth % size == 0)


def write_result(job: RowConvolution, run: Run, tile: Index, inner: Index) -> None:
    """Write the cells of a tile of a block of output channels, to the result."""
    last = job.width - (job.tiles - 1) * TILE
    at_end(
        job.work.writer,
        run.first + tile,
        job.tiles,
        (last, TILE),
        lambda present: write_tile(job, run, tile, inner, present),
    )


def write_tile(
    job: RowConvolution, run: Run, tile: Index, inner: Index, present: int
) -> None:
    """Write the first cells of a tile, those that are `present`."""
    writer, lanes = job.work.writer, job.lanes
    lane, transform = writer.lane(lanes), transform_of(job, job.largest)
    sums: list[Expr] = []
    for point in range(job.largest.points):
        place = job.sum_at(run.band.start, run.panel.size, (point, tile, inner))
        sums.append(load(job.memory, writer.prover.simplify(place) + lane))
    cells: dict[int, Expr] = {}
    for parity in range(2):
        made = transform.out_of(sums, parity)
        cells |= dict(zip(range(parity, TILE, 2), made, strict=True))
    kept = [cells[column] for column in range(present)]
    at = (run.band.sample, run.block + inner, run.band.first + run.number)
    write_ends(job, kept, at, (run.first + tile) * TILE)


def write_ends(
    job: RowConvolution, cells: Sequence[Expr], at: tuple[Index, ...], first: Index
) -> None:
    """Write what follows the convolution: once per cell, or in a loop if it is long."""
    writer, lanes = job.work.writer, job.lanes
    lane = writer.lane(lanes)
    if steps_of(job.work.group.body.nodes) <= LONG_WORK or len(cells) == 1:
        for column, value in enumerate(cells):
            finish(job.work, value, (*at, first + column, lane), lanes)
        return
    made = writer.array(job.held, lanes * len(cells))
    for column, value in enumerate(cells):
        writer.store(made, column * lanes + lane, value, lanes)
    with writer.loop(len(cells)) as column:
        value = load(made, column * lanes + lane)
        finish(job.work, value, (*at, first + column, lane), lanes)
