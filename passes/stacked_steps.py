"""What a node does in one step of a loop, done for all steps at once.

Values of all steps are stacked along a new axis 0.
"""

from collections.abc import Callable, Mapping, Sequence

from lxc.ir.dim import Size
from lxc.ir.node import Node, Value
from lxc.ir.op import Attribute, Op
from lxc.ir.ops.contract import dot_general, free_axes
from lxc.ir.ops.shape import broadcast, pad, reshape, reverse, slice, transpose
from lxc.ir.types import count_elements
from lxc.passes.node_writer import NodeWriter
from lxc.passes.nodes import attributes_of

Lift = Callable[[Node, Size], Mapping[str, Attribute]]


def can_stack(node: Node, stacked: Sequence[bool]) -> bool:
    """Return whether `node` has a form for all steps; `stacked` tells which operands are.

    The others are the same in every step.
    """
    if node.op is dot_general:
        return list(stacked) == [True, False] and not attributes_of(node)["lhs_batch"]
    if node.op in VIEWS:
        return stacked[0] and not any(stacked[1:])
    return node.op.kind == "elementwise"


def stack(
    node: Node, operands: Sequence[Value], stacked: Sequence[bool], length: Size
) -> list[Node]:
    """Return the nodes that do the work of `length` steps, the last with the result."""
    steps = Stacking(node, length)
    if node.op is dot_general:
        steps.product(*operands)
    elif node.op in VIEWS:
        steps.made(node.op, *operands, **VIEWS[node.op](node, length))
    else:
        same = [
            value if own else steps.repeated(value)
            for value, own in zip(operands, stacked, strict=True)
        ]
        steps.made(node.op, *same, **node.attributes)
    return steps.nodes


class Stacking(NodeWriter):
    """The nodes that stand for one node, in the order in which they are made."""

    def __init__(self, node: Node, length: Size) -> None:
        """Start without nodes."""
        super().__init__(node.location)
        self.node, self.length = node, length

    def repeated(self, value: Value) -> Value:
        """Return a value that is the same in every step, once for each."""
        shape = value.type.shape
        axes = tuple(range(1, len(shape) + 1))
        return self.made(broadcast, value, shape=(self.length, *shape), axes=axes)

    def product(self, lhs: Value, rhs: Value) -> None:
        """Multiply the rows of all steps; they become one axis where they lie in order."""
        facts = attributes_of(self.node)
        contract = tuple(axis + 1 for axis in facts["lhs_contract"])
        free = free_axes(lhs.type.rank, contract)
        shape = self.node.result.type.shape
        flat = len(free) > 1 and free == tuple(range(len(free)))
        if flat:
            rows = count_elements([lhs.type.shape[axis] for axis in free])
            sizes = lhs.type.shape[len(free) :]
            lhs = self.made(reshape, lhs, shape=(rows, *sizes))
            contract = tuple(axis - len(free) + 1 for axis in contract)
        y = self.made(dot_general, lhs, rhs, **{**facts, "lhs_contract": contract})
        if flat:
            self.made(reshape, y, shape=(self.length, *shape))


def stacked_slice(node: Node, length: Size) -> Mapping[str, Attribute]:
    """Return the attributes of a slice that keeps every step."""
    facts = attributes_of(node)
    return {
        "start": (0, *facts["start"]),
        "stop": (length, *facts["stop"]),
        "step": (1, *facts["step"]),
    }


def stacked_broadcast(node: Node, length: Size) -> Mapping[str, Attribute]:
    """Return the attributes of a broadcast of every step."""
    facts = attributes_of(node)
    axes = tuple(axis + 1 for axis in facts["axes"])
    return {"shape": (length, *facts["shape"]), "axes": (0, *axes)}


def stacked_transpose(node: Node, length: Size) -> Mapping[str, Attribute]:
    """Return the attributes of a transpose of every step."""
    permutation = attributes_of(node)["permutation"]
    return {"permutation": (0, *(axis + 1 for axis in permutation))}


def stacked_pad(node: Node, length: Size) -> Mapping[str, Attribute]:
    """Return the attributes of a pad around every step."""
    names = ("low", "high", "interior")
    return {name: (0, *attributes_of(node)[name]) for name in names}


VIEWS: Mapping[Op, Lift] = {
    broadcast: stacked_broadcast,
    pad: stacked_pad,
    reshape: lambda node, length: {"shape": (length, *attributes_of(node)["shape"])},
    reverse: lambda node, length: {
        "axes": tuple(axis + 1 for axis in attributes_of(node)["axes"])
    },
    slice: stacked_slice,
    transpose: stacked_transpose,
}
"""The attributes of a view of all steps."""
