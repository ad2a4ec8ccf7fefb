"""Bring a graph into the one form that later passes look for."""

from lxc.ir.builder import make_node
from lxc.ir.graph import Graph
from lxc.ir.node import Body, Node, Value
from lxc.ir.ops.shape import constant, dim, transpose
from lxc.ir.ops.structure import scan
from lxc.ir.rewrite import Replacement, rewrite, with_operands
from lxc.ir.types import DType
from lxc.passes.known_values import KnownValues
from lxc.passes.nodes import attributes_of, copy_body
from lxc.passes.simplify_arithmetic import ARITHMETIC
from lxc.passes.simplify_views import VIEWS

RULES = {**ARITHMETIC, **VIEWS}


def canonicalise(graph: Graph) -> Graph:
    """Apply exact identities, join views, order operands, let scans step along axis 0.

    This is repeated until nothing changes. Results are equal to the last bit.
    """
    while True:
        changed = rewrite(graph, Canonical(graph).rule)
        if changed is graph:
            return graph
        graph = changed


class Canonical:
    """One way through a graph."""

    def __init__(self, graph: Graph) -> None:
        """Start behind the header."""
        self.inputs = graph.inputs
        # A body sees its own parameters only, so no size of an input is read in there.
        self.top = {value for node in graph.nodes for value in node.results}
        self.known = KnownValues(graph.headers)

    def rule(self, node: Node) -> Replacement | None:
        """Return what stands for `node`, or None."""
        replacement = self.simpler(node)
        for new in replacement.nodes if replacement else (node,):
            self.known.note(new)
        return replacement

    def simpler(self, node: Node) -> Replacement | None:
        """Return the first simplification that applies."""
        for rule in RULES.get(node.op, ()):
            replacement = rule(node, self.known)
            if replacement:
                return replacement
        if node.op.commutative:
            return self.ordered(node)
        if node.op is dim:
            return self.size(node)
        return first_axis(node) if node.op is scan else None

    def ordered(self, node: Node) -> Replacement | None:
        """Order the operands of a commutative node: as they were made, numbers last."""
        for value in node.operands:
            self.known.place(value)
        operands = sorted(
            node.operands,
            key=lambda value: (
                self.known.number(value) is not None,
                self.known.place(value),
            ),
        )
        if operands == list(node.operands):
            return None
        return Replacement(node.results, (with_operands(node, operands),))

    def size(self, node: Node) -> Replacement | None:
        """Read a size off an input that has it, so that no other tensor is kept for it."""
        (x,) = node.operands
        size = x.type.shape[attributes_of(node)["axis"]]
        if isinstance(size, int):
            attributes = {"dtype": DType.I64, "shape": (), "value": (size,)}
            known = make_node(constant, (), attributes, (), node.location)
            return Replacement(known.results, (known,))
        if node.result not in self.top or x in self.inputs:
            return None
        for value in self.inputs:
            if size in value.type.shape:
                axis = value.type.shape.index(size)
                read = make_node(dim, (value,), {"axis": axis}, (), node.location)
                return Replacement(read.results, (read,))
        return None


def first_axis(node: Node) -> Replacement | None:
    """Return a scan along axis 0 between transposes, or None if it is one."""
    facts = attributes_of(node)
    axis, carries = facts["axis"], facts["carries"]
    if axis == 0:
        return None
    nodes: list[Node] = []
    operands: list[Value] = []
    for index, value in enumerate(node.operands):
        if index >= carries + facts["consts"]:
            order = (axis, *(n for n in range(value.type.rank) if n != axis))
            nodes.append(turned(value, order, node))
            value = nodes[-1].result
        operands.append(value)
    bodies: tuple[Body, ...] = tuple(copy_body(body) for body in node.bodies)
    attributes = {**facts, "axis": 0}
    loop = make_node(scan, tuple(operands), attributes, bodies, node.location)
    nodes.append(loop)
    results = list(loop.results[:carries])
    for value in loop.results[carries:]:
        order = (*range(1, axis + 1), 0, *range(axis + 1, value.type.rank))
        nodes.append(turned(value, order, node))
        results.append(nodes[-1].result)
    return Replacement(results, nodes)


def turned(value: Value, permutation: tuple[int, ...], node: Node) -> Node:
    """Return a transpose of `value` at the place of `node`."""
    return make_node(transpose, (value,), {"permutation": permutation}, (), node.location)
