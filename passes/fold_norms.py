"""Fold what is done to each channel after a product into the weight of the product."""

from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value
from lxc.ir.ops.arithmetic import add, multiply
from lxc.ir.ops.contract import conv, dot_general, free_axes
from lxc.ir.rewrite import with_operands
from lxc.ir.types import DType
from lxc.passes.affine import Affine, Chain, Channels
from lxc.passes.nodes import attributes_of, substitute, with_attributes

WIDE = (DType.F32, DType.F64)


def fold_norms(graph: Graph) -> Graph:
    """Turn a batch norm with frozen statistics into arithmetic on parameters.

    A chain of sums, products and quotients with parameter-only values of one channel axis
    behind a convolution or dot product with a parameter-only weight becomes x * scale +
    shift, and the scale goes into the weight. Elsewhere a chain stays as it is: merging
    would round differently, as it would in half types. Statistics that a call changes are
    not parameters: a norm that is being trained keeps them, whatever the other layers of
    the model do.
    """
    return Folder(graph).folded()


class Folder:
    """One way through a graph; `instead` holds what stands for the last node of a chain."""

    def __init__(self, graph: Graph) -> None:
        """Find out which values are parameter-only."""
        self.graph = graph
        self.channels = Channels(graph)
        self.gone: set[Node] = set()
        self.instead: dict[Node, list[Node]] = {}

    def folded(self) -> Graph:
        """Return the graph with all chains folded."""
        for node in self.graph.nodes:
            if node.op in (conv, dot_general) and node.result.type.dtype in WIDE:
                self.fold_product(node)
        return self.rebuilt() if self.gone else self.graph

    def fold_product(self, product: Node) -> None:
        """Fold the chain behind a product into its weight."""
        axes = channel_axes(product)
        x, weight = product.operands
        if axes is None or weight not in self.channels.leaves or x in self.channels.leaves:
            return
        chain = self.channels.follow(product.result, axes[0])
        if not chain.scalings:
            return
        affine = Affine(self.channels, chain, product.location.join(chain.location))
        scaled = affine.joined(multiply, weight, affine.scale, axes[1])
        folded = with_attributes(product, (x, scaled))
        affine.nodes.append(folded)
        self.gone.add(product)
        self.finish(chain, affine, folded.result)

    def finish(self, chain: Chain, affine: Affine, scaled: Value) -> None:
        """Add the shift, and let all of it stand for the chain."""
        affine.joined(add, scaled, affine.shift, chain.axis)
        self.gone.update(step.node for step in chain.steps)
        self.instead[chain.steps[-1].node] = affine.nodes

    def rebuilt(self) -> Graph:
        """Return the graph with the collected nodes in place of the chains."""
        values: dict[Value, Value] = {}
        nodes: list[Node] = []
        for node in self.graph.nodes:
            new = self.instead.get(node, [] if node in self.gone else [node])
            nodes += [with_operands(one, substitute(one.operands, values)) for one in new]
            if node in self.instead:
                values[node.result] = new[-1].result
        return self.graph.replaced(
            nodes=tuple(nodes),
            outputs=substitute(self.graph.outputs, values),
            updates=substitute(self.graph.updates, values),
        )


def channel_axes(product: Node) -> tuple[int, int] | None:
    """Return the axes of output channels in the result and in the weight, if any."""
    weight = product.operands[1].type
    facts = attributes_of(product)
    if product.op is conv:
        return 1, 0 if facts["weight_order"] == "oi" else weight.rank - 1
    free = free_axes(weight.rank, facts["rhs_batch"], facts["rhs_contract"])
    return (product.result.type.rank - 1, free[-1]) if free else None
