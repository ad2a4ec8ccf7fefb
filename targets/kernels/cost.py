"""How much work a kernel is: operations, bytes, and whether threads would pay.

The generator decides at the upper bounds of all dimensions whether a kernel shares its
work at all. `time` is what a call hands on, so that the sizes of that call decide how many
threads take part.
"""

from dataclasses import dataclass

from lxc.ir.dim import Size, bounds
from lxc.ir.flops import flops_of
from lxc.ir.node import Node

FLOPS_PER_NANOSECOND = 50
BYTES_PER_NANOSECOND = 10
THREAD_PAYS_NANOSECONDS = 15_000
"""Work that is worth a thread: with less than twice as much, there is one only."""
TASK_PAYS_NANOSECONDS = 5_000
"""Work that is worth handing to a thread at once."""
MOST_TASKS = 2048
"""No loop that threads share is divided into more tasks."""


@dataclass(frozen=True)
class Cost:
    """Arithmetic operations and bytes moved, with every dimension at its upper bound.

    `flops_now` and `bytes_now` are the same at the dimensions of a call.
    """

    flops: int
    bytes: int
    flops_now: Size
    bytes_now: Size

    @property
    def pays_threads(self) -> bool:
        """Whether the work outweighs waking other threads."""
        time = max(self.flops / FLOPS_PER_NANOSECOND, self.bytes / BYTES_PER_NANOSECOND)
        return time >= 2 * THREAD_PAYS_NANOSECONDS


def cost_of(node: Node) -> Cost:
    """Return the cost of a fused node or an opaque op.

    Of what a gather reads from, the result is the part that is read.
    """
    read = node.operands[1:] if node.op.name == "gather" else node.operands
    kinds = [value.type for value in (*read, *node.results)]
    moved: Size = 0
    for kind in kinds:
        moved = moved + kind.element_count * kind.dtype.bytes
    flops = flops_of(node)
    return Cost(bounds(flops)[1], sum(kind.max_bytes for kind in kinds), flops, moved)
