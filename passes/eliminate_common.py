"""Compute what is the same only once."""

from collections.abc import Sequence

from lxc.ir.graph import Graph
from lxc.ir.node import NOWHERE, Body, Location, Node, Value
from lxc.ir.ops.scratch import scratch
from lxc.ir.printer import Printer, print_attributes
from lxc.ir.rewrite import with_bodies, with_operands
from lxc.passes.nodes import substitute

Key = tuple[str, tuple[Value, ...], str, tuple[str, ...]]


def eliminate_common(graph: Graph) -> Graph:
    """Let one of several nodes with the same op, operands and attributes stand for all.

    It gets the layer paths of all of them. A number that several places need belongs to
    none of them.
    """
    values: dict[Value, Value] = {}
    nodes = merged(graph.nodes, values)
    if nodes == graph.nodes:
        return graph
    return graph.replaced(
        nodes=nodes,
        outputs=substitute(graph.outputs, values),
        updates=substitute(graph.updates, values),
    )


def merged(nodes: Sequence[Node], values: dict[Value, Value]) -> tuple[Node, ...]:
    """Return the nodes that are different; `values` gains what stands for the others."""
    first: dict[Key, Node] = {}
    places: dict[Node, Location] = {}
    for node in nodes:
        node = with_operands(node, substitute(node.operands, values))
        node = with_bodies(node, [merged_body(body) for body in node.bodies])
        # Kernels write to scratch memory, so two pieces of it are not the same.
        kept = node if node.op is scratch else first.setdefault(key_of(node), node)
        if kept is node:
            places[node] = node.location
            continue
        values.update(zip(node.results, kept.results, strict=True))
        if node.operands:
            places[kept] = places[kept].join(node.location)
        elif places[kept] != node.location:
            places[kept] = NOWHERE
    return tuple(with_location(node, place) for node, place in places.items())


def merged_body(body: Body) -> Body:
    """Return a body in which nothing is computed twice."""
    values: dict[Value, Value] = {}
    nodes = merged(body.nodes, values)
    if nodes == body.nodes:
        return body
    return Body(body.parameters, nodes, substitute(body.outputs, values))


def key_of(node: Node) -> Key:
    """Return what two nodes have in common that compute the same."""
    bodies = tuple(print_body(body) for body in node.bodies)
    return node.op.name, node.operands, print_attributes(node.attributes), bodies


def print_body(body: Body) -> str:
    """Return a body as text that names no values of its own."""
    printer = Printer(locations=False)
    parameters = [printer.typed(value) for value in body.parameters]
    return "\n".join([*parameters, *printer.body(body, "")])


def with_location(node: Node, location: Location) -> Node:
    """Return a node at another place, or the node itself."""
    if node.location == location:
        return node
    return Node(
        node.op, node.operands, node.attributes, node.results, node.bodies, location
    )
