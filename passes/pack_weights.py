"""Bring weights into the order of axes that kernels read them in."""

from collections.abc import Mapping
from functools import partial

from lxc.ir.builder import make_node
from lxc.ir.graph import Graph
from lxc.ir.machine import Machine
from lxc.ir.node import Location, Node, Value
from lxc.ir.ops.contract import conv, dot_general, free_axes
from lxc.ir.ops.shape import transpose
from lxc.passes.fuse import PORTABLE
from lxc.passes.nodes import attributes_of, with_attributes
from lxc.passes.plain_convolutions import runs_along_cells
from lxc.passes.single_pass import Setting
from lxc.passes.weight_packer import Packing, pack

Turn = tuple[tuple[int, ...], dict[str, object]]
"""The permutation of a weight, and the attributes that go with it."""


def pack_weights(graph: Graph, machine: Machine = PORTABLE) -> Graph:
    """Transpose each parameter-only weight to (batch, contracted, free) or (taps, in, out).

    Weights that a scan reads in every step are transposed once, in front of the scan. That
    of a convolution stays where vectors run along the cells.
    """
    return pack(graph, partial(transposed, machine.lanes))


def pack_for(graph: Graph, setting: Setting) -> Graph:
    """Return the graph with weights in the order for the machine of the setting."""
    return pack_weights(graph, setting.machine)


def transposed(lanes: int, node: Node, made: Mapping[Value, Node]) -> Packing | None:
    """Return how the weight of `node` is transposed, from where its axes lie in memory."""
    found = turn_of(lanes, node)
    if found is None:
        return None
    permutation, attributes = found
    weight = node.operands[1]
    while (maker := made.get(weight)) and maker.op is transpose:
        inner = attributes_of(maker)["permutation"]
        permutation = tuple(inner[axis] for axis in permutation)
        weight = maker.operands[0]

    def build(source: Value, location: Location) -> list[Node]:
        if permutation == tuple(range(len(permutation))):
            return []
        turned = {"permutation": permutation}
        return [make_node(transpose, (source,), turned, (), location)]

    def read(reader: Node, packed: Value) -> list[Node]:
        return [with_attributes(reader, (reader.operands[0], packed), **attributes)]

    return Packing(weight, permutation, build, read)


def turn_of(lanes: int, node: Node) -> Turn | None:
    """Return how the weight of a node is to be transposed, if at all."""
    if node.op is conv and attributes_of(node)["weight_order"] == "oi":
        if runs_along_cells(node, lanes):
            return None
        rank = node.operands[1].type.rank
        return (*range(2, rank), 1, 0), {"weight_order": "io"}
    return turn_of_product(node)


def turn_of_product(node: Node) -> Turn | None:
    """Return how the right side of a product is to be transposed, if at all."""
    if node.op is not dot_general:
        return None
    batch, contract = attributes_of(node)["rhs_batch"], attributes_of(node)["rhs_contract"]
    rank = node.operands[1].type.rank
    permutation = (*batch, *contract, *free_axes(rank, batch, contract))
    if permutation == tuple(range(rank)):
        return None
    start = len(batch)
    return permutation, {
        "rhs_batch": tuple(range(start)),
        "rhs_contract": tuple(range(start, start + len(contract))),
    }
