"""Which values follow from the parameters alone, and which of them are worth preparing.

A value is parameter-only if it follows from params, frozen state, data and constants, and
takes no part in sizes that are known only at run time. Scratch memory is no such value.
Such a node is *work*, or it is *free*: a constant, or a view that is read as fast through
an index as from own memory.
"""

from collections.abc import Iterable

from lxc.ir.graph import Graph
from lxc.ir.node import Body, Node, Value
from lxc.ir.ops.channels_last import channels_last_conv
from lxc.ir.ops.contract import conv, dot_general
from lxc.ir.ops.packed import PACKED
from lxc.ir.ops.paired import PAIRED
from lxc.ir.ops.scratch import scratch
from lxc.ir.ops.shape import broadcast, constant, iota, pad, reshape, slice
from lxc.ir.ops.structure import fused
from lxc.ir.ops.winograd import winograd_conv
from lxc.ir.ops.winograd_rows import winograd_row_conv
from lxc.passes.nodes import is_static, producers

FREE = frozenset({constant, iota, broadcast, slice, reshape})
WEIGHTED = (
    frozenset({conv, channels_last_conv, dot_general, winograd_conv, winograd_row_conv})
    | PACKED
    | PAIRED
)
"""Products: the second operand of each may be a weight."""

FILLED_UP = 64
"""How many bytes a pad may add to what is kept: that much fills up a vector."""

Leaves = dict[Value, frozenset[Value]]


def parameter_leaves(graph: Graph) -> Leaves:
    """Return every parameter-only value with the header values that it is computed from."""
    frozen = graph.frozen
    headers = (
        *graph.params,
        *(leaf for leaf in graph.state if leaf in frozen),
        *graph.data,
    )
    leaves: Leaves = {value: frozenset({value}) for value in headers}
    for node in graph.nodes:
        known = all(value in leaves for value in node.operands)
        if known and is_static(node) and node.op is not scratch:
            origin: frozenset[Value] = frozenset()
            for value in node.operands:
                origin |= leaves[value]
            leaves.update((value, origin) for value in node.results)
    return leaves


def is_free(node: Node) -> bool:
    """Return whether reading the operands of `node` is as good as reading its results."""
    if node.op is fused:
        return all(inner.op in FREE for inner in node.bodies[0].nodes)
    return node.op in FREE


def hoisted_nodes(graph: Graph) -> frozenset[Node]:
    """Return the nodes that run once for a set of parameters instead of in every call.

    A value that the calls read is worth it if it takes no more bytes than the leaves that
    it replaces, a vector that is filled up aside, or if it is the weight of a product. What
    is not stays in the calls, together with everything that is computed from it. Free nodes
    belong to neither side: each side has its own.
    """
    leaves = parameter_leaves(graph)
    work = {
        node: None
        for node in graph.nodes
        if node.results[0] in leaves and not is_free(node)
    }
    weights = weight_values(graph)
    while True:
        read = read_by_calls(graph, work, leaves)
        heavy = [
            node
            for node in work
            if any(value in read for value in node.results)
            and not is_worth(node, leaves, weights)
        ]
        if not heavy:
            return frozenset(needed(graph, work, read))
        for node in with_descendants(graph, heavy):
            work.pop(node, None)


def is_worth(node: Node, leaves: Leaves, weights: frozenset[Value]) -> bool:
    """Return whether the results of a parameter-only node may be kept between calls."""
    origin = leaves[node.results[0]]
    if any(value in weights for value in node.results):
        return bool(origin)
    kept = sum(value.type.max_bytes for value in node.results)
    most = sum(value.type.max_bytes for value in origin)
    return bool(origin) and kept <= most + (FILLED_UP if fills_up(node) else 0)


def fills_up(node: Node) -> bool:
    """Return whether a node pads and does no other work."""
    parts = node.bodies[0].nodes if node.op is fused else (node,)
    return all(part.op in (*FREE, pad) for part in parts)


def read_by_calls(graph: Graph, work: Iterable[Node], leaves: Leaves) -> set[Value]:
    """Return what nodes outside of `work` read, free nodes as far as they are needed."""
    hoisted = set(work)
    read = set(graph.results)
    for node in reversed(graph.nodes):
        if node in hoisted:
            continue
        free = is_free(node) and node.results[0] in leaves
        if not free or any(value in read for value in node.results):
            read.update(node.operands)
    return read


def needed(graph: Graph, work: Iterable[Node], read: set[Value]) -> list[Node]:
    """Return the nodes of `work` that lead to a value in `read`."""
    hoisted = set(work)
    wanted = {value for node in hoisted for value in node.results if value in read}
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        if any(value in wanted for value in node.results):
            wanted.update(node.operands)
            if node in hoisted:
                kept.append(node)
    return kept


def with_descendants(graph: Graph, nodes: Iterable[Node]) -> list[Node]:
    """Return `nodes` and every node that is computed from their results."""
    found = set(nodes)
    tainted = {value for node in found for value in node.results}
    for node in graph.nodes:
        if any(value in tainted for value in node.operands):
            found.add(node)
            tainted.update(node.results)
    return [node for node in graph.nodes if node in found]


def weight_values(graph: Graph) -> frozenset[Value]:
    """Return the values that products read as weights, directly or through free nodes."""
    weights: set[Value] = set()
    for node in reversed(graph.nodes):
        if node.op in WEIGHTED:
            weights.add(node.operands[1])
        elif node.op is fused:
            weights.update(body_weights(node, weights))
        elif node.op in FREE and node.result in weights:
            weights.update(node.operands)
    return frozenset(weights)


def body_weights(node: Node, weights: set[Value]) -> list[Value]:
    """Return the operands of a fused node that its product reads as weights."""
    body = node.bodies[0]
    made = producers(body.nodes)
    starts = [inner.operands[1] for inner in body.nodes if inner.op in WEIGHTED]
    if is_free(node) and node.result in weights:
        starts.append(body.outputs[0])
    reached = reach(starts, made, body)
    return [
        operand
        for operand, parameter in zip(node.operands, body.parameters, strict=True)
        if parameter in reached
    ]


def reach(starts: list[Value], made: dict[Value, Node], body: Body) -> set[Value]:
    """Return the parameters of a body that `starts` read through nodes of the body."""
    pending, seen = list(starts), set(starts)
    while pending:
        node = made.get(pending.pop())
        for value in node.operands if node else ():
            if value not in seen:
                seen.add(value)
                pending.append(value)
    return seen & set(body.parameters)
