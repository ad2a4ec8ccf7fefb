"""The products of a Winograd convolution: at every point tiles by channels by channels."""

from collections.abc import Sequence
from dataclasses import dataclass

from lxc.ir.machine import Machine
from lxc.targets.kernels.winograd.parts import FLOAT_BYTES, Group, Winograd
from lxc.targets.tvm_api import (
    Buffer,
    Index,
    as_index,
    at_most,
    constant,
    divide,
    is_equal,
    is_less,
    load,
    modulo,
    select,
)

TERMS_UNROLLED = 64
"""So many terms at most stand one after the other in the innermost loop.

With more of them LLVM loads the weights of all steps first, and runs out of registers.
"""
FEWEST_BLOCKS = 4
"""So many blocks of input channels are worth to read sums for, and to write them again."""
LINE = 16
"""The float32 of a line of a cache."""


@dataclass(frozen=True)
class Product:
    """A register tile of a group: `rows` tiles from `tile` on, at one point.

    It adds up `depth` blocks of input channels, the `part`-th of as many. It is number
    `turn` of those that read this part of the panel one after the other.
    """

    group: Group
    point: Index
    tile: Index
    rows: int
    part: Index
    depth: int
    turn: Index

    @property
    def columns(self) -> int:
        """The number of vectors of a row."""
        return self.group.panel.size

    @property
    def channels(self) -> Index:
        """The first block of output channels."""
        return self.group.channels


def depth_of(inputs: int, columns: int, lanes: int, machine: Machine) -> int:
    """Return how many of the blocks of input channels are added up in one go.

    So much of a panel of `columns` stays in the first-level cache, with the cells that it
    is multiplied with, while one register tile after the other reads it.
    """
    block_bytes = columns * lanes * lanes * FLOAT_BYTES
    most = max(FEWEST_BLOCKS, machine.first_cache // 2 // block_bytes)
    fitting = max(size for size in range(1, most + 1) if inputs % size == 0)
    return fitting if 2 * fitting > most else inputs


def write_products(job: Winograd, one: Product) -> None:
    """Write the sums of one register tile."""
    writer, lanes = job.work.writer, job.lanes
    lane, place = writer.lane(lanes), (one.group.block, one.group.strip)
    sums = [
        [writer.array(job.held, lanes) for _ in range(one.columns)] for _ in range(one.rows)
    ]
    places = {
        total: writer.prover.simplify(
            job.sum_at(*place, one.point, one.channels + j, one.tile + r)
        )
        for r, row in enumerate(sums)
        for j, total in enumerate(row)
    }

    def start() -> None:
        for total in places:
            writer.store(total, lane, constant(0, job.held), lanes)

    def go_on() -> None:
        for total, position in places.items():
            writer.store(total, lane, load(job.sums, position + lane), lanes)

    if one.depth == job.inputs:
        start()
    else:
        writer.choose(is_equal(as_index(one.part), as_index(0)), start, go_on)
    steps = steps_in_a_row(one.rows * one.columns, lanes)
    with writer.loops((one.depth, lanes // steps)) as (inner, group):
        write_prefetches(job, one, inner * (lanes // steps) + group, steps)
        for step in range(steps):
            channel = (one.part * one.depth + inner, group * steps + step)
            write_step(job, one, sums, channel)
    for total, position in places.items():
        writer.store(job.sums, position + lane, load(total, lane), lanes)


def steps_in_a_row(terms: int, lanes: int) -> int:
    """Return how many input channels are added in one turn of the innermost loop."""
    steps = lanes
    while steps > 1 and (steps * terms > TERMS_UNROLLED or lanes % steps):
        steps -= 1
    return steps


def write_step(
    job: Winograd,
    one: Product,
    sums: Sequence[Sequence[Buffer]],
    channel: tuple[Index, Index],
) -> None:
    """Write one more input channel, lane `channel[1]` of a block, into all sums."""
    writer, lanes = job.work.writer, job.lanes
    inner, offset = channel
    lane, place = writer.lane(lanes), (one.group.block, one.group.strip)
    factors = []
    for j in range(one.columns):
        position = job.weight_at(one.point, one.channels + j, inner * lanes + offset)
        position = writer.prover.simplify(position)
        factors.append(writer.hold(load(job.weight, position + lane), job.held, lanes))
    for r, row in enumerate(sums):
        position = job.cell_at(*place, one.point, inner, one.tile + r) + offset
        cell = load(job.cells, writer.prover.simplify(position))
        held = writer.hold(cell, job.held, 1) if len(row) > 1 else cell
        for total, factor in zip(row, factors, strict=True):
            writer.store(total, lane, load(total, lane) + held * factor, lanes)


def write_prefetches(job: Winograd, one: Product, group: Index, steps: int) -> None:
    """Write that lines of the weights that come next are brought to the first-level cache.

    Those are the next part of the panel, behind its last part the first one at the next
    point. All turns over a part bring in some of them each, all vectors side by side. There
    is room for both parts, and nothing is left to fetch when the next one is read. Weights
    that stay in the second-level cache from block to block need none of it.
    """
    writer, parts = job.work.writer, job.inputs // one.depth
    stream = one.depth * job.lanes * job.lanes
    whole = job.points * job.outputs * job.inputs * job.lanes * job.lanes
    lines = -(-(steps * one.columns * job.lanes) // (LINE * one.group.turns))
    count = one.columns * stream // LINE
    if count < lines or whole * FLOAT_BYTES <= job.machine.second_cache // 2:
        return
    start = next_part(job, one, parts)
    done = (one.turn * (one.depth * job.lanes // steps) + group) * lines
    for line in range(lines):
        number = at_most(done + line, count - 1)
        place = modulo(number, one.columns) * (job.inputs * job.lanes * job.lanes)
        position = start + place + divide(number, one.columns) * LINE
        writer.fetch(job.weight, position, nearest=True)


def next_part(job: Winograd, one: Product, parts: int) -> Index:
    """Return where the weights begin that are read after those of a product.

    Those are the next part of the panel, its first one at the next point, or, behind the
    last point, the next panel's.
    """
    here = job.weight_at(one.point, one.channels, (one.part + 1) * one.depth * job.lanes)
    following = job.weight_at(one.point + 1, one.channels, 0)
    last = (job.outputs - one.columns) * job.inputs * job.lanes * job.lanes
    behind = at_most(job.weight_at(0, one.channels + one.columns, 0), last)
    inside = is_less(as_index(one.point), as_index(job.points - 1))
    following = select(inside, following, behind)
    if parts == 1:
        return following
    return select(is_less(as_index(one.part), as_index(parts - 1)), here, following)
