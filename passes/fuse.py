"""Join nodes into kernels."""

from collections.abc import Iterable, Sequence

from lxc.ir.builder import make_node
from lxc.ir.graph import Graph
from lxc.ir.machine import Machine
from lxc.ir.node import Body, Location, Node, Value
from lxc.ir.ops.shape import reshape
from lxc.ir.ops.structure import fused, scan
from lxc.ir.rewrite import with_bodies
from lxc.passes.decision import Decision
from lxc.passes.grouping import Group, Grouping
from lxc.passes.nodes import attributes_of, copy_nodes
from lxc.passes.parameter_values import hoisted_nodes
from lxc.passes.single_pass import Setting

PORTABLE = Machine(
    name="portable",
    lanes=4,
    registers=16,
    has_fma=False,
    first_cache=32 << 10,
    second_cache=256 << 10,
)
"""A machine that every decision of fusion suits."""


def fuse(graph: Graph, machine: Machine = PORTABLE) -> Graph:
    """Join nodes into kernels: reductions with what surrounds them, elementwise chains."""
    return explain(graph, machine)[0]


def explain(graph: Graph, machine: Machine) -> tuple[Graph, tuple[Decision, ...]]:
    """Return the fused graph, and one decision for every node and node that reads it."""
    decisions: list[Decision] = []
    nodes = fuse_region(
        graph.nodes, graph.results, hoisted_nodes(graph), machine, decisions
    )
    return graph.replaced(nodes=nodes), tuple(decisions)


def fuse_recorded(graph: Graph, setting: Setting) -> Graph:
    """Return the fused graph and tell the setting of every decision."""
    result, decisions = explain(graph, setting.machine)
    for decision in decisions:
        setting.decide(decision)
    return result


def fuse_region(
    nodes: Sequence[Node],
    results: Iterable[Value],
    hoisted: frozenset[Node],
    machine: Machine,
    decisions: list[Decision],
) -> tuple[Node, ...]:
    """Return the kernels of a graph or the body of a loop; `decisions` grows."""
    grouping = Grouping(nodes, results, hoisted, machine)
    decisions += grouping.decisions()
    kernels: list[Node] = []
    for group in grouping.groups:
        root = group.root
        if root.op.kind in ("opaque", "structure"):
            loop = root.op is scan
            bodies = (fuse_loop(root, machine, decisions),) if loop else root.bodies
            kernels.append(with_bodies(root, bodies))
        else:
            members = [node for node in grouping.nodes if node in group.accesses]
            copied = [node for node in members if grouping.is_copied(node)]
            kernels.append(kernel(group, members, copied))
    return tuple(kernels)


def fuse_loop(node: Node, machine: Machine, decisions: list[Decision]) -> Body:
    """Return the body of a scan with its nodes joined into kernels.

    A carry that is yielded in another place is copied first, so that the carries may be
    written at the end of a step in any order.
    """
    body = node.bodies[0]
    nodes = fuse_region(body.nodes, body.outputs, frozenset(), machine, decisions)
    carries = body.parameters[: attributes_of(node)["carries"]]
    copies: dict[Value, Node] = {}
    outputs: list[Value] = []
    for index, value in enumerate(body.outputs):
        if value in carries and carries.index(value) != index:
            copies.setdefault(value, copy_kernel(value, node.location))
            value = copies[value].result
        outputs.append(value)
    return Body(body.parameters, (*nodes, *copies.values()), tuple(outputs))


def copy_kernel(value: Value, location: Location) -> Node:
    """Return a kernel that hands on the elements of `value`."""
    parameter = Value(value.type)
    same = {"shape": value.type.shape}
    node = make_node(reshape, (parameter,), same, (), location)
    body = Body((parameter,), (node,), (node.result,))
    return make_node(fused, (value,), {}, (body,), location)


def kernel(group: Group, members: list[Node], copied: list[Node]) -> Node:
    """Return the fused node of a group; its result is the value that the root makes.

    Views that were copied here belong to the layers of other kernels as well, so they give
    the kernel its location only where nothing else does.
    """
    made = {value for node in members for value in node.results}
    operands = tuple(
        dict.fromkeys(v for node in members for v in node.operands if v not in made)
    )
    parameters = tuple(Value(value.type) for value in operands)
    values = dict(zip(operands, parameters, strict=True))
    nodes = copy_nodes(members, values)
    body = Body(parameters, nodes, (values[group.root.result],))
    location = Location()
    for node in [n for n in members if n not in copied] or members:
        location = location.join(node.location)
    return Node(fused, operands, {}, group.root.results, (body,), location)
