"""Let what convolutions read as bfloat16 be stored in no other form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from lxc.ir.builder import make_node
from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value, users
from lxc.ir.ops.arithmetic import add, divide, multiply, subtract
from lxc.ir.ops.contract import conv, dot_general
from lxc.ir.ops.logic import cast
from lxc.ir.ops.reduce import reduce_window
from lxc.ir.ops.shape import pad
from lxc.ir.rewrite import with_operands
from lxc.ir.types import DType
from lxc.passes.nodes import attributes_of, producers, substitute

SCALING = frozenset({add, subtract, multiply, divide})
"""What stands between a product and the sum of its residual block: bias and norm."""


def keep_halves(graph: Graph) -> Graph:
    """Return a graph in which residual sums read what a convolution rounds, rounded too.

    The value is then made once, with half as many bytes, and no kernel does nothing but
    round it. Whoever else reads a value keeps it in float32.
    """
    reading = Reading(graph)
    values = reading.readers
    kept = {value: node for value in values if (node := reading.rounding(value))}
    if not kept:
        return graph
    wide: dict[Value, Value] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        if node in kept.values():
            continue
        nodes.append(with_operands(node, substitute(node.operands, wide)))
        for value in node.results:
            if value in kept:
                half = kept[value]
                facts = {"dtype": value.type.dtype}
                back = make_node(cast, half.results, facts, (), half.location)
                nodes += [half, back]
                wide[value] = back.result
    return graph.replaced(nodes=tuple(nodes))


@dataclass(frozen=True)
class Reading:
    """Who reads and who makes the values of a graph."""

    graph: Graph

    @cached_property
    def readers(self) -> Mapping[Value, Sequence[Node]]:
        """The nodes that read each value."""
        return users(self.graph.nodes)

    @cached_property
    def makers(self) -> Mapping[Value, Node]:
        """The node that makes each value."""
        return producers(self.graph.nodes)

    @cached_property
    def ends(self) -> frozenset[Value]:
        """What the graph is given, and what it returns."""
        return frozenset((*self.graph.headers, *self.graph.results))

    def rounding(self, value: Value) -> Node | None:
        """Return what rounds a value for a convolution, if others may read that instead."""
        found = [node for node in self.readers[value] if rounds(node)]
        if len(found) != 1 or len(self.readers[value]) == 1 or not self.may_lose(value):
            return None
        # A copy with edges costs the most; without one it is not worth to lose digits.
        half = self.readers.get(found[0].result, [])
        pads = [node for node in half if node.op is pad]
        return found[0] if any(map(self.feeds_convolution, pads)) else None

    def may_lose(self, value: Value) -> bool:
        """Return whether every reader of a value may as well read it rounded."""
        return value not in self.ends and all(
            rounds(node)
            or (is_on_the_way(node) and self.may_lose(node.result))
            or self.is_residual(node, value)
            for node in self.readers.get(value, [])
        )

    def is_residual(self, node: Node, value: Value) -> bool:
        """Return whether a node adds a value to a product of rounded factors.

        The sum then loses no more, in proportion, than the product has lost.
        """
        others = [operand for operand in node.operands if operand is not value]
        return node.op is add and len(others) == 1 and self.is_rounded_product(others[0])

    def is_rounded_product(self, value: Value) -> bool:
        """Return whether a value is a product of rounded factors, shifted and scaled."""
        node = self.makers.get(value)
        if node is None:
            return False
        if node.op in (conv, dot_general):
            return node.operands[0].type.dtype is DType.BF16
        return node.op in SCALING and any(map(self.is_rounded_product, node.operands))

    def feeds_convolution(self, node: Node) -> bool:
        """Return whether a convolution reads a result, or what surrounds it."""
        return any(
            (reader.op is conv and reader.operands[0] is node.result)
            or (is_on_the_way(reader) and self.feeds_convolution(reader))
            for reader in self.readers.get(node.result, [])
        )


def rounds(node: Node) -> bool:
    """Return whether a node rounds float32 to bfloat16."""
    from_single = node.operands[:1] and node.operands[0].type.dtype is DType.F32
    return bool(from_single) and node.op is cast and node.result.type.dtype is DType.BF16


def is_on_the_way(node: Node) -> bool:
    """Return whether a node may stand between a value and the convolution reading it."""
    if node.op is reduce_window:
        return attributes_of(node)["kind"] in ("max", "min")
    return node.op is pad
