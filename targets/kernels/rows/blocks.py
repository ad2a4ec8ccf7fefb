"""Rows of a kernel in blocks, each of which goes from some rows on to the next ones.

What is done last along some rows stands in one loop with what is done first along the
next: neither of them does much, and the machine has work while it waits for the results of
reductions. It also reads the next rows while it writes the present ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lxc.errors import InternalError
from lxc.ir.machine import Machine
from lxc.ir.node import Body
from lxc.passes.row_plan import plan_rows
from lxc.targets.kernels.nest import walk
from lxc.targets.kernels.rows.facts import facts_of
from lxc.targets.kernels.rows.kernel import RowKernel
from lxc.targets.kernels.rows.numbers import Numbers
from lxc.targets.kernels.rows.scalars import row_scalars
from lxc.targets.kernels.sizes import covering_parts, index_of
from lxc.targets.kernels.split import Pieces, vectors
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import Buffer, Index, at_most, divide

BLOCK_ELEMENTS = 8192
"""So many elements of rows a block has about; threads share blocks."""


def write_rows(
    writer: Writer,
    body: Body,
    operands: Sequence[Buffer],
    result: Buffer,
    machine: Machine,
    *,
    parallel: bool,
) -> str:
    """Write the loops of a row kernel; return the name of the algorithm."""
    plan = plan_rows(body.nodes, body.outputs[0])
    if plan is None:
        raise InternalError("code generation", "a fused body is more than one kernel")
    facts = facts_of(body.nodes, plan)
    scalars = row_scalars(body, plan, facts)
    buffers = dict(zip(body.parameters, operands, strict=True))
    kernel = RowKernel(writer, plan, facts, scalars, buffers, result, machine)
    count = index_of(plan.rows.count, writer.dims)
    cut = cut_of(kernel, count)

    def write(piece: Pieces, first: Index) -> None:
        if piece is cut.blocks:
            write_block(kernel, cut, first)
        else:
            kernel.write(first, piece.size)

    walk(
        writer,
        [],
        [cut.pieces],
        lambda _, chosen: write(*chosen[0]),
        parallel=parallel,
    )
    return "rows"


@dataclass(frozen=True)
class RowCut:
    """The rows of a kernel: `blocks` of `groups` of `rows` rows, and what is left of them.

    The last block may have fewer groups; there are `whole` in all. Without blocks
    there are pieces only, each of which is walked by itself.
    """

    rows: int
    whole: Index
    groups: int
    blocks: Pieces | None
    pieces: list[Pieces]


def cut_of(kernel: RowKernel, count: Index) -> RowCut:
    """Return how the rows of a kernel are cut."""
    rows = kernel.rows_at_once()
    pieces, length = vectors(0, count, rows), kernel.size(kernel.plan.rows.length)
    several = bool(pieces) and pieces[0].widths == (rows,) and pieces[0].count != 1
    if not (several and leads_on(kernel, rows) and isinstance(length, int)):
        return RowCut(rows, 0, 1, None, pieces)
    groups, whole = max(2, BLOCK_ELEMENTS // (rows * length)), pieces[0].count
    groups = min(groups, whole) if isinstance(whole, int) else groups
    blocks = Pieces(0, covering_parts(whole, groups), (rows,) * groups)
    return RowCut(rows, whole, groups, blocks, [blocks, *pieces[1:]])


def leads_on(kernel: RowKernel, rows: int) -> bool:
    """Return whether the first walk along the next rows goes with the last one.

    Several rows are walked at once, and together with the next ones, and what is read
    and written, they fill no more than the first-level cache.
    """
    first, *_, last = (kernel.steps(one) for one in (kernel.plan.walks * 2))
    length, stored = kernel.size(kernel.plan.rows.length), kernel.plan.stored
    row_bytes = length * stored.type.dtype.bytes
    return (
        rows > 1
        and len(kernel.plan.walks) > 1
        and isinstance(row_bytes, int)
        and 4 * rows * row_bytes <= kernel.machine.first_cache
        and not first.walk.kept
        and not last.walk.reductions
        and first.parts == last.parts
        and first.vectors.width == last.vectors.width
    )


def write_block(kernel: RowKernel, cut: RowCut, first: Index) -> None:
    """Write the walks along all rows of a block."""
    writer, rows = kernel.writer, cut.rows
    last = len(kernel.plan.walks) - 1
    ahead = Numbers.of_rows(rows)
    kernel.write_turns(kernel.turn(first, 0, ahead))
    kernel.write_scalars(first, 1, ahead)
    left = at_most(cut.whole - divide(first, rows), cut.groups)
    groups = writer.name(writer.prover.simplify(left), cut.groups + 1)
    with writer.loop(groups) as group:
        numbers, following = ahead.copied(writer), Numbers.of_rows(rows)
        here = first + group * rows
        # Behind the last rows the same ones are read again, to no end.
        there = first + at_most(group + 1, groups - 1) * rows
        for number in range(1, last):
            kernel.write_turns(kernel.turn(here, number, numbers, further=rows))
            kernel.write_scalars(here, number + 1, numbers)
        kernel.write_turns(
            kernel.turn(there, 0, following), kernel.turn(here, last, numbers)
        )
        kernel.write_scalars(there, 1, following)
        ahead.replace(writer, following)
