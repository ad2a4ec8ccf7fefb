"""Turn chains inside of chains into one chain."""

from lxc.ir.graph import Graph
from lxc.ir.node import Body, Node, Value
from lxc.ir.ops.structure import chain
from lxc.ir.rewrite import Replacement, rewrite, with_bodies, with_operands
from lxc.passes.nodes import splice, substitute


def flatten_chains(graph: Graph) -> Graph:
    """Put the layers of a chain that stands inside of a chain into the outer one.

    Only the structure changes: parameters keep their names and places.
    """
    return rewrite(graph, take_in)


def take_in(node: Node) -> Replacement | None:
    """Return a chain without chains in it, or None."""
    if node.op is not chain or all(inner.op is not chain for inner in node.bodies[0].nodes):
        return None
    body = node.bodies[0]
    values: dict[Value, Value] = {}
    nodes: list[Node] = []
    for inner in body.nodes:
        inner = with_operands(inner, substitute(inner.operands, values))
        if inner.op is chain:
            added, results = splice(inner)
            nodes.extend(added)
            values.update(zip(inner.results, results, strict=True))
        else:
            nodes.append(inner)
    flat = Body(body.parameters, tuple(nodes), substitute(body.outputs, values))
    return Replacement(node.results, (with_bodies(node, (flat,)),))
