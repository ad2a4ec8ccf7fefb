"""Round values to bfloat16 where they are made instead of behind views of them."""

from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value
from lxc.ir.ops.logic import cast
from lxc.ir.ops.shape import constant, pad, reshape, reverse, transpose
from lxc.ir.rewrite import Replacement, rewrite
from lxc.ir.types import DType
from lxc.passes.nodes import attributes_of, scalar, with_attributes

VIEWS = frozenset({pad, reshape, reverse, transpose})
"""Views that show every element once, and besides it filling."""


def early_casts(graph: Graph) -> Graph:
    """Put casts to bfloat16 in front of views, so that kernels store what they rounded.

    A kernel that writes zeros around its result, or in the order of its reader, then
    writes half as many bytes.
    """
    return rewrite(graph, Casts())


class Casts:
    """The rule for one graph; it knows the views that were passed so far."""

    def __init__(self) -> None:
        """Know nothing."""
        self.views: dict[Value, Node] = {}
        self.numbers: dict[Value, Node] = {}

    def __call__(self, node: Node) -> Replacement | None:
        """Return a cast and the views behind it, for a cast behind views."""
        if node.op in VIEWS:
            self.views[node.result] = node
        if node.op is constant:
            self.numbers[node.result] = node
        if node.op is not cast or attributes_of(node)["dtype"] is not DType.BF16:
            return None
        chain: list[Node] = []
        source = node.operands[0]
        while (view := self.views.get(source)) and self.is_passable(view):
            chain.append(view)
            source = view.operands[0]
        if not chain:
            return None
        nodes = [with_attributes(node, (source,))]
        for view in reversed(chain):
            nodes += self.on_half(view, nodes[-1].result)
        return Replacement(nodes[-1].results, nodes)

    def is_passable(self, view: Node) -> bool:
        """Return whether a cast may stand in front of a view."""
        return view.op is not pad or view.operands[1] in self.numbers

    def on_half(self, view: Node, operand: Value) -> list[Node]:
        """Return a view of a bfloat16 operand, behind the number that it needs."""
        if view.op is not pad:
            return [with_attributes(view, (operand,))]
        (number,) = attributes_of(self.numbers[view.operands[1]])["value"]
        filling = scalar(float(number), operand.type, view.location)
        return [filling, with_attributes(view, (operand, filling.result))]
