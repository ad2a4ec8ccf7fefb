"""Build a changed copy of a graph or body, node by node."""

from collections.abc import Callable, Iterable, Sequence

from lxc.ir.graph import Graph
from lxc.ir.node import Body, Node, Value

Substitution = dict[Value, Value]
Rule = Callable[[Node], "Replacement | None"]
"""Called with a node whose operands are already replaced; None keeps the node."""


class Replacement:
    """What stands for a node: new nodes in order, and the values for its results."""

    def __init__(self, results: Sequence[Value], nodes: Iterable[Node] = ()) -> None:
        """Take one value per result of the node."""
        self.results = tuple(results)
        self.nodes = tuple(nodes)


def with_operands(node: Node, operands: Sequence[Value]) -> Node:
    """Return a node that reads `operands` and keeps the results, or the node itself."""
    if tuple(operands) == node.operands:
        return node
    return Node(
        node.op, tuple(operands), node.attributes, node.results, node.bodies, node.location
    )


def with_bodies(node: Node, bodies: Sequence[Body]) -> Node:
    """Return a node with other bodies and the same results, or the node itself."""
    if tuple(bodies) == node.bodies:
        return node
    return Node(
        node.op, node.operands, node.attributes, node.results, tuple(bodies), node.location
    )


def rewrite_nodes(
    nodes: Iterable[Node], rule: Rule, values: Substitution
) -> tuple[Node, ...]:
    """Return the nodes after `rule`; `values` gains what stands for replaced results."""
    result: list[Node] = []
    for node in nodes:
        node = with_operands(node, [values.get(value, value) for value in node.operands])
        node = with_bodies(node, [rewrite_body(body, rule) for body in node.bodies])
        replacement = rule(node)
        if replacement is None:
            result.append(node)
            continue
        result.extend(replacement.nodes)
        values.update(zip(node.results, replacement.results, strict=True))
    return tuple(result)


def rewrite_body(body: Body, rule: Rule) -> Body:
    """Return a body after `rule`, or the body itself if nothing changed."""
    values: Substitution = {}
    nodes = rewrite_nodes(body.nodes, rule, values)
    outputs = tuple(values.get(value, value) for value in body.outputs)
    if nodes == body.nodes and outputs == body.outputs:
        return body
    return Body(body.parameters, nodes, outputs)


def rewrite(graph: Graph, rule: Rule) -> Graph:
    """Return a graph after `rule`, which sees inner nodes before the nodes that hold them.

    Outputs and updates follow the values that stand for replaced results.
    """
    values: Substitution = {}
    nodes = rewrite_nodes(graph.nodes, rule, values)
    outputs = tuple(values.get(value, value) for value in graph.outputs)
    updates = tuple(values.get(value, value) for value in graph.updates)
    if (nodes, outputs, updates) == (graph.nodes, graph.outputs, graph.updates):
        return graph
    return graph.replaced(nodes=nodes, outputs=outputs, updates=updates)
