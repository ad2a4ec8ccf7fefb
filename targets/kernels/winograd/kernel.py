"""The kernel of a Winograd convolution: tiles in, products point by point, tiles out.

A block of tiles at a time is transformed into scratch memory. Then threads share panels of
output channels and groups of tiles: for every point a product of matrices, whose sums go to
scratch memory too, then the way back, with what follows the convolution, into the result.
Every sum is one chain over the input channels in their order, whatever the block.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

from lxc.ir.machine import Machine
from lxc.ir.node import Node
from lxc.passes.tile_blocks import TileBlock, block_of
from lxc.targets.kernels.anchors import Anchor
from lxc.targets.kernels.element import Source
from lxc.targets.kernels.finish import LONG_WORK
from lxc.targets.kernels.halo import write_halo
from lxc.targets.kernels.nest import choose_kind, walk_axes, walk_one_of
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
from lxc.targets.kernels.winograd.parts import Block, Group, Winograd
from lxc.targets.kernels.winograd.products import (
    Product,
    depth_of,
    write_products,
)
from lxc.targets.kernels.winograd.tiles import write_cells, write_result
from lxc.targets.tvm_api import Expr, Index, at_most, divide, modulo

MOST_ROWS = 16
TASKS = 8
"""So many pieces of work at least for threads to share, where there is enough."""
CHANNELS_PER_TILE = 16
"""With more output channels per tile it takes longer to read weights than cells."""


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
        size = samples, rows.size, columns.size
        strip = strip_of(job, prod(size), parallel=parallel)
        kinds, panels = cut_of(job, prod(size), strip, parallel=parallel)
        block = Block(sample, row, column, *size, strip, kinds)
        write_block(job, block, panels, parallel=parallel)

    cut = [tiles(job.rows, largest.rows), tiles(job.columns, largest.columns)]
    walk_axes(job.work.writer, cut, body, parallel=False)


def write_block(
    job: Winograd, block: Block, panels: list[Panels], *, parallel: bool
) -> None:
    """Write one block: all cells to points first, then products and the way back."""
    writer = job.work.writer
    # Who reads a strip shall have written most of it.
    lines, columns = block.samples * block.rows, block.columns
    cut = [
        tiles(lines, -(-lines // block.strips)),
        tiles(columns, -(-columns // block.strips) if lines == 1 else columns),
    ]
    walk_axes(
        writer,
        [*cut, job.inputs],
        lambda entries: write_cells(job, block, *entries),
        parallel=parallel,
    )
    chunk = tiles_together(block, panels, parallel=parallel)

    def body(entries: tuple[Any, ...]) -> None:
        strip, number, (panel, channels) = entries
        first = strip * block.inside + number * chunk
        end = block.inside + strip * (total(block.kinds) - block.inside)
        stop = writer.prover.simplify(at_most(first + chunk, end))
        write_group(job, Group(block, strip, first, stop, panel, channels, chunk))

    axes = [block.strips, -(-block.inside // chunk), panels]
    if parallel:
        # A single thread reads all strips with a panel before it goes on to the next one.
        # Several ones share strips: each finds its own cells in the cache of its processor.
        walk_one_of(writer, axes, (2, 0, 1), writer.has_threads(), body)
    else:
        walk_axes(writer, axes, body, parallel=False)


def strip_of(job: Winograd, count: int, *, parallel: bool) -> int:
    """Return how many of `count` tiles make a strip.

    What fetches memory ahead takes lines away from another thread that writes in between,
    so threads better have memory of their own, two of them at least. Where there are many
    channels for few tiles they share channels instead, and read their weights once.
    """
    strip = -(-count // 2)
    few = job.outputs * job.lanes > CHANNELS_PER_TILE * count
    return count if not parallel or few or not job.has_room(2 * strip) else strip


def cut_of(
    job: Winograd, count: int, strip: int, *, parallel: bool
) -> tuple[list[Pieces], list[Panels]]:
    """Return how tiles, in strips, and output channels are cut to register tiles.

    Of few of them there is an even number, for two threads to share.
    """
    width = -(-job.lanes // job.machine.lanes)
    narrow = replace(job.machine, registers=job.machine.registers // width)
    kind = {"shared": True, "long": False, "streamed": True}
    shapes = tile_shapes(strip, job.outputs, narrow, MOST_ROWS, **kind)
    cuts = [
        (
            in_strips(count, strip, tall),
            block_panels(job.outputs, job.lanes, None, broad),
        )
        for tall, broad in shapes
    ]
    if parallel:
        for kinds, panels in cuts:
            shared = total(kinds) * total(panels)
            if shared >= TASKS or shared % 2 == 0:
                return kinds, panels
    return cuts[0]


def in_strips(count: int, strip: int, tall: int) -> list[Pieces]:
    """Return some tiles cut to register tiles, none of which lies in two strips.

    In the first strip the lower ones stand first, if there are fewer kinds then: there is
    code for every kind.
    """
    first, second = tiles(strip, tall), tiles(count - strip, tall)
    return min(joined([*first, *second]), joined([*first[::-1], *second]), key=len)


def joined(pieces: Sequence[Pieces]) -> list[Pieces]:
    """Return pieces one behind the other; neighbours of one size are one kind."""
    found: list[Pieces] = []
    for piece in pieces:
        if found and found[-1].widths == piece.widths:
            last = found.pop()
            found.append(replace(last, count=last.count + piece.count))
        else:
            start = sum(one.count * one.size for one in found)
            found.append(replace(piece, start=start))
    return found


def tiles_together(block: Block, panels: list[Panels], *, parallel: bool) -> int:
    """Return how many register tiles one task goes over, point after point."""
    if not parallel:
        return block.inside
    groups = -(-TASKS // max(1, total(panels) * block.strips))
    together: int = max(1, block.inside // groups)
    return together


def write_group(job: Winograd, group: Group) -> None:
    """Write a panel of output channels for some register tiles: products, then results."""
    writer, panel, block = job.work.writer, group.panel, group.block
    depth = depth_of(job.inputs, panel.size, job.lanes, job.machine)
    with (
        writer.loop(job.points) as point,
        writer.loop(job.inputs // depth) as part,
        writer.loop(group.stop - group.first) as turn,
    ):

        def products(entry: tuple[Pieces, Index]) -> None:
            piece, tile = entry
            write_products(job, Product(group, point, tile, piece.size, part, depth, turn))

        choose_kind(writer, block.kinds, group.first + turn, products)
    start, end = (block.start(entry) for entry in (group.first, group.stop))
    long = steps_of(job.work.group.body.nodes) > LONG_WORK
    extent = writer.prover.simplify(end - start)
    with writer.loop(extent) as tile, writer.loop(panel.size) as number:
        write_result(job, group, group.channels + number, start + tile, long=long)
