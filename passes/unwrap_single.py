"""Take the wrapping off chains of one layer."""

from lxc.ir.graph import Graph
from lxc.ir.node import Node
from lxc.ir.ops.structure import chain
from lxc.ir.rewrite import Replacement, rewrite
from lxc.passes.nodes import splice


def unwrap_single(graph: Graph) -> Graph:
    """Replace every chain of a single layer by the layer."""
    return rewrite(graph, unwrap)


def unwrap(node: Node) -> Replacement | None:
    """Return the only node of a chain, or None."""
    if node.op is not chain or len(node.bodies[0].nodes) != 1:
        return None
    nodes, results = splice(node)
    return Replacement(results, nodes)
