"""Nodes that a pass makes one after the other, all at one place of the model."""

from lxc.ir.builder import make_node
from lxc.ir.node import NOWHERE, Location, Node, Value
from lxc.ir.op import Attribute, Op
from lxc.ir.types import TensorType
from lxc.passes.nodes import scalar


class NodeWriter:
    """The nodes made so far, in order, and the `location` of the next ones."""

    def __init__(self, location: Location = NOWHERE) -> None:
        """Start without nodes."""
        self.location = location
        self.nodes: list[Node] = []

    def append(self, node: Node) -> Value:
        """Append a node and return its first result."""
        self.nodes.append(node)
        return node.results[0]

    def made(self, op: Op, *operands: Value, **attributes: Attribute) -> Value:
        """Return the result of a new node."""
        return self.append(make_node(op, operands, attributes, (), self.location))

    def single(self, number: bool | int | float, like: TensorType) -> Value:
        """Return a constant of the element type of `like`, without axes."""
        return self.append(scalar(number, like, self.location))
