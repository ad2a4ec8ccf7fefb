"""When values are needed: the run of a graph as a line of ticks, loops included.

Every node has a tick. A scan has one tick before its body (initial carries are copied,
results begin to be written) and one behind it (last carries are copied out), with the ticks
of its body in between; one pass over the body stands for all of its steps.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value
from lxc.ir.ops.structure import scan
from lxc.passes.loop_memory import loop_memory
from lxc.passes.nodes import attributes_of


@dataclass(eq=False)
class Life:
    """The ticks from the first write of a value to its last read, both included."""

    first: int
    last: int


@dataclass(eq=False)
class Timeline:
    """The lives of all values that need a place, and the nodes by their ticks.

    `carries` are those of all loops, `heirs` the new carries that may lie where the old
    ones do.
    """

    lives: dict[Value, Life] = field(default_factory=dict)
    kernels: list[tuple[int, Node]] = field(default_factory=list)
    carries: set[Value] = field(default_factory=set)
    heirs: dict[Value, Value] = field(default_factory=dict)
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
    """Let one step of a scan happen; its carries are kept through all of it.

    What is written into a stacked result, and carries that are read there, need no place.
    """
    body, memory = node.bodies[0], loop_memory(node)
    carries = body.parameters[: attributes_of(node)["carries"]]
    carries = tuple(value for value in carries if value not in memory.behind)
    for value in carries:
        timeline.lives[value] = Life(timeline.now, timeline.now)
    timeline.carries.update(carries)
    timeline.heirs.update(memory.heirs)
    walk_nodes(body.nodes, timeline)
    for value in memory.slots:
        del timeline.lives[value]
    timeline.now += 1
    for value in (*carries, *body.outputs):
        touch(timeline, value)


def touch(timeline: Timeline, value: Value) -> None:
    """Keep `value` until now, if it is one that needs a place."""
    if value in timeline.lives:
        timeline.lives[value].last = timeline.now
