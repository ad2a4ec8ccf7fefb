"""Which inputs hold indices of a table, so that a caller can check them."""

from collections.abc import Mapping

import numpy as np

from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value
from lxc.ir.ops.gather import gather
from lxc.ir.ops.logic import cast
from lxc.ir.ops.shape import broadcast, reshape, reverse, transpose
from lxc.passes.nodes import attributes_of, producers

MOVING = frozenset({broadcast, reshape, reverse, transpose})
"""Ops that keep every element of their operand."""


def index_ranges(graph: Graph) -> Mapping[Value, int]:
    """Return for each input how many entries all tables have that its elements index.

    An input counts if no index outside of the table is allowed, and if every element of it
    is an index: it may be reshaped on the way, but not sliced.
    """
    made = producers(graph.nodes)
    found: dict[Value, int] = {}
    for node in graph.nodes:
        if node.op is not gather or attributes_of(node)["mode"] != "inside":
            continue
        table, indices = node.operands
        count = table.type.shape[attributes_of(node)["axis"]]
        source = origin(indices, made)
        if source in graph.inputs and isinstance(count, int) and count > 0:
            found[source] = min(count, found.get(source, count))
    return found


def origin(value: Value, made: Mapping[Value, Node]) -> Value:
    """Return the value whose elements those of `value` are."""
    node = made.get(value)
    while node and (node.op in MOVING or widens(node)):
        (value,) = node.operands
        node = made.get(value)
    return value


def widens(node: Node) -> bool:
    """Return whether a node converts integers to a type that holds all of them."""
    if node.op is not cast:
        return False
    (x,) = node.operands
    types = x.type.dtype, node.result.type.dtype
    if not all(dtype.is_integer for dtype in types):
        return False
    return np.can_cast(types[0].numpy, types[1].numpy)
