"""Which values of a graph somebody would rather read in blocks of lanes."""

from collections.abc import Sequence

from lxc.ir.node import Node, Value, users
from lxc.ir.ops.contract import conv
from lxc.ir.ops.reduce import reduce
from lxc.ir.ops.shape import reshape
from lxc.ir.types import count_elements
from lxc.passes.blocked_views import has_channels, keeps_channels, operands_in_blocks
from lxc.passes.convolution_costs import refusal


def wanted_in_blocks(nodes: Sequence[Node], lanes: int) -> frozenset[Value]:
    """Return the values that lead to a convolution, or to sums over all their cells.

    What lies in between keeps the channels apart. Such sums leave little to be brought
    back into plain order.
    """
    wanted: set[Value] = set()
    for node in reversed(nodes):
        if node.op is conv:
            if refusal(node, lanes) is None:
                wanted.add(node.operands[0])
        elif keeps_channels(node, lanes):
            if node.op is reduce or node.result in wanted:
                wanted.update(operands_in_blocks(node))
        elif node.op.kind == "elementwise" and node.result in wanted:
            wanted.update(value for value in node.operands if has_channels(value.type))
    return frozenset(wanted)


class PartedResults:
    """The convolutions whose result is only read by a reshape that parts its channels."""

    def __init__(self, nodes: Sequence[Node], results: Sequence[Value]) -> None:
        """Look at the readers of all values."""
        self.readers = users(nodes)
        self.results = frozenset(results)

    def reshape_of(self, node: Node) -> Node | None:
        """Return the reshape from [N, O * parts, *cells] to [N, O, *parts, *cells]."""
        found = self.readers.get(node.result, [])
        if len(found) != 1 or found[0].op is not reshape or node.result in self.results:
            return None
        shape, new = node.result.type.shape, found[0].result.type.shape
        cells, parts = shape[2:], new[2 : len(new) - len(shape) + 2]
        together = count_elements((*new[1:2], *parts))
        fits = new[0] == shape[0] and new[2 + len(parts) :] == cells
        if not parts or not fits or together != shape[1] or new[1] == shape[1]:
            return None
        return found[0] if has_channels(found[0].result.type) else None
