"""Diagrams of graphs.

Parameters, state and constants stand inside the boxes that read them: an edge for each
would hide how data flows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lxc.drawing.diagram import Box, Diagram, Edge
from lxc.ir.graph import Graph
from lxc.ir.node import Body, Node, Value
from lxc.ir.printer import print_attribute
from lxc.ir.work_text import ops_line
from lxc.structure import Structure

CONSTANTS = ("constant", "iota", "scratch")
SPREADS = ("broadcast", "convert")
PRODUCTS = ("dot", "conv", "attention")
KINDS = {"layer": "layer", "chain": "layer", "fused": "fused", "scan": "loop"}
MOVES = (
    *("broadcast", "concat", "convert", "gather", "noop", "pad", "reshape"),
    *("reverse", "slice", "transpose"),
)
LONGEST = 200
"""The most characters of an attribute: constants can be long."""

LINES = 4
"""How many parameters a box shows by name."""

Source = tuple[int, int]
"""The place of a box, and of one of its results."""


@dataclass
class Scope:
    """The boxes of one list of nodes so far, and where its values come from.

    `beside` are the values without an edge, by what is to be said of them.
    """

    boxes: list[Box] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    sources: dict[Value, Source] = field(default_factory=dict)
    beside: dict[Value, str] = field(default_factory=dict)

    def add(self, box: Box, operands: Sequence[Value], results: Sequence[Value]) -> None:
        """Add a box with edges from where its operands come from."""
        place = len(self.boxes)
        self.boxes.append(box)
        for operand, value in enumerate(operands):
            if value in self.sources:
                source, result = self.sources[value]
                self.edges.append(Edge(source, place, result, operand, str(value.type)))
        for result, value in enumerate(results):
            if value not in self.beside:
                self.sources[value] = place, result

    def begin(self, title: str, value: Value, place: int) -> None:
        """Add a box for something that comes in."""
        self.add(Box(title, "input", layers=(title,), place=place), (), (value,))

    def end(self, title: str, value: Value, place: int) -> None:
        """Add a box for something that leaves."""
        said = self.beside.get(value)
        lines = () if said is None else (said,)
        self.add(Box(title, "output", lines, layers=(title,), place=place), (value,), ())

    @property
    def diagram(self) -> Diagram:
        """What was collected."""
        return Diagram(tuple(self.boxes), tuple(self.edges))


def diagram_of(graph: Graph) -> Diagram:
    """Return the diagram of a graph."""
    scope = Scope()
    for place, value in enumerate(graph.inputs):
        scope.begin(value.name[1:], value, place)
    for value in (*graph.params, *graph.state, *graph.data, *graph.prepared):
        scope.beside[value] = f"{value.name} {value.type}"
    add_nodes(scope, graph.nodes)
    names = graph.output_tree.paths("y")
    for place, value in enumerate(graph.outputs):
        # The graph that prepares parameters returns values that no tree has.
        scope.end(names[place] if place < len(names) else f"y{place}", value, place)
    for place, (old, new) in enumerate(zip(graph.state, graph.updates, strict=True)):
        if new not in scope.beside:
            scope.end(old.name, new, len(graph.outputs) + place)
    return scope.diagram


def add_nodes(scope: Scope, nodes: Sequence[Node]) -> None:
    """Add boxes for nodes; constants become lines of those that read them."""
    for node in nodes:
        if (said := constant_text(node, scope.beside)) is not None:
            scope.beside[node.result] = said
            continue
        inner = body_scope(node, node.bodies[0], scope.beside) if node.bodies else None
        body = None if inner is None else inner.diagram
        box = box_of(node, scope.beside, body)
        if inner is not None and node.op.name in ("layer", "chain"):
            # A layer may return what it was given.
            outputs = zip(node.results, node.bodies[0].outputs, strict=True)
            handed = ((value, inner.beside.get(output)) for value, output in outputs)
            scope.beside |= {value: said for value, said in handed if said is not None}
        scope.add(box, node.operands, node.results)


def constant_text(node: Node, beside: Mapping[Value, str]) -> str | None:
    """Return what is to be said of a node that has the same result in every call."""
    name = node.op.name
    if name in CONSTANTS:
        values = node.attributes.get("value")
        if isinstance(values, tuple) and len(values) == 1:
            return f"= {number_text(values[0])}"
        return f"{name} {node.result.type}"
    if name in SPREADS and node.operands[0] in beside:
        said = beside[node.operands[0]]
        return said if said.startswith("=") else None
    return None


def number_text(value: object) -> str:
    """Return a number for people."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def box_of(node: Node, beside: Mapping[Value, str], body: Diagram | None) -> Box:
    """Return the box of a node with something inside."""
    name, layers = node.op.name, node.location.layers
    said = [beside[value] for value in node.operands if value in beside]
    kind = KINDS.get(name) or kind_of(name)
    lines = [", ".join(layers)] if kind in ("layer", "fused", "loop") and layers else []
    if kind != "layer":
        lines += said[:LINES]
        lines += [f"and {len(said) - LINES} more"] if len(said) > LINES else []
    result = str(node.results[0].type) if node.results else ""
    facts = facts_of(node, said)
    return Box(title_of(node), kind, tuple(lines), facts, layers, body, result)


def kind_of(name: str) -> str:
    """Return how an op without a body looks."""
    if name in MOVES:
        return "move"
    return "product" if any(word in name for word in PRODUCTS) else "math"


def title_of(node: Node) -> str:
    """Return the name of a node: for a layer its kind, for a kernel what it does."""
    if node.op.name in ("layer", "chain"):
        return str(node.attributes["kind"])
    if node.op.name == "scan":
        return f"scan, {node.attributes['length']} steps"
    return ops_line(node)


def facts_of(node: Node, said: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return everything that the text form of a node says, but for what is inside."""
    facts = [("op", node.op.name)]
    facts += [("layer", layer) for layer in node.location.layers]
    facts += [("source", node.location.source)] if node.location.source else []
    facts += [("takes", f"{value.type}") for value in node.operands]
    facts += [("reads", text) for text in said]
    facts += [("gives", f"{value.type}") for value in node.results]
    for name, value in node.attributes.items():
        if value is not None and not isinstance(value, Structure):
            facts.append((name, print_attribute(value)[:LONGEST]))
    return tuple(facts)


def body_scope(node: Node, body: Body, beside: Mapping[Value, str]) -> Scope:
    """Return the boxes of a body; what its node reads without an edge, it does too."""
    scope = Scope()
    pairs = list(zip(body.parameters, node.operands, strict=True))
    scope.beside = {inner: beside[outer] for inner, outer in pairs if outer in beside}
    flowing = [place for place, (_, outer) in enumerate(pairs) if outer not in beside]
    for place in flowing:
        title = "input" if len(flowing) == 1 else f"input {place}"
        scope.begin(title, body.parameters[place], place)
    add_nodes(scope, body.nodes)
    made = [place for place, one in enumerate(body.outputs) if one not in scope.beside]
    for place in made:
        title = "output" if len(made) == 1 else f"output {place}"
        scope.end(title, body.outputs[place], place)
    return scope
