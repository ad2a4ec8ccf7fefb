"""The kernel of a Winograd convolution: tiles in, products point by point, tiles out.

A block of tiles at a time is transformed into scratch memory. Then threads share panels of
output channels and groups of tiles: for every point a product of matrices, whose sums go to
scratch memory too, then the way back, with what follows the convolution, into the result.
Every sum is one chain over the input channels in their order, whatever the block.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lxc.ir.machine import Machine
from lxc.ir.node import Node
from lxc.passes.tile_blocks import TileBlock, block_of
from lxc.targets.kernels.anchors import Anchor
from lxc.targets.kernels.element import Source
from lxc.targets.kernels.finish import LONG_WORK
from lxc.targets.kernels.halo import write_halo
from lxc.targets.kernels.nest import choose_kind, walk_axes
from lxc.targets.kernels.sizes import index_of
from lxc.targets.kernels.split import (
    Panels,
    Pieces,
    block_panels,
    tiles,
    total,
)
from lxc.targets.kernels.tile import Work
from lxc.targets.kernels.tile_shapes import tile_shapes
from lxc.targets.kernels.vector_math.steps import steps_of
from lxc.targets.kernels.winograd.parts import Block, Winograd
from lxc.targets.kernels.winograd.products import Product, depth_of, write_products
from lxc.targets.kernels.winograd.tiles import write_cells, write_result
from lxc.targets.tvm_api import Expr, Index, at_least, at_most, divide, modulo

MOST_ROWS = 16
TASKS = 8
"""So many pieces of work at least for threads to share, where there is enough."""


def winograd_conv(node: Node, dims: Mapping[str, Expr], source: Source) -> Anchor:
    """Return the loops over the result; the reduction is no loop over products of terms."""
    shape = tuple(index_of(entry, dims) for entry in node.result.type.shape)
    last = len(shape) - 1
    return Anchor(node, shape, (), last, None, "add", lambda at: at, ())


def write_winograd(work: Work, machine: Machine, *, parallel: bool) -> str:
    """Write the kernel, block by block; return the name of the algorithm."""
    job = Winograd(work, machine)
    write_halo(work.writer, work.source, work.group, work.result, machine.lanes)
    largest = block_of(job.node.result.type.shape[0], job.rows, job.columns, job.block)
    for first, count, samples in sample_pieces(job.samples, largest):
        with work.writer.loop(count) as number:
            sample = first + number * samples
            write_samples(job, largest, sample, samples, parallel=parallel)
    return f"winograd {job.tile}x{job.tile}"


def sample_pieces(count: Index, largest: TileBlock) -> list[tuple[Index, Index, int]]:
    """Return the first sample, the number and the samples of each kind of block."""
    held = largest.samples
    if isinstance(count, int):
        rest = count % held
        pieces = ((0, count // held, held), (count - rest, 1, rest))
        return [piece for piece in pieces if piece[1] and piece[2]]
    if held == 1:
        return [(0, count, 1)]
    whole = divide(count, held)
    return [(0, whole, held), (whole * held, modulo(count, held), 1)]


def write_samples(
    job: Winograd,
    largest: TileBlock,
    sample: Index,
    samples: int,
    *,
    parallel: bool,
) -> None:
    """Write the blocks of some samples."""

    def body(entries: tuple[Any, ...]) -> None:
        (rows, row), (columns, column) = entries
        place = (sample, row, column)
        block = Block(*place, samples, rows.size, columns.size)
        write_block(job, block, parallel=parallel)

    cut = [tiles(job.rows, largest.rows), tiles(job.columns, largest.columns)]
    walk_axes(job.work.writer, cut, body, parallel=False)


def write_block(job: Winograd, block: Block, *, parallel: bool) -> None:
    """Write one block: all cells to points first, then products and the way back."""
    writer = job.work.writer
    walk_axes(
        writer,
        [job.inputs, block.samples, block.rows],
        lambda entries: write_cells(job, block, *entries),
        parallel=parallel,
    )
    width = -(-job.lanes // job.machine.lanes)
    narrow = replace(job.machine, registers=job.machine.registers // width)
    kind = {"shared": True, "long": False, "streamed": True}
    tall, broad = tile_shapes(block.tiles, job.outputs, narrow, MOST_ROWS, **kind)[0]
    kinds = tiles(block.tiles, tall)
    panels = block_panels(job.outputs, job.lanes, None, broad)
    chunk = tiles_together(kinds, panels, parallel=parallel)
    chunks = -(-total(kinds) // chunk)
    walk_axes(
        writer,
        [panels, chunks],
        lambda entries: write_group(job, block, kinds, chunk, entries),
        parallel=parallel,
    )


def tiles_together(kinds: list[Pieces], panels: list[Panels], *, parallel: bool) -> int:
    """Return how many register tiles one task goes over, point after point."""
    count: int = total(kinds)
    if not parallel:
        return count
    groups = -(-TASKS // max(1, total(panels)))
    together: int = max(1, count // groups)
    return together


def write_group(
    job: Winograd,
    block: Block,
    kinds: list[Pieces],
    chunk: int,
    entries: tuple[Any, ...],
) -> None:
    """Write a panel of output channels for some register tiles: products, then results."""
    writer = job.work.writer
    (panel, channels), number = entries
    first, count = number * chunk, total(kinds)
    stop = writer.prover.simplify(at_most(first + chunk, count))
    depth = depth_of(job.inputs, panel.size, job.lanes, job.machine)
    with (
        writer.loop(job.points) as point,
        writer.loop(job.inputs // depth) as part,
        writer.loop(stop - first) as turn,
    ):

        def products(entry: tuple[Pieces, Index]) -> None:
            piece, tile = entry
            place = (block, point, tile, piece.size, panel, channels)
            write_products(job, Product(*place, part, depth, turn, chunk))

        choose_kind(writer, kinds, first + turn, products)
    start, end = (row_of(kinds, entry) for entry in (first, stop))
    long = steps_of(job.work.group.body.nodes) > LONG_WORK
    extent = writer.prover.simplify(end - start)
    with writer.loop(extent) as tile, writer.loop(panel.size) as block_number:
        write_result(job, block, channels + block_number, start + tile, long=long)


def row_of(kinds: list[Pieces], number: Index) -> Index:
    """Return the tile with which the register tile of a number starts."""
    row: Index = 0
    before = 0
    for kind in kinds:
        inside = at_most(at_least(number - before, 0), kind.count)
        row = row + inside * kind.size
        before += kind.count
    return row
