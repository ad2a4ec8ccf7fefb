"""Remove what only hands on its operands."""

from lxc.ir.graph import Graph
from lxc.ir.node import Node
from lxc.ir.ops.structure import chain, layer, noop
from lxc.ir.rewrite import Replacement, rewrite
from lxc.passes.nodes import substitute


def remove_noops(graph: Graph) -> Graph:
    """Let the readers of a no-op read its operands instead.

    A layer or chain whose body does nothing is one too. Outputs and updates follow, so a
    model that only forwards its input becomes a graph without nodes.
    """
    return rewrite(graph, forward)


def forward(node: Node) -> Replacement | None:
    """Return the operands that stand for the results of a no-op, or None."""
    if node.op is noop:
        return Replacement(node.operands)
    if node.op in (chain, layer) and not node.bodies[0].nodes:
        body = node.bodies[0]
        given = dict(zip(body.parameters, node.operands, strict=True))
        return Replacement(substitute(body.outputs, given))
    return None
