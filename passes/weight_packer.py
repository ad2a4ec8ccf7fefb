"""Replace weights that follow from parameters by forms that kernels read faster."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

from lxc.ir.builder import make_node
from lxc.ir.graph import Graph
from lxc.ir.node import Body, Location, Node, Value
from lxc.ir.ops.structure import scan
from lxc.ir.rewrite import with_operands
from lxc.passes.nodes import attributes_of, is_static, producers, substitute
from lxc.passes.parameter_values import parameter_leaves


@dataclass(frozen=True)
class Packing:
    """How the weight of one node becomes another value, and what reads that.

    `build` returns the nodes that make it of `source`, none if `source` is it already. Of
    one source, packings with equal keys make the same. `read` returns the nodes that stand
    for the old one, the last with its results.
    """

    source: Value
    key: Hashable
    build: Callable[[Value, Location], list[Node]]
    read: Callable[[Node, Value], list[Node]]


PackingOf = Callable[[Node, Mapping[Value, Node]], Packing | None]
"""The packing of the second operand of a node, given what makes each value."""


def pack(graph: Graph, packing_of: PackingOf) -> Graph:
    """Return a graph whose parameter-only weights are packed, also those inside of scans.

    Weights that a scan reads whole in every step are packed once, in front of the scan.
    """
    packer = Packer(packing_of, set(parameter_leaves(graph)))
    nodes = packer.nodes(graph.nodes)
    if nodes == graph.nodes:
        return graph
    return graph.replaced(
        nodes=nodes,
        outputs=substitute(graph.outputs, packer.values),
        updates=substitute(graph.updates, packer.values),
    )


class Packer:
    """One walk over a list of nodes; `values` maps results to those that replace them.

    Inside of a scan, `lifted` collects what must be packed in front of it, and the values
    that stand for the packed ones.
    """

    def __init__(
        self,
        packing_of: PackingOf,
        parameters: set[Value],
        scan_consts: Sequence[Value] = (),
    ) -> None:
        """Know which values are parameter-only, and which of them come from outside."""
        self.packing_of = packing_of
        self.parameters = parameters
        self.scan_consts = frozenset(scan_consts)
        self.values: dict[Value, Value] = {}
        self.made: dict[Value, Node] = {}
        self.packed: dict[tuple[Value, Hashable], Value] = {}
        self.lifted: list[tuple[Value, list[Node]]] = []

    def nodes(self, nodes: Sequence[Node]) -> tuple[Node, ...]:
        """Return the nodes with packed weights, and with what packs them."""
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
        if len(node.operands) < 2 or node.operands[1] not in self.parameters:
            return [node]
        packing = self.packing_of(node, self.made)
        if packing is None:
            return [node]
        before: list[Node] = []
        key = (packing.source, packing.key)
        if key not in self.packed:
            built = packing.build(packing.source, node.location)
            weight = built[-1].result if built else packing.source
            if built and packing.source in self.scan_consts:
                outside = Value(weight.type)
                self.lifted.append((outside, built))
                weight = outside
            else:
                before = built
            self.packed[key] = weight
        return [*before, *packing.read(node, self.packed[key])]

    def scan(self, node: Node) -> list[Node]:
        """Pack inside of a scan; what every step sees whole is packed in front."""
        carries, consts = attributes_of(node)["carries"], attributes_of(node)["consts"]
        body, end = node.bodies[0], carries + consts
        whole = zip(body.parameters[carries:end], node.operands[carries:end], strict=True)
        known = [parameter for parameter, value in whole if value in self.parameters]
        inside = Packer(self.packing_of, set(known), known)
        nodes = inside.nodes(body.nodes)
        if nodes == body.nodes:
            return [node]
        outer = dict(zip(body.parameters, node.operands, strict=True))
        before: list[Node] = []
        for _, built in inside.lifted:
            before += [with_operands(new, substitute(new.operands, outer)) for new in built]
        extra = tuple(value for value, _ in inside.lifted)
        made = tuple(built[-1].result for _, built in inside.lifted)
        parameters = (*body.parameters[:end], *extra, *body.parameters[end:])
        packed = Body(parameters, nodes, substitute(body.outputs, inside.values))
        operands = (*node.operands[:end], *made, *node.operands[end:])
        attributes = {**node.attributes, "consts": consts + len(extra)}
        return [*before, make_node(scan, operands, attributes, (packed,), node.location)]
