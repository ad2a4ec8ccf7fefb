"""Reductions with vectors along the last reduction axis: lanes are chains of their own.

How many chains there are and the order in which they are put together follow from the
size of that axis and the machine alone.
"""

from collections.abc import Sequence
from contextlib import ExitStack

from lxc.ir.machine import Machine
from lxc.targets.kernels.anchors import Anchor
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.finish import finish
from lxc.targets.kernels.halo import write_halo
from lxc.targets.kernels.nest import walk
from lxc.targets.kernels.sizes import whole_parts
from lxc.targets.kernels.split import Pieces
from lxc.targets.kernels.tile import Work
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import Buffer, Expr, Index, load, modulo

MOST_VECTORS = 4


def write_chains(work: Work, machine: Machine, *, parallel: bool) -> None:
    """Write the loops of a reduction whose vectors run along the reduction."""
    writer, anchor = work.writer, work.anchor
    write_halo(writer, work.source, work.group, work.result, machine.lanes)

    def body(counters: tuple[Index, ...], chosen: tuple[tuple[Pieces, Index], ...]) -> None:
        partial = write_chain(writer, work.source, anchor, counters, machine)
        finish(work, partial, counters, 1)

    walk(writer, anchor.loops, [], body, parallel=parallel and bool(anchor.loops))


def add_term(
    writer: Writer,
    source: Source,
    anchor: Anchor,
    total: Buffer,
    at: Sequence[Index],
    deep: Sequence[Index],
    width: int,
) -> None:
    """Write one more term into a vector of partial results."""
    elements = Elements(writer, source, width)
    term = anchor.term_at(elements, at, deep)
    lane = writer.lane(width)
    combined = anchor.combine(load(total, lane), term, elements.hold)
    writer.store(total, lane, combined, width)


def write_chain(
    writer: Writer, source: Source, anchor: Anchor, at: Sequence[Index], machine: Machine
) -> Expr:
    """Write the reduction of one result element and return it."""
    extent = anchor.depth[-1]
    width, count = chain_shape(extent, machine)
    sums = [writer.array(anchor.held, width) for _ in range(count)]
    for total in sums:
        writer.store(total, writer.lane(width), anchor.start, width)
    rest = writer.array(anchor.held, 1)
    writer.store(rest, 0, anchor.start, 1)
    step = width * count
    whole = whole_parts(extent, step)
    with ExitStack() as stack:
        deep = tuple(stack.enter_context(writer.loop(e)) for e in anchor.depth[:-1])
        with writer.loop(whole) as number:
            for index, total in enumerate(sums):
                last = number * step + index * width + writer.lane(width)
                add_term(writer, source, anchor, total, at, (*deep, last), width)
        done = whole * step
        if isinstance(extent, int):
            for index in range((extent - done) // width):
                last = done + index * width + writer.lane(width)
                add_term(writer, source, anchor, sums[index], at, (*deep, last), width)
            done += (extent - done) // width * width
        left = extent - done if isinstance(extent, int) else modulo(extent, step)
        with writer.loop(left) as number:
            add_term(writer, source, anchor, rest, at, (*deep, done + number), 1)
    return merge(writer, source, anchor, sums, rest, width)


def chain_shape(extent: Index, machine: Machine) -> tuple[int, int]:
    """Return the width of a vector of chains and how many such vectors there are."""
    if not isinstance(extent, int):
        return machine.lanes, 1
    width = machine.lanes
    while width > max(1, extent):
        width //= 2
    return width, max(1, min(MOST_VECTORS, extent // width))


def merge(
    writer: Writer,
    source: Source,
    anchor: Anchor,
    sums: list[Buffer],
    rest: Buffer,
    width: int,
) -> Expr:
    """Write the tree that puts all chains together and return the result."""
    while len(sums) > 1:
        half = len(sums) // 2
        for first, second in zip(sums[:half], sums[-half:], strict=True):
            fold(writer, source, anchor, first, second, 0, width)
        sums = sums[: len(sums) - half]
    (total,) = sums
    while width > 1:
        width //= 2
        fold(writer, source, anchor, total, total, width, width)
    fold(writer, source, anchor, total, rest, 0, 1)
    return load(total, 0)


def fold(
    writer: Writer,
    source: Source,
    anchor: Anchor,
    first: Buffer,
    second: Buffer,
    offset: int,
    width: int,
) -> None:
    """Write `first` combined with `second` from `offset` on into `first`."""
    lane = writer.lane(width)
    elements = Elements(writer, source, width)
    combined = anchor.combine(load(first, lane), load(second, offset + lane), elements.hold)
    writer.store(first, lane, combined, width)
