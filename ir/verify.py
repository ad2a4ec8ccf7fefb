"""Check that a graph is well formed.

The invariants, each checked by `verify`:

1. Header names carry the sigil of their section, a tree path and no name stands twice.
2. Every section has as many leaves as its tree; state has one update per leaf.
3. An update has the type of the state leaf it replaces.
4. A value is defined once, and before it is used; bodies use their own parameters only.
5. Every node's result types are what the op's type rule infers from operands and
   attributes.
6. A node holds all attributes of its op and no others, in the declared order.
7. A body yields at least one value; only ops that take bodies have them.
8. Every dimension in a type is declared in the header, with the same bounds.
9. Every data value has its contents, of its type, when the graph holds contents at all.
10. Planned places are multiples of 64 and end inside the arena.
11. In a program, `prepare` returns the values that `run` reads as prepared, in order and
    type.
12. No size is negative, and every size and every number of bytes fits 64 bits.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lxc.errors import LxcError
from lxc.ir.dim import Dim, dims_of
from lxc.ir.graph import Graph, Program
from lxc.ir.node import Body, Node, Value
from lxc.ir.printer import print_nodes
from lxc.ir.types import LARGEST, type_of_array

PATH = r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*"


class BrokenInvariant(LxcError):
    """A graph that is not well formed: which invariant, and where."""

    def __init__(self, number: int, problem: str, node: Node | None = None) -> None:
        """Show the node that breaks invariant `number`, if it is one node's fault."""
        super().__init__(
            "LXC-E0202",
            f"the graph is not well formed: {problem} (invariant {number})",
            layer=", ".join(node.location.layers) or None if node else None,
            op=print_nodes((node,)).splitlines()[0] if node else None,
        )
        self.invariant = number


class Verified:
    """The values and nodes that were found to be right, for graphs of some dimensions.

    They never change: what is right by itself once stays so in every graph. What depends on
    the nodes around them, which is invariant 4, is checked again in each.
    """

    def __init__(self) -> None:
        """Know nothing."""
        self._known: dict[tuple[Dim, ...], set[Node | Value]] = {}

    def among(self, dims: tuple[Dim, ...]) -> set[Node | Value]:
        """Return what was found in graphs of these dimensions, to add to."""
        return self._known.setdefault(dims, set())


@dataclass(frozen=True)
class Scope:
    """What nodes of one graph may refer to, and which of them are right by themselves."""

    dims: Mapping[str, Dim]
    right: set[Node | Value]


def verify(program: Graph | Program, verified: Verified | None = None) -> None:
    """Raise `BrokenInvariant` for the first invariant that does not hold.

    `verified` gains what is right; a later call passes over that.
    """
    verified = verified or Verified()
    if isinstance(program, Graph):
        verify_graph(program, verified)
        return
    verify_graph(program.prepare, verified)
    verify_graph(program.run, verified)
    handed = ", ".join(str(value.type) for value in program.prepare.outputs)
    wanted = ", ".join(str(value.type) for value in program.run.prepared)
    if handed != wanted:
        raise BrokenInvariant(11, f"prepare returns ({handed}), run reads ({wanted})")


def verify_graph(graph: Graph, verified: Verified) -> None:
    """Check one graph."""
    check_header(graph)
    dims = {dim.name: dim for dim in graph.dims}
    scope = Scope(dims, verified.among(graph.dims))
    for value in graph.headers:
        check_value(value, scope, None)
    seen = set(graph.headers)
    check_nodes(graph.nodes, seen, scope)
    for value in graph.results:
        if value not in seen:
            raise BrokenInvariant(4, "an output or update is not defined")
    check_places(graph)


def check_header(graph: Graph) -> None:
    """Check invariants 1, 2, 3 and 9."""
    sections = (
        ("%", graph.inputs),
        ("@", graph.params),
        ("$", graph.state),
        ("#", graph.data),
        ("^", graph.prepared),
    )
    names: set[str] = set()
    for sigil, values in sections:
        for value in values:
            # A model that is one bare tensor has params or state with an empty path.
            if not re.fullmatch(re.escape(sigil) + f"({PATH})?", value.name):
                raise BrokenInvariant(1, f"{value.name!r} is no name for a {sigil} value")
            if value.name in names:
                raise BrokenInvariant(1, f"{value.name} stands twice")
            names.add(value.name)
    trees = {
        "inputs": (graph.inputs, graph.input_tree),
        "params": (graph.params, graph.param_tree),
        "state": (graph.state, graph.state_tree),
    }
    for section, (values, tree) in trees.items():
        if not tree.is_sound():
            raise BrokenInvariant(2, f"the tree of {section} ties a leaf to a later one")
        if len(values) != tree.leaf_count and not (section == "inputs" and not values):
            raise BrokenInvariant(
                2, f"{section} has {len(values)} leaves and its tree {tree.leaf_count}"
            )
    if len(graph.updates) != len(graph.state):
        raise BrokenInvariant(2, "there is not one update per leaf of the state")
    for old, new in zip(graph.state, graph.updates, strict=True):
        if old.type != new.type:
            raise BrokenInvariant(3, f"{old.name}: {old.type} is updated by a {new.type}")
    for value in graph.data if graph.arrays else ():
        if value.name not in graph.arrays:
            raise BrokenInvariant(9, f"{value.name} has no contents")
        if type_of_array(graph.arrays[value.name]) != value.type:
            raise BrokenInvariant(9, f"the contents of {value.name} are not {value.type}")


def check_nodes(nodes: Iterable[Node], seen: set[Value], scope: Scope) -> None:
    """Check invariants 4 to 8 and 12 for a list of nodes; `seen` gains what they define."""
    for node in nodes:
        for value in node.operands:
            if value not in seen:
                raise BrokenInvariant(4, "an operand is not defined before its use", node)
        if node not in scope.right:
            check_node(node, scope)
            scope.right.add(node)
        for value in node.results:
            if value in seen:
                raise BrokenInvariant(4, "a result is defined twice", node)
            seen.add(value)


def check_node(node: Node, scope: Scope) -> None:
    """Check what does not depend on the nodes around a node."""
    if list(node.attributes) != list(node.op.attributes):
        raise BrokenInvariant(6, f"the attributes of {node.op} are not its own", node)
    if bool(node.bodies) != node.op.has_bodies:
        raise BrokenInvariant(7, f"{node.op} has {len(node.bodies)} bodies", node)
    for body in node.bodies:
        check_body(body, scope, node)
    check_types(node)
    for value in node.results:
        check_value(value, scope, node)


def check_body(body: Body, scope: Scope, node: Node) -> None:
    """Check a body, which sees nothing from outside."""
    inside = set(body.parameters)
    for value in body.parameters:
        check_value(value, scope, node)
    if len(inside) != len(body.parameters):
        raise BrokenInvariant(4, "a parameter stands twice", node)
    check_nodes(body.nodes, inside, scope)
    if not body.outputs:
        raise BrokenInvariant(7, "a body yields nothing", node)
    for value in body.outputs:
        if value not in inside:
            raise BrokenInvariant(4, "a yielded value is not defined", node)


def check_types(node: Node) -> None:
    """Check invariant 5 by running the type rule again."""
    operands = tuple(value.type for value in node.operands)
    try:
        inferred = node.op.infer(operands, node.attributes, node.bodies)
    except LxcError as problem:
        raise BrokenInvariant(5, problem.summary, node) from problem
    except (TypeError, ValueError, IndexError, AttributeError) as problem:
        raise BrokenInvariant(5, f"{node.op} does not take this: {problem}", node) from None
    written = tuple(value.type for value in node.results)
    if inferred != written:
        raise BrokenInvariant(5, f"{node.op} gives {', '.join(map(str, inferred))}", node)


def check_value(value: Value, scope: Scope, node: Node | None) -> None:
    """Check invariants 8 and 12 for the type of a value."""
    if value in scope.right:
        return
    for entry in value.type.shape:
        for dim in dims_of(entry):
            if scope.dims.get(dim.name) != dim:
                raise BrokenInvariant(8, f"dimension {dim.name} is not declared", node)
    fault = value.type.size_fault
    if fault:
        raise BrokenInvariant(12, fault, node)
    scope.right.add(value)


def check_places(graph: Graph) -> None:
    """Check invariant 10, and 12 for the arena."""
    if graph.arena_bytes is not None and not 0 <= graph.arena_bytes <= LARGEST:
        raise BrokenInvariant(12, f"the arena cannot have {graph.arena_bytes} bytes")
    for value, place in graph.places.items():
        end = place + value.type.max_bytes
        if place % 64 or graph.arena_bytes is None or not 0 <= end <= graph.arena_bytes:
            raise BrokenInvariant(
                10, f"a {value.type} lies at {place} outside of the arena"
            )
