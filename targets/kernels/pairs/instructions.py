"""Which instructions a product of pairs of bfloat16 is computed with."""

from dataclasses import replace

from lxc.ir.machine import Machine
from lxc.targets.kernels.pairs.square_tiles import is_square, write_square_tiles
from lxc.targets.kernels.pairs.terms import DOT_LANES, write_dots, write_multiplies
from lxc.targets.kernels.tile import Work
from lxc.targets.kernels.tiles import write_tiles

WIDENED = 4
"""So many registers hold what is widened, and what that takes."""


def write_pairs(work: Work, machine: Machine, *, parallel: bool) -> str:
    """Write a product of pairs; return the algorithm.

    What decides are sizes that all calls share, as the ways differ in the order of sums.
    """
    op = work.anchor.node.op
    if machine.has_bf16_tiles and is_square(work.anchor):
        write_square_tiles(work, machine, parallel=parallel)
        return f"{op} by square tiles"
    if machine.has_bf16_dot and work.anchor.node.operands[1].type.shape[-2] == DOT_LANES:
        write_tiles(replace(work, terms=write_dots), machine, parallel=parallel)
        return f"{op} by dot instructions"
    fewer = replace(machine, registers=machine.registers - WIDENED)
    write_tiles(replace(work, terms=write_multiplies), fewer, parallel=parallel)
    return f"{op} by tiles"
