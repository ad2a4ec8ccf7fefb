"""Bring weights into the order of axes that kernels read them in."""

from collections.abc import Sequence

from lxc.ir.builder import make_node
from lxc.ir.graph import Graph
from lxc.ir.node import Body, Node, Value
from lxc.ir.ops.contract import conv, dot_general, free_axes
from lxc.ir.ops.shape import transpose
from lxc.ir.ops.structure import scan
from lxc.ir.rewrite import with_operands
from lxc.passes.nodes import (
    attributes_of,
    is_static,
    producers,
    substitute,
    with_attributes,
)
from lxc.passes.parameter_values import parameter_leaves

Permutation = tuple[int, ...]
Packing = tuple[Permutation, dict[str, object]]


def pack_weights(graph: Graph) -> Graph:
    """Transpose each parameter-only weight to (batch, contracted, free) or (taps, in, out).

    Weights that a scan reads in every step are transposed once, in front of the scan.
    """
    packer = Packer(set(parameter_leaves(graph)))
    nodes = packer.nodes(graph.nodes)
    if nodes == graph.nodes:
        return graph
    return graph.replaced(
        nodes=nodes,
        outputs=substitute(graph.outputs, packer.values),
        updates=substitute(graph.updates, packer.values),
    )


class Packer:
    """One pass over a list of nodes; `values` maps results to those that replace them.

    Inside of a scan, `lifted` collects what must be transposed in front of it: parameter of
    the body and permutation, and the value that stands for the transposed one.
    """

    def __init__(self, parameters: set[Value], scan_consts: Sequence[Value] = ()) -> None:
        """Know which values are parameter-only, and which of them come from outside."""
        self.parameters = parameters
        self.scan_consts = frozenset(scan_consts)
        self.values: dict[Value, Value] = {}
        self.made: dict[Value, Node] = {}
        self.lifted: dict[tuple[Value, Permutation], Value] = {}

    def nodes(self, nodes: Sequence[Node]) -> tuple[Node, ...]:
        """Return the nodes with transposes where weights need them."""
        result: list[Node] = []
        for node in nodes:
            node = with_operands(node, substitute(node.operands, self.values))
            added = self.node(node)
            if added[-1] is not node:
                self.values.update(zip(node.results, added[-1].results, strict=True))
            for new in added:
                self.made.update(producers((new,)))
                if all(value in self.parameters for value in new.operands) and is_static(
                    new
                ):
                    self.parameters.update(new.results)
            result.extend(added)
        return tuple(result)

    def node(self, node: Node) -> list[Node]:
        """Return the nodes that stand for one node, it or its replacement last."""
        if node.op is scan:
            return self.scan(node)
        packing = packing_of(node)
        if packing is None or node.operands[1] not in self.parameters:
            return [node]
        permutation, attributes = packing
        before, weight = self.transposed(node, permutation)
        return [*before, with_attributes(node, (node.operands[0], weight), **attributes)]

    def transposed(self, node: Node, permutation: Permutation) -> tuple[list[Node], Value]:
        """Return the weight of `node` with its axes permuted, and the nodes that do it."""
        weight = node.operands[1]
        while (maker := self.made.get(weight)) and maker.op is transpose:
            inner = attributes_of(maker)["permutation"]
            permutation = tuple(inner[axis] for axis in permutation)
            weight = maker.operands[0]
        if permutation == tuple(range(len(permutation))):
            return [], weight
        if weight in self.scan_consts:
            shape = tuple(weight.type.shape[axis] for axis in permutation)
            outside = Value(weight.type.with_shape(shape))
            return [], self.lifted.setdefault((weight, permutation), outside)
        attributes = {"permutation": permutation}
        turned = make_node(transpose, (weight,), attributes, (), node.location)
        return [turned], turned.result

    def scan(self, node: Node) -> list[Node]:
        """Pack inside of a scan; transposes of what every step sees whole go in front."""
        carries, consts = attributes_of(node)["carries"], attributes_of(node)["consts"]
        body, end = node.bodies[0], carries + consts
        whole = zip(body.parameters[carries:end], node.operands[carries:end], strict=True)
        known = [parameter for parameter, value in whole if value in self.parameters]
        inside = Packer(set(known), known)
        nodes = inside.nodes(body.nodes)
        if nodes == body.nodes:
            return [node]
        outer = dict(zip(body.parameters, node.operands, strict=True))
        before = [
            make_node(
                transpose, (outer[value],), {"permutation": permutation}, (), node.location
            )
            for value, permutation in inside.lifted
        ]
        extra = tuple(inside.lifted.values())
        parameters = (*body.parameters[:end], *extra, *body.parameters[end:])
        packed = Body(parameters, nodes, substitute(body.outputs, inside.values))
        turned = tuple(new.result for new in before)
        operands = (*node.operands[:end], *turned, *node.operands[end:])
        attributes = {**node.attributes, "consts": consts + len(extra)}
        loop = make_node(scan, operands, attributes, (packed,), node.location)
        return [*before, loop]


def packing_of(node: Node) -> Packing | None:
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
