"""Attention on a card in one pass over the keys: scores stay in registers.

The largest score so far, and sums of weights and of weighted values in proportion to it,
follow from tiles of keys, which are the same for every query. So a result depends on its
own query, on the keys and on the values, and on nothing else.
"""

from collections.abc import Callable

from lxc.targets.cuda.grid_writer import THREADS, GridWriter
from lxc.targets.cuda.templates.attention.matrices import matrices_of
from lxc.targets.cuda.templates.attention.stages import write_matrix_block
from lxc.targets.cuda.templates.attention.units import units_of, write_unit_block
from lxc.targets.cuda.templates.attention.work import Attention, Block
from lxc.targets.kernels.attention.kernel import Finish
from lxc.targets.kernels.element import Source
from lxc.targets.kernels.group import group_of
from lxc.targets.kernels.node_work import NodeWork
from lxc.targets.kernels.place import unravel
from lxc.targets.kernels.sizes import covering_parts, index_of, product
from lxc.targets.kernels.storage import is_half
from lxc.targets.kernels.variants import Variants


def write_attention_tiles(
    writer: GridWriter, work: NodeWork, variants: Variants
) -> str | None:
    """Write the kernel of an attention node; return None if this is something else."""
    node = work.node
    if node.op.name != "fused":
        return None
    (body,) = node.bodies
    found = [one for one in body.nodes if one.op.name == "attention"]
    if len(found) != 1:
        return None
    (attention,) = found
    source = Source(body, dict(zip(body.parameters, work.operands, strict=True)))
    finish = Finish(source, group_of(body), attention, work.result)
    if is_half(attention.operands[0].type.dtype):
        matrices = matrices_of(writer, source, attention)
        write_blocks(
            matrices.work, lambda block: write_matrix_block(matrices, block, finish)
        )
        return "attention by matrix units"
    units = units_of(writer, source, attention)
    if units is None:
        return None
    write_blocks(units.work, lambda block: write_unit_block(units, block, finish))
    return "attention by tiles"


def write_blocks(work: Attention, body: Callable[[Block], None]) -> None:
    """Write all blocks of queries, for operands at multiples of 16 bytes and for others."""
    writer, rows = work.writer, work.parts.rows
    operands = (work.query, work.key, work.value)

    def write() -> None:
        batch = [index_of(entry, writer.dims) for entry in work.sizes.batch]
        blocks = covering_parts(work.total, rows)
        outer = [*batch, work.sizes.groups, blocks]
        with writer.team_loop(product(outer), THREADS) as number:
            places = unravel(number, outer)
            *at, group, place = map(writer.name, places, outer)
            body(Block(work, place * rows, tuple(at), group))

    writer.when_aligned([operand.buffer for operand in operands], write)
