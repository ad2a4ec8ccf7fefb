"""Let convolutions of cards, and what is between them, keep their channels side by side."""

from collections.abc import Iterable
from math import prod

from lxc.ir.dim import bounds
from lxc.ir.graph import Graph
from lxc.ir.node import NOWHERE, Node, Value
from lxc.ir.ops.channels_last import channels_last_conv
from lxc.ir.ops.contract import conv
from lxc.ir.ops.reduce import reduce
from lxc.ir.ops.shape import broadcast, dim, transpose
from lxc.ir.rewrite import with_operands
from lxc.ir.types import DType
from lxc.passes.channel_orders import ChannelOrders, first_to_last
from lxc.passes.channel_views import VIEWS, operands_with_channels, view_last
from lxc.passes.decision import Decision, Refusal
from lxc.passes.eliminate_dead import eliminate_dead
from lxc.passes.nodes import attributes_of, producers, with_attributes
from lxc.passes.order_decisions import OrderDecisions
from lxc.passes.parameter_values import parameter_leaves
from lxc.passes.single_pass import Setting
from lxc.passes.tiled_products import suits_tiles

CHUNK_BYTES = 16
"""What a thread of a card copies at once if it can."""
CHANNELS = 4
"""So many of two bytes have copies of 8 bytes, and of four bytes those of 16."""
TYPES = (DType.BF16, DType.F16, DType.F32)
OTHER_TYPE = Refusal(
    "type", "cards compute it result by result", "float32, bfloat16 or float16"
)
UNKNOWN_WEIGHT = Refusal(
    "weight",
    "its weight comes with every call, and would be turned in each",
    "a weight that is a parameter",
)
FEW_TERMS = Refusal(
    "tiles",
    "its sums are too short for tiles, or its groups too narrow",
    "sums of 8 terms and groups of 8 channels, of sizes that are known",
)
WIDE_ALREADY = Refusal(
    "copies",
    "cells of a channel are copied 16 bytes at once too",
    "a neighbour that keeps its channels last",
)


def channels_last(graph: Graph) -> Graph:
    """Let convolutions, and what is between them, keep channels behind the cells.

    Values are transposed where such a chain begins and ends. What a caller sees keeps its
    order.
    """
    return turned(graph)[0]


def channels_last_for(graph: Graph, setting: Setting) -> Graph:
    """Return the graph with such chains; the setting hears of decisions."""
    result, decisions = turned(graph)
    for decision in decisions:
        setting.decide(decision)
    return result


def turned(graph: Graph) -> tuple[Graph, tuple[Decision, ...]]:
    """Return the graph with such chains, and why each convolution has its order."""
    walk = ChannelsLast(graph)
    for node in graph.nodes:
        walk.take(node)
    if not walk.has_convolutions:
        return graph, tuple(walk.decisions.made)
    outputs = tuple(walk.plain_result(value) for value in graph.outputs)
    updates = tuple(walk.plain_result(value) for value in graph.updates)
    nodes = tuple(walk.orders.nodes)
    changed = graph.replaced(nodes=nodes, outputs=outputs, updates=updates)
    return eliminate_dead(changed), tuple(walk.decisions.made)


class ChannelsLast:
    """One way through a graph, from its first node to its last."""

    def __init__(self, graph: Graph) -> None:
        """Look at the whole graph."""
        self.orders = ChannelOrders(graph.headers)
        self.decisions = OrderDecisions(producers(graph.nodes))
        self.known = parameter_leaves(graph)
        self.made = producers(graph.nodes)
        self.wanted = self.wanted_last(graph.nodes)
        self.has_convolutions = False

    def wanted_last(self, nodes: Iterable[Node]) -> frozenset[Value]:
        """Return the values that lead to a convolution that copies channels faster."""
        wanted: set[Value] = set()
        for node in reversed(list(nodes)):
            if node.op is conv:
                likes = is_narrow(node) or node.result in wanted
                if self.refusal(node) is None and likes:
                    wanted.add(node.operands[0])
            elif node.op in VIEWS and VIEWS[node.op](node):
                if node.result in wanted:
                    wanted.update(operands_with_channels(node))
            elif node.op.kind == "elementwise" and node.result in wanted:
                wanted.update(v for v in node.operands if v.type.rank > 2)
        return frozenset(wanted)

    def take(self, node: Node) -> None:
        """Append what stands for a node."""
        self.orders.location = node.location
        if not self.changed(node):
            operands = [self.orders.plain_of(value) for value in node.operands]
            self.orders.keep(with_operands(node, operands))
        self.decisions.cross(self.orders.borders, node)

    def changed(self, node: Node) -> bool:
        """Compute a node with channels last, if that is to be done."""
        if node.op is conv:
            return self.convolution(node)
        if node.op is transpose:
            return self.transposition(node)
        if node.op is dim:
            return self.size(node)
        if node.op.kind == "elementwise":
            return self.elementwise(node)
        return node.op in VIEWS and VIEWS[node.op](node) and self.view(node)

    def plain_result(self, value: Value) -> Value:
        """Return what the caller gets for a value."""
        maker = self.made.get(value)
        self.orders.location = maker.location if maker else NOWHERE
        found = self.orders.plain_of(value)
        self.decisions.cross(self.orders.borders, None)
        return found

    def refusal(self, node: Node) -> Refusal | None:
        """Return why a convolution cannot keep its channels last, or None."""
        facts = attributes_of(node)
        if node.operands[0].type.dtype not in TYPES:
            return OTHER_TYPE
        if node.operands[1] not in self.known:
            return UNKNOWN_WEIGHT
        spread = any(by != 1 for by in facts["lhs_dilation"])
        if facts["weight_order"] != "oi" or spread:
            return FEW_TERMS
        return None if suits_tiles(node) or is_own_kernel(node) else FEW_TERMS

    def convolution(self, node: Node) -> bool:
        """Do a convolution with channels last if its operand or its copies ask for it."""
        x, weight = node.operands
        refusal = self.refusal(node)
        follows = self.orders.is_last_only(x)
        if refusal is None and not follows:
            if is_own_kernel(node):
                refusal = FEW_TERMS
            elif not (is_narrow(node) or node.result in self.wanted):
                refusal = WIDE_ALREADY
        if refusal:
            self.decisions.refused(x, node, refusal)
            return False
        self.has_convolutions = True
        facts = {name: attributes_of(node)[name] for name in KEPT}
        more = 0 if follows else missing_channels(node)
        rows = self.orders.widened(self.orders.last_of(x), more)
        kernel = self.orders.widened(self.orders.turned(self.orders.plain_of(weight)), more)
        value = self.orders.made(channels_last_conv, rows, kernel, **facts)
        self.orders.last[node.result] = value
        self.decisions.chosen(x, node, follows=follows)
        return True

    def transposition(self, node: Node) -> bool:
        """Look whether a transpose is what leads to channels last, or back."""
        (x,) = node.operands
        if node.result.type.rank < 3 or x not in self.orders.last:
            (permutation,) = attributes_of(node).values()
            undone = tuple(permutation[axis] for axis in first_to_last(x.type.rank))
            if node.result not in self.wanted or undone != tuple(range(x.type.rank)):
                return False
            self.orders.last[node.result] = self.orders.plain_of(x)
            return True
        permutation = attributes_of(node)["permutation"]
        if permutation != first_to_last(x.type.rank):
            return False
        self.orders.plain[node.result] = self.orders.last[x]
        return True

    def size(self, node: Node) -> bool:
        """Ask for a size of a value with channels last, where it has no other form."""
        (x,) = node.operands
        if not self.orders.is_last_only(x):
            return False
        axis = first_to_last(x.type.rank).index(attributes_of(node)["axis"])
        kept = with_attributes(node, (self.orders.last[x],), axis=axis)
        self.orders.plain[node.result] = self.orders.append(kept)
        return True

    def elementwise(self, node: Node) -> bool:
        """Compute element by element with channels last if that moves no more."""
        if node.result.type.rank < 3 or not self.prefers(node, node.operands):
            return False
        operands = [self.operand(value) for value in node.operands]
        self.orders.last[node.result] = self.orders.append(with_attributes(node, operands))
        return True

    def operand(self, value: Value) -> Value:
        """Return an operand with channels last; one that repeats is repeated so."""
        maker = self.made.get(value)
        if value not in self.orders.last and maker and maker.op is broadcast:
            self.orders.last[value] = view_last(self.orders, maker)
        return self.orders.last_of(value)

    def view(self, node: Node) -> bool:
        """Compute a view or a reduction with channels last if that moves no more."""
        if not self.prefers(node, operands_with_channels(node)):
            return False
        self.orders.last[node.result] = view_last(self.orders, node)
        if node.result.type.rank < 3:
            self.orders.plain[node.result] = self.orders.last[node.result]
        return True

    def prefers(self, node: Node, operands: Iterable[Value]) -> bool:
        """Return whether channels last ask for no more elements to be moved."""
        here = list(dict.fromkeys(operands))
        if not any(value in self.orders.last for value in here):
            return False
        into = sum(elements(value) for value in here if self.costs(value))
        out = sum(elements(value) for value in here if self.orders.is_last_only(value))
        after = 0 if node.op is reduce else elements(node.result)
        if node.result in self.wanted or node.op is reduce:
            return into <= out + after
        return into + after <= out if into else bool(out)

    def costs(self, value: Value) -> bool:
        """Return whether a value would be transposed in every call."""
        maker = self.made.get(value)
        repeats = maker is not None and maker.op is broadcast
        return value not in self.orders.last and value not in self.known and not repeats


KEPT = ("strides", "padding", "rhs_dilation", "groups", "result", "factors")
"""The attributes that convolutions have in either order."""


def is_narrow(node: Node) -> bool:
    """Return whether cells of a channel are copied in less than 16 bytes at a time."""
    if not suits_tiles(node):
        return False
    facts, (x, weight) = attributes_of(node), node.operands
    cells = x.type.shape[2:]
    lanes = CHUNK_BYTES // x.type.dtype.bytes
    steps = (*weight.type.shape[2:], *facts["strides"])
    if any(map(any, facts["padding"])) or any(by != 1 for by in steps):
        return True
    known = [size for size in cells if isinstance(size, int)]
    return len(known) < len(cells) or prod(known) % lanes != 0


def missing_channels(node: Node) -> int:
    """Return how many channels of zeros let a card copy 8 or 16 bytes at once.

    Where threads multiply, and not matrix units, they are no more than half of the others.
    """
    facts, (x, _) = attributes_of(node), node.operands
    channels = x.type.shape[1]
    if facts["groups"] > 1 or not isinstance(channels, int):
        return 0
    more = -channels % CHANNELS
    by_threads = x.type.dtype is DType.F32 and facts["factors"] is None
    return 0 if by_threads and 2 * more > channels else more


def is_own_kernel(node: Node) -> bool:
    """Return whether every channel has a kernel of its own, and nothing is padded."""
    facts, (x, weight) = attributes_of(node), node.operands
    alone = facts["groups"] == x.type.shape[1] == weight.type.shape[0]
    return alone and not any(map(any, facts["padding"]))


def elements(value: Value) -> int:
    """Return the most elements that a value may have."""
    return prod(bounds(size)[1] for size in value.type.shape)
