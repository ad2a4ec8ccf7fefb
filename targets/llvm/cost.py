"""How much work a kernel is: operations, bytes, and whether threads would pay."""

from dataclasses import dataclass
from math import prod

from lxc.ir.dim import bounds
from lxc.ir.node import Node, Value, walk
from lxc.ir.types import count_elements
from lxc.passes.nodes import attributes_of

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
    """Return the cost of a fused node or an opaque op."""
    moved = sum(value.type.max_bytes for value in (*node.operands, *node.results))
    return Cost(sum(map(flops_of, walk((node,)))), moved)


def flops_of(node: Node) -> int:
    """Return the operations of one node, without its bodies."""
    if node.op.kind == "elementwise":
        return most_elements(node.result)
    if node.op.kind == "reduction":
        return flops_of_reduction(node)
    return 0


def most_elements(value: Value) -> int:
    """Return the number of elements with every dimension at its upper bound."""
    return bounds(value.type.element_count)[1]


def flops_of_reduction(node: Node) -> int:
    """Return the operations of a node that combines elements."""
    first, results = node.operands[0], most_elements(node.result)
    if node.op.name == "dot_general":
        shape = first.type.shape
        depth = count_elements(
            [shape[axis] for axis in attributes_of(node)["lhs_contract"]]
        )
        return 2 * results * bounds(depth)[1]
    if node.op.name == "conv":
        weight = node.operands[1].type.shape
        outputs = weight[-1] if attributes_of(node)["weight_order"] == "io" else weight[0]
        return 2 * results * bounds(count_elements(weight))[1] // max(1, bounds(outputs)[1])
    if node.op.name == "reduce_window":
        return results * int(prod(attributes_of(node)["window"]))
    return most_elements(first)
