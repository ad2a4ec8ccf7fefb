"""Which new states are written where the old ones may lie, so that nobody copies them."""

from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value
from lxc.ir.ops.structure import scan
from lxc.passes.loop_memory import is_alias, replaceable_operands
from lxc.passes.nodes import producers


def states_in_place(graph: Graph) -> dict[Value, int]:
    """Return the updates that kernels may write over the old state, with its number.

    Nobody reads the old state any more, or it is read by that kernel at the very index that
    is written. What is an output as well is written there.
    """
    made = producers(graph.nodes)
    found: dict[Value, int] = {}
    for number, (old, new) in enumerate(zip(graph.state, graph.updates, strict=True)):
        if new in made and graph.results.count(new) == 1:
            names = names_of(graph, old)
            if names.isdisjoint(graph.results) and may_replace(graph, made[new], names):
                found[new] = number
    return found


def names_of(graph: Graph, value: Value) -> set[Value]:
    """Return a value and all others that are the same memory under another shape."""
    names = {value}
    for node in graph.nodes:
        if is_alias(node) and node.operands[0] in names:
            names.update(node.results)
    return names


def may_replace(graph: Graph, maker: Node, names: set[Value]) -> bool:
    """Return whether a kernel may write its result over the memory with these names."""
    if maker.op is scan or len(maker.results) > 1 or is_alias(maker):
        return False
    behind = graph.nodes[graph.nodes.index(maker) + 1 :]
    if any(not names.isdisjoint(node.operands) for node in behind):
        return False
    return names & {*maker.operands} <= {*replaceable_operands(maker)}
