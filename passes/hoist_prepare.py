"""Split a graph into what runs once for a set of parameters and what runs in every call."""

from lxc.ir.graph import Graph, Program
from lxc.ir.node import Node, Value
from lxc.ir.rewrite import with_operands
from lxc.passes.nodes import substitute
from lxc.passes.parameter_values import hoisted_nodes, is_free, parameter_leaves
from lxc.structure import EMPTY, LEAF, Structure


def hoist_prepare(graph: Graph) -> Program:
    """Move what follows from the parameters, and is worth keeping, into a graph of its own.

    Nothing is changed but where nodes stand: `prepare` returns the values that `run` reads
    under the names `^packed_0`, `^packed_1`, ... Each half has its own copy of a free node
    that both need.
    """
    hoisted = hoisted_nodes(graph)
    leaves = parameter_leaves(graph)
    duplicable = {
        node for node in graph.nodes if is_free(node) and node.results[0] in leaves
    }
    once = [node for node in graph.nodes if node in hoisted or node in duplicable]
    calls = [node for node in graph.nodes if node not in hoisted]
    read = values_read(calls, graph.results, duplicable)
    handed = [value for node in graph.nodes if node in hoisted for value in node.results]
    handed = [value for value in handed if value in read]
    return Program(
        prepared_half(graph, without_unread(once, handed, duplicable), handed),
        calling_half(graph, without_unread(calls, graph.results, duplicable), handed),
    )


def values_read(
    nodes: list[Node], results: tuple[Value, ...], optional: set[Node]
) -> set[Value]:
    """Return what `nodes` read and return, `optional` ones only as far as they are read."""
    read = set(results)
    for node in reversed(nodes):
        if node not in optional or any(value in read for value in node.results):
            read.update(node.operands)
    return read


def without_unread(
    nodes: list[Node], results: list[Value] | tuple[Value, ...], optional: set[Node]
) -> tuple[Node, ...]:
    """Return `nodes` without the `optional` ones that lead to nothing."""
    read = values_read(nodes, tuple(results), optional)
    return tuple(
        node
        for node in nodes
        if node not in optional or any(value in read for value in node.results)
    )


def prepared_half(graph: Graph, nodes: tuple[Node, ...], handed: list[Value]) -> Graph:
    """Return the graph that computes `handed`; it changes no state."""
    return graph.replaced(
        inputs=(),
        input_tree=EMPTY,
        nodes=nodes,
        outputs=tuple(handed),
        output_tree=Structure("list", (), (LEAF,) * len(handed)),
        updates=graph.state,
    )


def calling_half(graph: Graph, nodes: tuple[Node, ...], handed: list[Value]) -> Graph:
    """Return the graph that reads `handed` as prepared header values."""
    prepared = tuple(
        Value(value.type, f"^packed_{number}") for number, value in enumerate(handed)
    )
    table = dict(zip(handed, prepared, strict=True))
    return graph.replaced(
        prepared=prepared,
        nodes=tuple(
            with_operands(node, substitute(node.operands, table)) for node in nodes
        ),
        outputs=substitute(graph.outputs, table),
        updates=substitute(graph.updates, table),
    )
