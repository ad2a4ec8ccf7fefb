"""Which kernels of a program are loops over their result that no generator has shaped."""

from collections.abc import Iterator, Sequence

from lxc.ir.node import Node, Value
from lxc.ir.ops.structure import scan
from lxc.passes.decision import Decision
from lxc.targets.kernels.opaque import OPAQUE
from lxc.targets.report import layers_of

REASON = "its loops go over the result, in vectors where elements lie side by side"


def generic_decisions(nodes: Sequence[Node]) -> Iterator[Decision]:
    """Yield one decision for every such node with a result of its own, also in loops."""
    makers = {value: node for node in nodes for value in node.results}
    for node in nodes:
        if node.op is scan:
            yield from generic_decisions(node.bodies[0].nodes)
        elif node.op.name in OPAQUE and node.result.type.rank > 0:
            yield decision_about(node, makers)


def decision_about(node: Node, makers: dict[Value, Node]) -> Decision:
    """Return what is said of one node: where it reads from first, and what it makes."""
    first = node.operands[0]
    maker = makers.get(first)
    return Decision(
        producer=str(maker.op) if maker else first.name,
        consumer=str(node.op),
        fused=False,
        rule="no generator",
        reason=REASON,
        would_allow="",
        layers=(layers_of(maker) if maker else "", layers_of(node)),
        shapes=(str(first.type), str(node.result.type)),
        about="generator",
    )
