"""Pad the parts of a joined value, so that each can be made with its edges."""

from collections.abc import Mapping, Sequence

from lxc.ir.builder import make_node
from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value, users
from lxc.ir.ops.shape import concat, pad
from lxc.ir.rewrite import with_operands
from lxc.passes.fusion_rules import HALOED
from lxc.passes.nodes import attributes_of, producers, substitute


def pad_parts(graph: Graph) -> Graph:
    """Join padded values where a kernel needs the padded form of a joined value.

    Then the parts are copied once, with their edges, instead of once without and once with.
    """
    while joins := joins_to_pad(graph):
        graph = with_padded_parts(graph, joins)
    return graph


def joins_to_pad(graph: Graph) -> dict[Node, Node]:
    """Return the pads that are the only readers of a join along an axis without edges."""
    made, readers = producers(graph.nodes), users(graph.nodes)
    found: dict[Node, Node] = {}
    for node in graph.nodes:
        join = made.get(node.operands[0]) if node.op is pad else None
        if join is None or join.op is not concat or not feeds_halo(node.result, readers):
            continue
        facts, axis = attributes_of(node), attributes_of(join)["axis"]
        bare = not any(facts[name][axis] for name in ("low", "high", "interior"))
        if bare and readers[join.result] == [node] and join.result not in graph.results:
            found[node] = join
    return found


def feeds_halo(value: Value, readers: Mapping[Value, Sequence[Node]]) -> bool:
    """Return whether a kernel needs a padded value, whole or joined with others."""
    for reader in readers.get(value, []):
        if reader.op in HALOED and reader.operands[0] is value:
            return True
        if reader.op is concat and feeds_halo(reader.result, readers):
            return True
    return False


def with_padded_parts(graph: Graph, joins: Mapping[Node, Node]) -> Graph:
    """Return the graph in which the parts of joins are padded instead of the whole."""
    dropped = set(joins.values())
    values: dict[Value, Value] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        if node in dropped:
            continue
        if node not in joins:
            nodes.append(with_operands(node, substitute(node.operands, values)))
            continue
        parts = substitute(joins[node].operands, values)
        pads = [
            make_node(pad, (value, node.operands[1]), node.attributes, (), node.location)
            for value in dict.fromkeys(parts)
        ]
        padded = {one.operands[0]: one.result for one in pads}
        wide = tuple(padded[value] for value in parts)
        join = joins[node]
        whole = make_node(concat, wide, join.attributes, (), join.location)
        values[node.result] = whole.result
        nodes += [*pads, whole]
    results = substitute(graph.outputs, values), substitute(graph.updates, values)
    return graph.replaced(nodes=tuple(nodes), outputs=results[0], updates=results[1])
