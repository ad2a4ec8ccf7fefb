"""How much work a kernel is: operations, bytes, and whether threads would pay."""

from dataclasses import dataclass

from lxc.ir.dim import bounds
from lxc.ir.flops import flops_of
from lxc.ir.node import Node

FLOPS_PER_MICROSECOND = 50_000
BYTES_PER_MICROSECOND = 10_000
LAUNCH_PAYS_MICROSECONDS = 30


@dataclass(frozen=True)
class Cost:
    """Arithmetic operations and bytes moved, with every dimension at its upper bound."""

    flops: int
    bytes: int

    @property
    def pays_threads(self) -> bool:
        """Whether the work outweighs waking other threads."""
        time = max(self.flops / FLOPS_PER_MICROSECOND, self.bytes / BYTES_PER_MICROSECOND)
        return time > LAUNCH_PAYS_MICROSECONDS


def cost_of(node: Node) -> Cost:
    """Return the cost of a fused node or an opaque op.

    Of what a gather reads from, the result is the part that is read.
    """
    read = node.operands[1:] if node.op.name == "gather" else node.operands
    moved = sum(value.type.max_bytes for value in (*read, *node.results))
    return Cost(bounds(flops_of(node))[1], moved)
