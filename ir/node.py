"""Values, nodes and bodies: the immutable pieces that graphs are made of.

A value is defined once: in a header, as a parameter of a body, or as a result of a node.
Values and nodes are equal only to themselves; what a graph means is compared through its
text form.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lxc.ir.op import Attribute, Op
from lxc.ir.types import TensorType


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor of known type.

    `name` is empty for results of nodes and parameters of bodies, which the printer
    numbers. A header value has a sigil and a tree path: `%x` (input), `@layer_1.weight`
    (param), `$layer_2.running_mean` (state), `^packed_0` (prepared) or `#1f2e3d4c` (data).
    """

    type: TensorType
    name: str = ""


@dataclass(frozen=True)
class Location:
    """Where a node comes from: an ordered set of layer paths and a line of source."""

    layers: tuple[str, ...] = ()
    source: str = ""

    def join(self, other: "Location") -> "Location":
        """Return the place of a node that stands for nodes of both places."""
        layers = (*self.layers, *(path for path in other.layers if path not in self.layers))
        return Location(layers, self.source or other.source)


NOWHERE = Location()


@dataclass(frozen=True, eq=False)
class Body:
    """A closed piece of program inside a node: it sees its own parameters only."""

    parameters: tuple[Value, ...]
    nodes: tuple["Node", ...]
    outputs: tuple[Value, ...]

    @property
    def output_types(self) -> tuple[TensorType, ...]:
        """The types of what the body yields."""
        return tuple(value.type for value in self.outputs)


@dataclass(frozen=True, eq=False)
class Node:
    """An op applied to operands; `attributes` hold every attribute that the op declares."""

    op: Op
    operands: tuple[Value, ...]
    attributes: Mapping[str, Attribute]
    results: tuple[Value, ...]
    bodies: tuple[Body, ...] = ()
    location: Location = NOWHERE

    @property
    def result(self) -> Value:
        """The only result of a node that has one."""
        (value,) = self.results
        return value


def walk(nodes: Iterable[Node]) -> Iterator[Node]:
    """Yield every node, each before the nodes of its bodies."""
    for node in nodes:
        yield node
        for body in node.bodies:
            yield from walk(body.nodes)


def users(nodes: Iterable[Node]) -> dict[Value, list[Node]]:
    """Return the nodes that read each value, in order, without looking into bodies."""
    readers: dict[Value, list[Node]] = {}
    for node in nodes:
        for value in dict.fromkeys(node.operands):
            readers.setdefault(value, []).append(node)
    return readers
