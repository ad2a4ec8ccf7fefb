"""What of a call can still be read in its memory when it is over."""

from collections.abc import Mapping
from math import prod

from lxc.ir.dim import evaluate_size
from lxc.ir.graph import Graph
from lxc.ir.node import Value
from lxc.ir.ops.scratch import scratch
from lxc.ir.types import Array
from lxc.passes.liveness import timeline_of
from lxc.passes.loop_memory import is_alias

ALIGNMENT = 64


def remains(graph: Graph, memory: Array, sizes: Mapping[str, int]) -> dict[Value, Array]:
    """Return the results of nodes that nothing else was written over, out of `memory`.

    `graph` is planned, and `memory` is the block that its values lie in.
    """
    wanted = [v for node in graph.nodes if node.op is not scratch for v in node.results]
    kept = survivors(graph)
    return {
        value: array_at(memory, graph.places[value], value, sizes)
        for value in wanted
        if value in kept
    }


def survivors(graph: Graph) -> set[Value]:
    """Return the values whose bytes nothing was written to after them."""
    lives = timeline_of(graph, ()).lives
    names = other_names(graph)
    placed = [
        (graph.places[value], graph.places[value] + value.type.max_bytes, value)
        for value in lives
        if value in graph.places
    ]
    return {
        value
        for start, end, value in placed
        if not any(
            first < end and start < last and lives[other].first >= lives[value].first
            for first, last, other in placed
            if other is not value and names.get(other, other) is not names.get(value, value)
        )
    }


def other_names(graph: Graph) -> dict[Value, Value]:
    """Return whose memory each reshaped value is, where it lies in the same place."""
    names: dict[Value, Value] = {}
    for node in graph.nodes:
        if is_alias(node):
            (old,) = node.operands
            new, places = node.result, graph.places
            if new in places and places[new] == places.get(old):
                names[new] = names.get(old, old)
    return names


def array_at(memory: Array, place: int, value: Value, sizes: Mapping[str, int]) -> Array:
    """Return a copy of a value that lies in `memory`."""
    shape = tuple(evaluate_size(entry, sizes) for entry in value.type.shape)
    size = prod(shape) * value.type.dtype.bytes
    found: Array = memory[place : place + size].view(value.type.dtype.numpy)
    return found.reshape(shape).copy()


def spread(graph: Graph) -> Graph:
    """Return a planned graph in which every value has memory of its own."""
    places: dict[Value, int] = {}
    end = 0
    for value in graph.places:
        places[value] = end
        end += -(-value.type.max_bytes // ALIGNMENT) * ALIGNMENT
    return graph.replaced(places=places, arena_bytes=end)
