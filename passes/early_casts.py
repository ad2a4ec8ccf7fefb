"""Round values to bfloat16 where they are made instead of behind views of them."""

from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value, users
from lxc.ir.ops.logic import cast
from lxc.ir.ops.reduce import reduce_window
from lxc.ir.ops.shape import constant, pad, reshape, reverse, transpose
from lxc.ir.rewrite import Replacement, rewrite
from lxc.ir.types import DType
from lxc.passes.nodes import attributes_of, scalar, with_attributes

VIEWS = frozenset({pad, reshape, reverse, transpose})
"""Views that show every element once, and besides it filling."""

WIDER = frozenset({DType.F32, DType.F64})
"""Types that have every number of bfloat16."""


def early_casts(graph: Graph) -> Graph:
    """Put casts to bfloat16 in front of views, so that kernels store what they rounded.

    A kernel that writes zeros around its result, or in the order of its reader, then
    writes half as many bytes. The largest of some numbers is the same before and behind a
    cast, so one that nobody else reads is a view as well.
    """
    return rewrite(graph, Casts(graph))


class Casts:
    """The rule for one graph; it knows the views that were passed so far."""

    def __init__(self, graph: Graph) -> None:
        """Know no views, but how often each value is read."""
        self.readers = users(graph.nodes)
        self.results = frozenset(graph.results)
        self.views: dict[Value, Node] = {}
        self.numbers: dict[Value, Node] = {}
        self.widened: dict[Value, Value] = {}

    def __call__(self, node: Node) -> Replacement | None:
        """Return a cast and the views behind it, for a cast behind views."""
        if node.op in VIEWS or node.op is reduce_window:
            self.views[node.result] = node
        if node.op is constant:
            self.numbers[node.result] = node
        if node.op is not cast:
            return None
        if node.operands[0].type.dtype is DType.BF16 and node.result.type.dtype in WIDER:
            self.widened[node.result] = node.operands[0]
        if node.result.type.dtype is not DType.BF16:
            return None
        chain: list[Node] = []
        source = node.operands[0]
        while (view := self.views.get(source)) and self.is_passable(view):
            chain.append(view)
            source = view.operands[0]
        if source in self.widened:
            nodes, half = [], self.widened[source]
        elif chain:
            nodes = [with_attributes(node, (source,))]
            half = nodes[0].result
        else:
            return None
        for view in reversed(chain):
            nodes += self.on_half(view, half)
            half = nodes[-1].result
        return Replacement((half,), nodes)

    def is_passable(self, view: Node) -> bool:
        """Return whether a cast may stand in front of a view."""
        if view.op is reduce_window:
            chooses = attributes_of(view)["kind"] in ("max", "min")
            alone = len(self.readers.get(view.result, [])) == 1
            return chooses and alone and view.result not in self.results
        return view.op is not pad or view.operands[1] in self.numbers

    def on_half(self, view: Node, operand: Value) -> list[Node]:
        """Return a view of a bfloat16 operand, behind the number that it needs."""
        if view.op is not pad:
            return [with_attributes(view, (operand,))]
        (number,) = attributes_of(self.numbers[view.operands[1]])["value"]
        filling = scalar(float(number), operand.type, view.location)
        return [filling, with_attributes(view, (operand, filling.result))]
