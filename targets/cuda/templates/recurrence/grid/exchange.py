"""The memory through which the blocks of a loop tell each other what they made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lxc.ir.node import Value
from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.templates.recurrence.grid.plan import GridLoop
from lxc.targets.cuda.templates.recurrence.memory import carries_of
from lxc.targets.kernels.sizes import index_of
from lxc.targets.tvm_api import Buffer, constant


@dataclass(frozen=True)
class Exchange:
    """The memory through which blocks tell each other what they made.

    `counter` is how often blocks came to a barrier. A carry lies twice in its array, for
    even and for odd steps.
    """

    counter: Buffer
    arrays: Mapping[Value, Buffer]


def write_start(
    writer: GridWriter, plan: GridLoop, operands: Sequence[Buffer], exchange: Exchange
) -> str:
    """Write the kernel in front of that of a loop, whose first step finds its carries."""
    writer.store(exchange.counter, 0, constant(0, "uint32"), 1)
    rows = index_of(plan.rows, writer.dims)
    for value, operand in zip(carries_of(plan.node), operands, strict=False):
        if value in plan.exchanged:
            count = rows * int(value.type.shape[1])
            with writer.loop(count, parallel=True) as entry:
                element = writer.load(operand, entry, 1)
                writer.store(exchange.arrays[value], entry, element, 1)
    return "start of a scan by blocks"
