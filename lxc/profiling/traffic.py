"""Which bytes a kernel reads again and again, and which were just made.

Between two reads of the same weight everything else of the model is read, so weights come
from the smallest cache that holds a whole pass over the kernels. In the body of a scan, a
pass is one step.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from lxc.ir.dim import evaluate_size
from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value
from lxc.passes.nodes import attributes_of


@dataclass(frozen=True)
class Traffic:
    """Bytes of weights that a node reads, and of one pass over all nodes beside it."""

    weights: int
    between: int


def traffic_in(graph: Graph, sizes: Mapping[str, int]) -> dict[Node, Traffic]:
    """Return the traffic of every kernel of a graph, at some sizes of its dimensions."""
    weights = {*graph.params, *graph.data, *graph.prepared, *graph.frozen}
    return dict(passes(graph.nodes, weights, sizes))


def passes(
    nodes: Sequence[Node], weights: Set[Value], sizes: Mapping[str, int]
) -> Iterator[tuple[Node, Traffic]]:
    """Yield the nodes that run one after the other, and those inside of scans."""
    touched = {value for node in nodes for value in node.results}
    touched |= {value for node in nodes for value in node.operands if value in weights}
    between = sum(bytes_of(value, sizes) for value in touched)
    for node in nodes:
        read = sum(
            bytes_of(value, sizes) for value in set(operands_read(node)) & set(weights)
        )
        yield node, Traffic(read, between)
        if node.op.name == "scan":
            facts, body = attributes_of(node), node.bodies[0]
            first = facts["carries"]
            constants = body.parameters[first : first + facts["consts"]]
            yield from passes(body.nodes, set(constants), sizes)


def operands_read(node: Node) -> tuple[Value, ...]:
    """Return the operands that a node reads as a whole."""
    return node.operands[1:] if node.op.name == "gather" else node.operands


def bytes_of(value: Value, sizes: Mapping[str, int]) -> int:
    """Return the size of a value."""
    kind = value.type
    return evaluate_size(kind.element_count, sizes) * kind.dtype.bytes
