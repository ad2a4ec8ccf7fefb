"""Small facts about nodes and bodies, and fresh copies of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lxc.ir.builder import make_node
from lxc.ir.dim import Expression
from lxc.ir.node import NOWHERE, Body, Location, Node, Value, walk
from lxc.ir.op import Attribute
from lxc.ir.ops.shape import constant
from lxc.ir.types import TensorType


def is_symbolic(value: Attribute) -> bool:
    """Return whether an attribute or a shape holds a size that only a run knows."""
    if isinstance(value, tuple):
        return any(is_symbolic(item) for item in value)
    return isinstance(value, Expression)


def is_static(node: Node) -> bool:
    """Return whether no type and no attribute of `node` depends on a named dimension."""
    return not any(
        is_symbolic(value.type.shape) for inner in walk((node,)) for value in inner.results
    ) and not any(
        is_symbolic(value) for inner in walk((node,)) for value in inner.attributes.values()
    )


def attributes_of(node: Node) -> Mapping[str, Any]:
    """Return the attributes of a node; the op's declaration says which types they have."""
    return node.attributes


def described(node: Node) -> str:
    """Return the name of a node's op and the layer it comes from: `chain in layer_1`."""
    layers = ", ".join(node.location.layers)
    return f"{node.op} in {layers}" if layers else str(node.op)


def producers(nodes: Iterable[Node]) -> dict[Value, Node]:
    """Return the node that makes each value, without looking into bodies."""
    return {value: node for node in nodes for value in node.results}


def with_attributes(
    node: Node, operands: Sequence[Value] | None = None, **changes: Attribute
) -> Node:
    """Return a fresh node like `node` with some attributes or operands replaced."""
    return make_node(
        node.op,
        node.operands if operands is None else tuple(operands),
        {**node.attributes, **changes},
        node.bodies,
        node.location,
    )


def scalar(
    value: bool | int | float, like: TensorType, location: Location = NOWHERE
) -> Node:
    """Return a constant node with one number of the element type of `like`."""
    attributes = {"dtype": like.dtype, "shape": (), "value": (value,)}
    return make_node(constant, (), attributes, (), location)


def copy_nodes(
    nodes: Iterable[Node], values: dict[Value, Value], location: Location = NOWHERE
) -> tuple[Node, ...]:
    """Return fresh nodes that read `values` for what they read; `values` gains the results.

    A node without a layer path gets `location`.
    """
    copies: list[Node] = []
    for node in nodes:
        results = tuple(Value(value.type) for value in node.results)
        operands = tuple(values.get(value, value) for value in node.operands)
        bodies = tuple(copy_body(body) for body in node.bodies)
        place = node.location if node.location.layers else node.location.join(location)
        copies.append(Node(node.op, operands, node.attributes, results, bodies, place))
        values.update(zip(node.results, results, strict=True))
    return tuple(copies)


def splice(node: Node) -> tuple[tuple[Node, ...], tuple[Value, ...]]:
    """Return fresh nodes that do what the only body of `node` does, and their results."""
    (body,) = node.bodies
    values = dict(zip(body.parameters, node.operands, strict=True))
    nodes = copy_nodes(body.nodes, values, node.location)
    return nodes, substitute(body.outputs, values)


def copy_body(body: Body) -> Body:
    """Return a body with the same meaning and values of its own."""
    parameters = tuple(Value(value.type) for value in body.parameters)
    values = dict(zip(body.parameters, parameters, strict=True))
    nodes = copy_nodes(body.nodes, values)
    return Body(parameters, nodes, tuple(values[value] for value in body.outputs))


def substitute(values: Iterable[Value], table: Mapping[Value, Value]) -> tuple[Value, ...]:
    """Return `values` with those in `table` replaced."""
    return tuple(table.get(value, value) for value in values)
