"""Let what convolutions read as bfloat16 be stored in no other form."""

from collections.abc import Mapping, Sequence

from lxc.ir.builder import make_node
from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value, users
from lxc.ir.ops.arithmetic import add, subtract
from lxc.ir.ops.contract import conv
from lxc.ir.ops.logic import cast
from lxc.ir.ops.reduce import reduce_window
from lxc.ir.ops.shape import pad
from lxc.ir.rewrite import with_operands
from lxc.ir.types import DType
from lxc.passes.nodes import substitute

Readers = Mapping[Value, Sequence[Node]]
ADDING = frozenset({add, subtract})
"""Ops whose result loses no more, in proportion to the largest, than what they read."""
ON_THE_WAY = frozenset({pad, reduce_window})
"""What may stand between a value that is rounded and the convolution that reads it."""


def keep_halves(graph: Graph) -> Graph:
    """Return a graph in which the other readers of a rounded value read it rounded as well.

    Such are the additions of residual blocks. The value is then made once, with half as
    many bytes, and no kernel does nothing but round it.
    """
    readers = users(graph.nodes)
    kept = {value: node for value in readers if (node := rounding(value, graph, readers))}
    if not kept:
        return graph
    wide: dict[Value, Value] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        if node in kept.values():
            continue
        nodes.append(with_operands(node, substitute(node.operands, wide)))
        for value in node.results:
            if value in kept:
                half = kept[value]
                facts = {"dtype": value.type.dtype}
                back = make_node(cast, half.results, facts, (), half.location)
                nodes += [half, back]
                wide[value] = back.result
    return graph.replaced(nodes=tuple(nodes))


def rounding(value: Value, graph: Graph, readers: Readers) -> Node | None:
    """Return what rounds a value for a convolution, if others may read that instead."""
    found = [node for node in readers[value] if rounds(node)]
    others = [node for node in readers[value] if node not in found]
    if len(found) != 1 or not others or value in (*graph.headers, *graph.results):
        return None
    if not all(node.op in ADDING | ON_THE_WAY for node in others):
        return None
    # A copy with edges costs the most; for one without it is not worth to lose digits.
    pads = [node for node in readers.get(found[0].result, []) if node.op is pad]
    return found[0] if any(feeds_convolution(one.result, readers) for one in pads) else None


def rounds(node: Node) -> bool:
    """Return whether a node rounds float32 to bfloat16."""
    from_single = node.operands[:1] and node.operands[0].type.dtype is DType.F32
    return bool(from_single) and node.op is cast and node.result.type.dtype is DType.BF16


def feeds_convolution(value: Value, readers: Readers) -> bool:
    """Return whether a convolution reads a value, or what surrounds it."""
    return any(
        (node.op is conv and node.operands[0] is value)
        or (node.op in ON_THE_WAY and feeds_convolution(node.result, readers))
        for node in readers.get(value, [])
    )
