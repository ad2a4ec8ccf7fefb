"""Remove what nobody reads."""

from collections.abc import Iterable, Sequence

from lxc.ir.graph import Graph
from lxc.ir.node import Body, Node, Value
from lxc.ir.ops.structure import scan
from lxc.ir.rewrite import with_bodies
from lxc.passes.nodes import attributes_of


def eliminate_dead(graph: Graph) -> Graph:
    """Remove nodes that lead to no output and no update; the header stays as it is.

    A scan loses the per-step values that nobody reads, and the operands that no step reads.
    """
    nodes = living(graph.nodes, graph.results)
    return graph if nodes == graph.nodes else graph.replaced(nodes=nodes)


def living(nodes: Sequence[Node], results: Iterable[Value]) -> tuple[Node, ...]:
    """Return the nodes that lead to `results`; what they make keeps its identity."""
    read = set(results)
    kept: list[Node] = []
    for node in reversed(nodes):
        if any(value in read for value in node.results):
            node = trimmed_loop(node, read) if node.op is scan else trimmed(node)
            read.update(node.operands)
            kept.append(node)
    return tuple(reversed(kept))


def trimmed(node: Node) -> Node:
    """Return a node without dead nodes in its bodies."""
    return with_bodies(node, [living_body(body) for body in node.bodies])


def living_body(body: Body) -> Body:
    """Return a body without dead nodes."""
    nodes = living(body.nodes, body.outputs)
    return body if nodes == body.nodes else Body(body.parameters, nodes, body.outputs)


def trimmed_loop(node: Node, read: set[Value]) -> Node:
    """Return a scan without the stacked results and the operands that are not needed."""
    facts = attributes_of(node)
    carries, consts = facts["carries"], facts["consts"]
    body = node.bodies[0]
    wanted = [i for i, value in enumerate(node.results) if i < carries or value in read]
    shorter = living_body(
        Body(body.parameters, body.nodes, tuple(body.outputs[i] for i in wanted))
    )
    inside = {v for inner in shorter.nodes for v in inner.operands} | set(shorter.outputs)
    taken = [i for i, v in enumerate(body.parameters) if i < carries or v in inside]
    results = tuple(node.results[i] for i in wanted)
    if len(results) == len(node.results) and len(taken) == len(body.parameters):
        return with_bodies(node, [living_body(body)])
    parameters = tuple(body.parameters[i] for i in taken)
    last = Body(parameters, shorter.nodes, shorter.outputs)
    left = sum(carries <= i < carries + consts for i in taken)
    return Node(
        scan,
        tuple(node.operands[i] for i in taken),
        {**facts, "consts": left},
        results,
        (last,),
        node.location,
    )
