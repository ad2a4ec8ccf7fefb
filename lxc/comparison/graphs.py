"""What differs between the traced graphs of two artifacts, layer by layer.

Values are numbered through a whole graph, so the text of a graph changes behind every op
that is added. Here an op is its name, its attributes and its types, at its layer.
"""

from collections.abc import Iterator

from lxc.comparison.blame import reading
from lxc.comparison.change import ADDED, CHANGED, REMOVED, Change, several
from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value, walk
from lxc.ir.printer import Printer, print_attributes
from lxc.runtime.artifact import Artifact
from lxc.stored_model import IR, stored_graph

MODEL = "the model"


def graph_changes(a: Artifact, b: Artifact) -> Iterator[Change]:
    """Yield what differs in the IR that the models were traced to."""
    if IR not in a or IR not in b:
        if IR in a or IR in b:
            yield Change(REMOVED if IR in a else ADDED, IR)
        return
    if a.view(IR) == b.view(IR):
        return
    graphs = []
    for one in (a, b):
        with reading(one.name):
            graphs.append(stored_graph(one))
    yield from graph_changes_between(*graphs)


def graph_changes_between(first: Graph, second: Graph) -> Iterator[Change]:
    """Yield what differs between two graphs but for their headers."""
    found = [*layer_changes(first, second)]
    yield from found
    if not found:
        if whole_flow(first) != whole_flow(second):
            yield Change(CHANGED, MODEL, after="how values flow between layers")
        elif sources(first) != sources(second):
            yield Change(CHANGED, MODEL, after="lines of source")


def layer_changes(first: Graph, second: Graph) -> Iterator[Change]:
    """Yield the ops that only one of two graphs has at a layer, or that flow otherwise."""
    before, after = by_layer(first), by_layer(second)
    for layer in dict.fromkeys((*before, *after)):
        old, new = before.get(layer, []), after.get(layer, [])
        found = [*several(layer or MODEL, map(op_text, old), map(op_text, new))]
        yield from found
        if not found and flow(old) != flow(new):
            yield Change(CHANGED, layer or MODEL, after="how values flow between its ops")


def whole_flow(graph: Graph) -> list[str]:
    """Return the text of a graph without its header and the lines of source."""
    printer = Printer(locations=False)
    lines = [*printer.nodes(graph.nodes, "")]
    return [*lines, *map(printer.name, graph.results)]


def sources(graph: Graph) -> list[str]:
    """Return the line of source of every node."""
    return [node.location.source for node in walk(graph.nodes)]


def by_layer(graph: Graph) -> dict[str, list[Node]]:
    """Return the nodes of a graph, those of bodies too, by layer path."""
    found: dict[str, list[Node]] = {}
    for node in walk(graph.nodes):
        found.setdefault(", ".join(node.location.layers), []).append(node)
    return found


def op_text(node: Node) -> str:
    """Return an op with attributes and types, and without the names of values."""
    said = print_attributes(node.attributes)
    attributes = f" {{{said}}}" if said else ""
    return f"{node.op}({types(node.operands)}){attributes} -> {types(node.results)}"


def types(values: tuple[Value, ...]) -> str:
    """Return the types of values."""
    return ", ".join(str(value.type) for value in values)


def flow(nodes: list[Node]) -> list[str]:
    """Return which values the nodes of a layer read and make, numbered from its first.

    Params, state and constants have their own names; inputs of a model are like values of
    other layers.
    """
    numbers: dict[Value, int] = {}
    lines = []
    for node in nodes:
        inner = [
            value for body in node.bodies for value in (*body.parameters, *body.outputs)
        ]
        values = (*node.operands, *node.results, *inner)
        names = (
            value.name
            if value.name and not value.name.startswith("%")
            else f"%{numbers.setdefault(value, len(numbers))}"
            for value in values
        )
        lines.append(f"{node.op} {' '.join(names)}")
    return lines
