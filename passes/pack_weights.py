"""Bring weights into the order of axes that kernels read them in."""

from collections.abc import Mapping

from lxc.ir.builder import make_node
from lxc.ir.graph import Graph
from lxc.ir.node import Location, Node, Value
from lxc.ir.ops.contract import conv, dot_general, free_axes
from lxc.ir.ops.shape import transpose
from lxc.passes.nodes import attributes_of, with_attributes
from lxc.passes.weight_packer import Packing, pack

Permutation = tuple[int, ...]


def pack_weights(graph: Graph) -> Graph:
    """Transpose each parameter-only weight to (batch, contracted, free) or (taps, in, out).

    Weights that a scan reads in every step are transposed once, in front of the scan.
    """
    return pack(graph, transposed)


def transposed(node: Node, made: Mapping[Value, Node]) -> Packing | None:
    """Return how the weight of `node` is transposed, from where its axes lie in memory."""
    turn = turn_of(node)
    if turn is None:
        return None
    permutation, attributes = turn
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


def turn_of(node: Node) -> tuple[Permutation, dict[str, object]] | None:
    """Return the permutation of the weight and the attributes that go with it, if any."""
    if node.op is conv and attributes_of(node)["weight_order"] == "oi":
        rank = node.operands[1].type.rank
        return (*range(2, rank), 1, 0), {"weight_order": "io"}
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
