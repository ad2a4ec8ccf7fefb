"""When values are needed: the run of a graph as a line of ticks, loops included.

Every node has a tick. A scan has one tick before its body (initial carries are copied,
results begin to be written) and one behind it (last carries are copied out), with the ticks
of its body in between; one pass over the body stands for all of its steps.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value
from lxc.ir.ops.shape import reshape
from lxc.ir.ops.structure import fused, scan
from lxc.passes.nodes import attributes_of, producers


@dataclass(eq=False)
class Life:
    """The ticks from the first write of a value to its last read, both included."""

    first: int
    last: int


@dataclass(eq=False)
class Timeline:
    """The lives of all values that need a place, and the nodes by their ticks."""

    lives: dict[Value, Life] = field(default_factory=dict)
    kernels: list[tuple[int, Node]] = field(default_factory=list)
    carries: set[Value] = field(default_factory=set)
    now: int = 0


def timeline_of(graph: Graph, stored_elsewhere: Iterable[Value]) -> Timeline:
    """Return when each value must be kept; what is stored elsewhere needs no place."""
    timeline = Timeline()
    walk_nodes(graph.nodes, timeline)
    # Results are read after the last node, which so may not write over one of them.
    timeline.now += 1
    for value in graph.results:
        touch(timeline, value)
    for value in stored_elsewhere:
        timeline.lives.pop(value, None)
    return timeline


def walk_nodes(nodes: Sequence[Node], timeline: Timeline) -> None:
    """Let the nodes happen one after the other."""
    for node in nodes:
        timeline.now += 1
        for value in node.operands:
            touch(timeline, value)
        for value in node.results:
            timeline.lives[value] = Life(timeline.now, timeline.now)
        if node.op is scan:
            walk_loop(node, timeline)
            for value in (*node.operands, *node.results):
                touch(timeline, value)
        else:
            timeline.kernels.append((timeline.now, node))


def walk_loop(node: Node, timeline: Timeline) -> None:
    """Let one step of a scan happen; its carries are kept through all of it."""
    body = node.bodies[0]
    carries = body.parameters[: attributes_of(node)["carries"]]
    for value in carries:
        timeline.lives[value] = Life(timeline.now, timeline.now)
    timeline.carries.update(carries)
    walk_nodes(body.nodes, timeline)
    timeline.now += 1
    for value in (*carries, *body.outputs):
        touch(timeline, value)


def touch(timeline: Timeline, value: Value) -> None:
    """Keep `value` until now, if it is one that needs a place."""
    if value in timeline.lives:
        timeline.lives[value].last = timeline.now


def is_alias(node: Node) -> bool:
    """Return whether a kernel only reshapes, so that its result is its operand."""
    return node.op is fused and all(inner.op is reshape for inner in node.bodies[0].nodes)


def replaceable_operands(node: Node) -> list[Value]:
    """Return the operands that the result of a kernel may overwrite as it is made.

    Such an operand is read only at the index that is written at that moment, and its
    elements lie where those of the result do.
    """
    if node.op is not fused:
        return []
    body = node.bodies[0]
    if any(inner.op.kind == "reduction" for inner in body.nodes):
        return []
    made = producers(body.nodes)
    elementwise = {body.outputs[0]}
    elsewhere: set[Value] = set()
    for inner in reversed(body.nodes):
        same = inner.op.kind == "elementwise" and inner.result in elementwise
        (elementwise if same else elsewhere).update(inner.operands)
    result = node.result.type
    return [
        operand
        for operand, parameter in zip(node.operands, body.parameters, strict=True)
        if parameter in elementwise
        and parameter not in elsewhere
        and parameter not in made
        and operand.type == result
    ]
