"""A loop as one kernel whose blocks share the units of every step, and wait for each other.

Every result is computed as a launch for each step would: a product is the sum, in order,
of chains of multiply-adds, and what follows is the same code. So the bits are the same.
"""

from collections.abc import Sequence

from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.intrinsics import BARRIER
from lxc.targets.cuda.templates.recurrence.grid.block import GridBlock
from lxc.targets.cuda.templates.recurrence.grid.exchange import Exchange
from lxc.targets.cuda.templates.recurrence.grid.own import Share
from lxc.targets.cuda.templates.recurrence.grid.plan import ChainProduct, GridLoop
from lxc.targets.cuda.templates.recurrence.grid.step import Step
from lxc.targets.cuda.templates.recurrence.grid.weights import ChainWeights
from lxc.targets.cuda.templates.recurrence.weights import F32, each
from lxc.targets.tvm_api import Buffer, constant, divide, load, modulo, store


def write_grid_loop(
    writer: GridWriter,
    plan: GridLoop,
    operands: Sequence[Buffer],
    results: Sequence[Buffer],
    exchange: Exchange,
) -> str:
    """Write the kernel of a loop; return the algorithm."""
    writer.threads = plan.threads
    arrays = dict(zip(plan.arrays, writer.shared(*plan.arrays.values()), strict=True))
    with writer.team_loop(plan.blocks, plan.threads) as number:
        first = writer.name(number * plan.share, plan.units)
        share = Share(plan.units, plan.share, first)
        write_block(GridBlock(writer, plan, (operands, results), exchange, arrays, share))
    return f"scan by {plan.blocks} blocks"


def write_block(block: GridBlock) -> None:
    """Write what brings the weights and the carries, and all steps."""
    writer = block.writer
    weights = {
        node: brought_weights(block, number, chained)
        for number, (node, chained) in enumerate(block.plan.products.items())
    }
    bring_carries(block)
    writer.write(BARRIER.statement())
    with writer.loop(block.length) as counter:
        Step(block, weights, counter).write()
    leave_carries(block)


def brought_weights(block: GridBlock, number: int, chained: ChainProduct) -> ChainWeights:
    """Write what brings a weight, and zeros behind rows; return where the weight is."""
    writer, depth = block.writer, chained.product.depth
    registers = writer.array(F32, chained.held) if chained.held else None
    memory = block.arrays.get(f"weight{number}")
    weights = ChainWeights(writer, chained, block.share, registers, memory)
    weights.bring(block.constants)
    behind = chained.width - depth
    if behind:
        with each(writer, block.plan.pass_rows * behind) as entry:
            row, term = divide(entry, behind), modulo(entry, behind)
            place = row * chained.width + depth + term
            rows = block.arrays[f"rows{number}"]
            writer.write(store(rows, place, constant(0.0, F32)))
    return weights


def bring_carries(block: GridBlock) -> None:
    """Write what brings the block's parts of what the first step is handed."""
    for number, value in enumerate(block.carries):
        with block.elements_of(value) as (row, column):
            start = load(block.operands[number], row * block.columns(value) + column)
            part = block.carried(number, 0)
            block.writer.write(store(part.buffer, part.index(row, column), start))


def leave_carries(block: GridBlock) -> None:
    """Write the block's parts of what the last step hands on to the results."""
    for number, value in enumerate(block.carries):
        part = block.carried(number, block.length)
        with block.elements_of(value) as (row, column):
            end = load(part.buffer, part.index(row, column))
            place = row * block.columns(value) + column
            block.writer.write(store(block.results[number], place, end))
