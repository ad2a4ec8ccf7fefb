"""Append nodes to a graph under construction; types are inferred on the way."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.ir.node import NOWHERE, Body, Location, Node, Value
from lxc.ir.op import Attribute, Op
from lxc.ir.ops.shape import broadcast, constant
from lxc.ir.types import Array, type_of_array

CONSTANT_BYTES = 64
"""The most that a `constant` node holds; anything larger becomes a data header line."""


def make_node(
    op: Op,
    operands: tuple[Value, ...],
    attributes: Mapping[str, Attribute],
    bodies: tuple[Body, ...] = (),
    location: Location = NOWHERE,
) -> Node:
    """Return a node with fresh results and all attributes, in the op's own order."""
    complete = {name: attributes[name] for name in op.attributes if name in attributes}
    complete |= {n: value for n, value in op.defaults.items() if n not in complete}
    complete = {name: complete[name] for name in op.attributes if name in complete}
    types = op.infer(tuple(value.type for value in operands), complete, bodies)
    return Node(op, operands, complete, tuple(map(Value, types)), bodies, location)


class Builder:
    """A list of nodes that grows, of a graph or of a body inside an outer builder.

    A body's builder captures: a value of an outer builder that is used inside becomes a
    parameter of the body (`captures`, outer value to parameter, in order of first use).
    """

    def __init__(
        self, outer: "Builder | None" = None, location: Location = NOWHERE
    ) -> None:
        """Start empty; nodes get `location` unless they are given their own."""
        self.outer = outer
        self.depth: int = outer.depth + 1 if outer else 0
        self.location = location
        self.nodes: list[Node] = []
        self.captures: dict[Value, Value] = {}
        self.data: dict[str, tuple[Value, Array]] = outer.data if outer else {}
        self.closed = False

    def add(
        self,
        op: Op,
        *operands: Value,
        bodies: tuple[Body, ...] = (),
        location: Location | None = None,
        **attributes: Attribute,
    ) -> tuple[Value, ...]:
        """Append a node and return its results."""
        node = make_node(op, operands, attributes, bodies, location or self.location)
        self.nodes.append(node)
        return node.results

    def capture(self, value: Value, home: "Builder") -> Value:
        """Return the value that stands here for `value` of the builder `home`."""
        if home is self:
            return value
        if home.closed or self.outer is None:
            raise LxcError(
                "LXC-E0107",
                "a traced tensor is used outside of the call that made it",
                hint="return it from the layer instead of storing it",
            )
        outside = self.outer.capture(value, home)
        if outside not in self.captures:
            self.captures[outside] = Value(outside.type)
        return self.captures[outside]

    def array(self, array: Array) -> Value:
        """Return a value that holds `array`: a constant node, or data of the graph."""
        array = np.asarray(array, order="C")
        bits = array.view(f"u{array.itemsize}")
        if array.size and (bits == bits.flat[0]).all():
            (scalar,) = self.add(constant, **constant_attributes(array.flat[0].reshape(())))
            if array.shape == ():
                return scalar
            return self.add(broadcast, scalar, shape=array.shape, axes=())[0]
        if array.nbytes <= CONSTANT_BYTES:
            return self.add(constant, **constant_attributes(array))[0]
        return self.capture(*self.store(array))

    def store(self, array: Array) -> tuple[Value, "Builder"]:
        """Return the data value of the outermost builder with the content of `array`."""
        root = self
        while root.outer:
            root = root.outer
        value_type = type_of_array(array)
        digest = hashlib.sha256(str(value_type).encode() + array.tobytes()).hexdigest()
        name = f"#{digest[:16]}"
        if name not in root.data:
            array = array.copy()
            array.flags.writeable = False
            root.data[name] = (Value(value_type, name), array)
        return root.data[name][0], root


def constant_attributes(array: Array) -> dict[str, Any]:
    """Return the attributes of the `constant` node with the elements of `array`."""
    value_type = type_of_array(array)
    number = float if value_type.dtype.is_float else int
    if array.dtype == np.bool_:
        number = bool
    values = tuple(number(item) for item in array.ravel())
    return {"dtype": value_type.dtype, "shape": value_type.shape, "value": values}
