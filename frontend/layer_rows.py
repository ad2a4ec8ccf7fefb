"""A traced model as a list of its layers: what each takes, gives and costs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lxc.ir.dim import Size
from lxc.ir.flops import flops_of
from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value
from lxc.ir.ops import structure
from lxc.tree import unflatten

LAYERS = (structure.layer, structure.chain, structure.noop)


@dataclass(frozen=True)
class LayerRow:
    """One layer of a model.

    `path` says where its variables stand, `name` is the part of it behind that of the layer
    around, and empty where both are the same. `outputs` is a tree of types. `parameters`
    and `state` count what the layer is given, `flops` the operations in one call of the
    model, all three with the layers inside. `calls` says how often that call runs the
    layer; `outputs` is what the last time gives.
    """

    path: str
    name: str
    kind: str
    depth: int
    outputs: Any
    parameters: Size
    state: Size
    flops: Size
    calls: Size = 1


@dataclass(frozen=True)
class Place:
    """Where nodes stand: inside which layer, how deep, and how often that runs.

    `headers` says which header value of the graph a value is, for those that are one.
    `arrays` and `settings` say what the entries of the state count as, by path.
    """

    headers: Mapping[Value, Value]
    arrays: Mapping[str, Size]
    settings: Mapping[str, Size]
    path: str = ""
    depth: int = 0
    calls: Size = 1


def layer_rows(graph: Graph, entries: Mapping[str, Size]) -> list[LayerRow]:
    """Return the layers of a graph, each before those inside of it.

    `entries` says what the entries of the state count as, by path; those that are no array
    belong to the layers that their paths lead through.
    """
    names = {value.name[1:] for value in graph.state}
    arrays = {path: count for path, count in entries.items() if path in names}
    settings = {path: count for path, count in entries.items() if path not in names}
    given = {value: value for value in (*graph.params, *graph.state)}
    return rows_of(graph.nodes, Place(given, arrays, settings))


def rows_of(nodes: Iterable[Node], place: Place) -> list[LayerRow]:
    """Return the rows of nodes; a layer that is called repeatedly has one for all calls."""
    blocks: dict[object, list[LayerRow]] = {}
    for node in nodes:
        if node.op in LAYERS:
            block = block_of(node, place)
        else:
            block = [row for inside in insides(node, place) for row in rows_of(*inside)]
        named = bool(block) and block[0].path != place.path
        key = tuple((row.path, row.kind) for row in block) if named else node
        blocks[key] = repeated(blocks[key], block) if key in blocks else block
    return [row for block in blocks.values() for row in block]


def block_of(node: Node, place: Place) -> list[LayerRow]:
    """Return the row of a layer and the rows of those inside of it."""
    path = node.location.layers[0] if node.location.layers else ""
    inner = replace(place, path=path, depth=place.depth + 1)
    row = LayerRow(
        path,
        path.removeprefix(place.path).removeprefix("."),
        str(node.attributes.get("kind", "NoOpLayer")),
        place.depth,
        outputs_of(node),
        sum_of(value.type.element_count for value in headers_of(node, place, "@")),
        state_of(node, place, path),
        flops_of(node) * place.calls,
        place.calls,
    )
    return [row, *(below for inside in insides(node, inner) for below in rows_of(*inside))]


def insides(node: Node, place: Place) -> list[tuple[tuple[Node, ...], Place]]:
    """Return the nodes of each body, and where they stand."""
    steps: Any = node.attributes["length"] if node.op is structure.scan else 1
    found = []
    for body in node.bodies:
        pairs = zip(body.parameters, node.operands, strict=True)
        headers = {own: place.headers[v] for own, v in pairs if v in place.headers}
        found.append(
            (body.nodes, replace(place, headers=headers, calls=place.calls * steps))
        )
    return found


def repeated(first: list[LayerRow], second: list[LayerRow]) -> list[LayerRow]:
    """Return the rows of a layer that is called again, with the first state."""
    return [
        replace(
            before,
            outputs=after.outputs,
            flops=before.flops + after.flops,
            calls=before.calls + after.calls,
        )
        for before, after in zip(first, second, strict=True)
    ]


def outputs_of(node: Node) -> Any:
    """Return the types of what a layer gives, as a tree."""
    types = [value.type for value in node.results]
    if node.op is structure.noop:
        return types[0] if len(types) == 1 else tuple(types)
    tree: Any = node.attributes["tree_out"]
    return unflatten(tree, types[: tree.leaf_count])


def headers_of(node: Node, place: Place, sigil: str) -> list[Value]:
    """Return the header values of one section that a node takes, each once."""
    found = (place.headers[value] for value in node.operands if value in place.headers)
    return [value for value in dict.fromkeys(found) if value.name.startswith(sigil)]


def state_of(node: Node, place: Place, path: str) -> Size:
    """Return what the state of a layer counts as: its arrays, then its settings.

    A layer without a path of its own has the settings of the layer around only if it is
    given any of its arrays: else it may be anything that is called in there.
    """
    arrays = headers_of(node, place, "$")
    total = sum_of(place.arrays.get(value.name[1:], 0) for value in arrays)
    if path == place.path and place.depth and not arrays + headers_of(node, place, "@"):
        return total
    prefix = f"{path}." if path else ""
    return total + sum_of(
        n for name, n in place.settings.items() if name.startswith(prefix)
    )


def sum_of(counts: Iterable[Size]) -> Size:
    """Return the sum of sizes."""
    total: Size = 0
    for count in counts:
        total = total + count
    return total
