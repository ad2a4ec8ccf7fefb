"""Take layers and chains apart into the operations that they are made of."""

from lxc.ir.graph import Graph
from lxc.ir.node import Node
from lxc.ir.ops.structure import chain, layer, noop
from lxc.ir.rewrite import Replacement, rewrite
from lxc.passes.nodes import splice


def inline_layers(graph: Graph) -> Graph:
    """Replace every layer, chain and no-op by what is inside of it, in the same order.

    Nodes keep the layer path that they carry; one without a path gets that of its layer.
    """
    return rewrite(graph, take_apart)


def take_apart(node: Node) -> Replacement | None:
    """Return the nodes of a layer or chain, or None."""
    if node.op is noop:
        return Replacement(node.operands)
    if node.op not in (chain, layer):
        return None
    nodes, results = splice(node)
    return Replacement(results, nodes)
