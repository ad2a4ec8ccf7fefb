"""A graph run by NumPy in float64, and op by op in its own types beside it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from lxc.ir.evaluate import Bindings, Evaluation
from lxc.ir.graph import Graph
from lxc.ir.node import Node


class BothWidths(Evaluation, ABC):
    """An exact run, with one in the types of the graph beside it."""

    def __init__(self, graph: Graph) -> None:
        """Run nothing yet."""
        super().__init__(graph, wide=True)

    def run_nodes(self, nodes: Sequence[Node], bound: Bindings) -> None:
        """Run nodes in order; those of the graph itself in both widths."""
        if nodes is not self.graph.nodes:
            super().run_nodes(nodes, bound)
            return
        narrow = Evaluation(self.graph, wide=False)
        narrow.sizes = self.sizes
        own = {value: narrow.widened(bound[value], value.type.dtype) for value in bound}
        for node in nodes:
            super().run_nodes((node,), bound)
            narrow.run_nodes((node,), own)
            self.look(node, bound, own)

    @abstractmethod
    def look(self, node: Node, bound: Bindings, own: Bindings) -> None:
        """Compare the exact results of a node with its `own`."""
