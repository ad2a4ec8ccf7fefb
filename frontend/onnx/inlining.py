"""Put the functions that an ONNX file defines in the places where they are called.

Functions call each other, so a short file can stand for any number of nodes: they are
counted first.
"""

from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TypeAlias

from google.protobuf.message import DecodeError, EncodeError
from onnx import ModelProto, NodeProto
from onnx.checker import ValidationError
from onnx.inliner import inline_local_functions

from lxc.errors import LxcError

Key: TypeAlias = tuple[str, str, str]

MOST_NODES = 2**17
"""The most nodes that functions make of a file."""


def with_functions_in_place(model: ModelProto, file: str) -> ModelProto:
    """Return a model without functions of its own, or raise."""
    if not model.functions:
        return model
    try:
        total = inlined_count(model)
        if total > MOST_NODES:
            raise LxcError(
                "LXC-E0115",
                f"the functions of {file} make too many nodes",
                expected=f"at most {MOST_NODES}",
                actual=f"{total}",
            )
        return inline_local_functions(model)
    except CycleError:
        problem = "a function calls itself"
    except (DecodeError, EncodeError, RuntimeError, ValidationError, ValueError) as error:
        problem = str(error)
    raise LxcError(
        "LXC-E0115", f"the functions of {file} cannot be put in place", actual=problem
    )


def inlined_count(model: ModelProto) -> int:
    """Return how many nodes a model has when its functions are in place."""
    bodies = {(f.domain, f.name, f.overload): f.node for f in model.functions}
    calls = {
        key: [key_of(node) for node in all_nodes(body) if key_of(node) in bodies]
        for key, body in bodies.items()
    }
    counts: dict[Key, int] = {}
    for key in TopologicalSorter(calls).static_order():
        counts[key] = counted(bodies[key], counts)
    return counted(model.graph.node, counts)


def counted(nodes: Iterable[NodeProto], counts: Mapping[Key, int]) -> int:
    """Return how many nodes a list of them stands for."""
    return sum(counts.get(key_of(node), 1) for node in all_nodes(nodes))


def all_nodes(nodes: Iterable[NodeProto]) -> Iterator[NodeProto]:
    """Yield nodes with those of the graphs in them."""
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                yield from all_nodes(graph.node)


def key_of(node: NodeProto) -> Key:
    """Return the name under which a function is called."""
    return node.domain, node.op_type, node.overload
