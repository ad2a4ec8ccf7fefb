"""The text form of graphs, written out. The docstring of `parser.py` is the grammar.

Results and body parameters are numbered in the order of printing, so two graphs that differ
only in the identity of their values print alike.
"""

from collections.abc import Iterator, Mapping
from typing import Protocol

from lxc.ir.dim import Dim, Expression
from lxc.ir.node import Body, Location, Node, Value
from lxc.ir.op import Attribute
from lxc.ir.types import DType
from lxc.structure import Structure, print_float, quote


class GraphLike(Protocol):
    """What the printer reads of a graph."""

    @property
    def name(self) -> str:
        """The name behind `graph @`."""

    @property
    def calling(self) -> str:
        """The word before the opening brace."""

    @property
    def mode(self) -> str:
        """What the model was traced for."""

    @property
    def dims(self) -> tuple[Dim, ...]:
        """The named dimensions."""

    @property
    def inputs(self) -> tuple[Value, ...]:
        """The `%` header values."""

    @property
    def params(self) -> tuple[Value, ...]:
        """The `@` header values."""

    @property
    def state(self) -> tuple[Value, ...]:
        """The `$` header values."""

    @property
    def data(self) -> tuple[Value, ...]:
        """The `#` header values."""

    @property
    def prepared(self) -> tuple[Value, ...]:
        """The `^` header values."""

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes in order."""

    @property
    def outputs(self) -> tuple[Value, ...]:
        """What the graph returns."""

    @property
    def updates(self) -> tuple[Value, ...]:
        """The new values of the state."""

    @property
    def trees(self) -> Mapping[str, Structure]:
        """The nesting of each section, by the section's name."""

    @property
    def places(self) -> Mapping[Value, int]:
        """Where values lie in the arena, if memory was planned."""

    @property
    def arena_bytes(self) -> int | None:
        """The size of the arena, if memory was planned."""


def print_graph(graph: GraphLike, *, locations: bool = True) -> str:
    """Return the text form of `graph`; without `locations` to compare what graphs mean."""
    return "\n".join(Printer(locations).graph(graph)) + "\n"


def print_nodes(nodes: tuple[Node, ...]) -> str:
    """Return a few nodes as text, for messages and explanations."""
    return "\n".join(Printer(locations=False).nodes(nodes, ""))


class Printer:
    """One printing of one graph: hands out the numbers of values."""

    def __init__(self, locations: bool) -> None:
        """Start numbering at zero."""
        self.locations = locations
        self.names: dict[Value, str] = {}

    def name(self, value: Value) -> str:
        """Return the printed name of `value`, numbering it at first sight."""
        if value.name:
            return value.name
        return self.names.setdefault(value, f"%{len(self.names)}")

    def typed(self, value: Value) -> str:
        """Return `value` as it stands where it is defined."""
        return f"{self.name(value)}: {value.type}"

    def graph(self, graph: GraphLike) -> Iterator[str]:
        """Yield the lines of a graph."""
        yield f"graph @{graph.name} {graph.calling} {{"
        yield from self.header(graph)
        yield ""
        yield from self.nodes(graph.nodes, "  ")
        for old, new in zip(graph.state, graph.updates, strict=True):
            if old is not new:
                yield f"  update {self.name(old)} = {self.name(new)}"
        yield "  return " + ", ".join(self.name(value) for value in graph.outputs)
        if graph.arena_bytes is not None:
            yield f"  arena {graph.arena_bytes}"
            for value, place in graph.places.items():
                yield f"  place {self.name(value)} = {place}"
        yield "}"

    def header(self, graph: GraphLike) -> Iterator[str]:
        """Yield the buffer table: dimensions, header values and the trees they come in."""
        if graph.mode != "test":
            yield f"  mode {graph.mode}"
        for dim in graph.dims:
            yield f"  dim {dim.name}: {dim.low}..{dim.high}"
        sections = (
            ("input", graph.inputs),
            ("param", graph.params),
            ("state", graph.state),
            ("data", graph.data),
            ("prepared", graph.prepared),
        )
        for word, values in sections:
            for value in values:
                yield f"  {word} {self.typed(value)}"
        for section, tree in graph.trees.items():
            yield f"  tree {section} = {tree}"

    def nodes(self, nodes: tuple[Node, ...], indent: str) -> Iterator[str]:
        """Yield the lines of a list of nodes."""
        for node in nodes:
            yield from self.node(node, indent)

    def node(self, node: Node, indent: str) -> Iterator[str]:
        """Yield the lines of one node, its bodies included."""
        results = ", ".join(self.typed(value) for value in node.results)
        operands = ", ".join(self.name(value) for value in node.operands)
        line = f"{indent}{results} = {node.op}({operands})"
        if said := print_attributes(node.attributes):
            line += f" {{{said}}}"
        for body in node.bodies:
            parameters = ", ".join(self.typed(value) for value in body.parameters)
            yield f"{line} ({parameters}) {{"
            yield from self.body(body, indent + "  ")
            line = indent + "}"
        yield line + (print_location(node.location) if self.locations else "")

    def body(self, body: Body, indent: str) -> Iterator[str]:
        """Yield the lines between the braces of a body."""
        yield from self.nodes(body.nodes, indent)
        yield indent + "yield " + ", ".join(self.name(value) for value in body.outputs)


def print_location(location: Location) -> str:
    """Return ` at layer_1, layer_2 "model.py:3"`, or what of it is known."""
    words = ", ".join(location.layers)
    if location.source:
        words = f"{words} {quote(location.source)}".lstrip()
    return f" at {words}" if words else ""


def print_attributes(attributes: Mapping[str, Attribute]) -> str:
    """Return `name = value` pairs in the order that the op declares.

    An attribute that nothing is said of has no value, and is left out.
    """
    said = {name: value for name, value in attributes.items() if value is not None}
    return ", ".join(f"{name} = {print_attribute(v)}" for name, v in said.items())


def print_attribute(value: Attribute) -> str:
    """Return one attribute as text; floats are hexadecimal and read back exactly."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return print_float(value)
    if isinstance(value, int | DType | Expression):
        return str(value)
    if isinstance(value, Structure):
        return f"tree {value}"
    if isinstance(value, tuple):
        return f"[{', '.join(print_attribute(item) for item in value)}]"
    return quote(str(value))
