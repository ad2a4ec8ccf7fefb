"""The signature of a graph: its header as callers of the compiled model see it."""

from collections.abc import Iterable

from lxc.ir.graph import Graph
from lxc.ir.node import Value
from lxc.ir.size_json import size_to_json
from lxc.runtime.extent import from_json
from lxc.runtime.signature import Dim, Group, Leaf, Signature, check, identifier
from lxc.targets.index_ranges import index_ranges


def signature_of(graph: Graph, *, name: str, mode: str) -> Signature:
    """Return the signature of a graph that is compiled under a name."""
    frozen, below = graph.frozen, index_ranges(graph)
    outputs = zip(graph.output_tree.paths("y"), graph.outputs, strict=True)
    signature = Signature(
        name=identifier(name),
        calling=graph.calling,
        mode=mode,
        dims=tuple(Dim(dim.name, dim.low, dim.high) for dim in graph.dims),
        inputs=Group(
            graph.input_tree,
            tuple(
                leaf(value, path(value), below=below.get(value)) for value in graph.inputs
            ),
        ),
        params=Group(graph.param_tree, leaves(graph.params)),
        state=Group(
            graph.state_tree,
            tuple(
                leaf(value, path(value), frozen=value in frozen) for value in graph.state
            ),
        ),
        outputs=Group(
            graph.output_tree, tuple(leaf(value, name) for name, value in outputs)
        ),
        data=leaves(graph.data),
    )
    check(signature)
    return signature


def leaves(values: Iterable[Value]) -> tuple[Leaf, ...]:
    """Return header values as leaves."""
    return tuple(leaf(value, path(value)) for value in values)


def path(value: Value) -> str:
    """Return the tree path of a header value, without its sigil."""
    return value.name[1:]


def leaf(
    value: Value, name: str, *, frozen: bool = False, below: int | None = None
) -> Leaf:
    """Return a value as a leaf."""
    shape = tuple(from_json(size_to_json(entry)) for entry in value.type.shape)
    return Leaf(name, value.type.dtype.numpy.name, shape, frozen, below)
