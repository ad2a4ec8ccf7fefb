"""Work on a few channels at a time where all of them would not stay in a cache."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from lxc.ir.builder import make_node
from lxc.ir.graph import Graph
from lxc.ir.machine import Machine
from lxc.ir.node import Node, Value
from lxc.ir.ops.packed import blocked_conv, depthwise_conv
from lxc.ir.ops.paired import paired_conv
from lxc.ir.ops.shape import broadcast, concat, pad, slice, transpose
from lxc.ir.rewrite import with_operands
from lxc.passes.flow import Flow
from lxc.passes.fuse import PORTABLE
from lxc.passes.nodes import attributes_of, is_static, substitute, with_attributes
from lxc.passes.parameter_values import parameter_leaves
from lxc.passes.single_pass import Setting

BLOCKS = 1
"""The axis of a value that counts its blocks of channels."""
LINE_BYTES = 64
"""Parts that begin at a multiple of this are written where their join wants them."""


def part_channels(graph: Graph, machine: Machine = PORTABLE) -> Graph:
    """Let depthwise convolutions and what makes their operand work on a few channels.

    A widened value goes through memory where it does not fit into the second-level cache.
    Each of its blocks is read for the same block of the result alone, so it is made and
    read in parts that do fit. The parts of the result are joined.
    """
    readers = [node for node in graph.nodes if node.op is depthwise_conv]
    if not readers:
        return graph
    flow = Flow(graph.nodes, graph.results)
    plans = [plan for node in readers if (plan := plan_of(flow, node, machine))]
    if not plans:
        return graph
    known = parameter_leaves(graph)
    ends = {plan.end: plan for plan in plans}
    gone = {node for plan in plans for node in plan.chain}
    nodes: list[Node] = []
    values: dict[Value, Value] = {}
    for node in graph.nodes:
        if node not in gone:
            nodes.append(with_operands(node, substitute(node.operands, values)))
            values.update(zip(node.results, nodes[-1].results, strict=True))
        elif node in ends:
            made = list(parted(ends[node], flow, known, values))
            nodes += made
            values[node.result] = made[-1].result
    return graph.replaced(
        nodes=tuple(nodes),
        outputs=substitute(graph.outputs, values),
        updates=substitute(graph.updates, values),
    )


def part_for(graph: Graph, setting: Setting) -> Graph:
    """Return the graph for the machine of the setting."""
    return part_channels(graph, setting.machine)


@dataclass(frozen=True)
class Plan:
    """A chain of nodes up to its `end`, and the blocks of channels of each part."""

    chain: frozenset[Node]
    end: Node
    sizes: tuple[int, ...]


def plan_of(flow: Flow, node: Node, machine: Machine) -> Plan | None:
    """Return how a depthwise convolution is done in parts, or None if it stays whole."""
    behind, front = epilogue(flow, node), widening(flow, node)
    end = behind[-1]
    chain = frozenset({*front, *behind})
    if not front or flow.is_stored(end) or not all(map(is_static, chain)):
        return None
    samples, blocks = (int(size) for size in end.result.type.shape[:2])
    sizes = sizes_of(blocks, node.operands[0].type.max_bytes, machine.second_cache)
    each = end.result.type.max_bytes // max(1, blocks)
    apart = any(size * each % LINE_BYTES for size in sizes[:-1])
    if samples != 1 or len(sizes) < 2 or apart:
        return None
    return Plan(chain, end, sizes)


def sizes_of(blocks: int, size: int, cache: int) -> tuple[int, ...]:
    """Return how many blocks each part has, of a value with so many blocks and bytes.

    Half of the cache is for what is made and read in parts. Where that is not enough for
    two blocks, which kernels compute together, they may take most of it.
    """
    large = cache * 4 // 5
    most = max(cache // 2 * blocks // max(1, size), min(2, large * blocks // max(1, size)))
    if not most or size <= large:
        return (blocks,)
    parts = -(-blocks // most)
    small, more = divmod(blocks, parts)
    return (small + 1,) * more + (small,) * (parts - more)


def epilogue(flow: Flow, start: Node) -> list[Node]:
    """Return a node and what follows it element by element, up to one end."""
    path = [start]
    while not flow.is_stored(path[-1]) and (end := flow.meeting.get(path[-1])):
        between = flow.between(path[-1], end)
        if not all(
            node.op.kind == "elementwise"
            and node.result.type.shape == start.result.type.shape
            and (node is end or not flow.is_stored(node))
            for node in between
        ):
            break
        path += between
    return path


def widening(flow: Flow, reader: Node) -> list[Node]:
    """Return the convolution that makes the operand of a node, and what lies between.

    Nobody else reads what they make. There are none if it is made in another way.
    """
    found, wanted = {reader}, {reader.operands[0]}
    for node in reversed(flow.nodes[: flow.position[reader]]):
        if not wanted.intersection(node.results):
            continue
        if flow.is_stored(node) or not found.issuperset(flow.users_of(node)):
            continue
        if node.op in (blocked_conv, paired_conv) and attributes_of(node)["groups"] == 1:
            return flow.in_order({*found, node} - {reader})
        if node.op.kind == "elementwise" or is_around_blocks(node):
            found.add(node)
            wanted.update(node.operands)
    return []


def is_around_blocks(node: Node) -> bool:
    """Return whether a node pads a value along other axes than that of the blocks."""
    facts = attributes_of(node)
    return node.op is pad and not any(
        facts[name][BLOCKS] for name in ("low", "high", "interior")
    )


def parted(
    plan: Plan, flow: Flow, known: Collection[Value], values: Mapping[Value, Value]
) -> Iterator[Node]:
    """Yield the nodes that make the result of a chain part by part; the join is the last.

    The values `known` follow from parameters; `values` stand for those of the graph as it
    was.
    """
    results: list[Value] = []
    start = 0
    for size in plan.sizes:
        part = Parts(plan.chain, flow, known, values, start, start + size)
        results.append(part.of(plan.end.result, BLOCKS))
        yield from part.nodes
        start += size
    yield make_node(concat, tuple(results), {"axis": BLOCKS}, (), plan.end.location)


@dataclass
class Parts:
    """The nodes that make the blocks from `start` to `stop`, in order."""

    chain: frozenset[Node]
    flow: Flow
    known: Collection[Value]
    values: Mapping[Value, Value]
    start: int
    stop: int
    nodes: list[Node] = field(default_factory=list)
    found: dict[tuple[Value, int], Value] = field(default_factory=dict)

    def of(self, value: Value, axis: int) -> Value:
        """Return these entries of a value along an axis."""
        if (value, axis) not in self.found:
            maker = self.flow.made.get(value)
            same = maker is not None and (maker in self.chain or maker.op is broadcast)
            made = self.again(maker, axis) if maker and same else self.cut(value, axis)
            self.nodes.append(made)
            self.found[value, axis] = made.result
        return self.found[value, axis]

    def whole(self, value: Value) -> Value:
        """Return a value of the new graph as it is."""
        return self.values.get(value, value)

    def cut(self, value: Value, axis: int) -> Node:
        """Return the slice of a value, or the copy of a slice.

        A slice of parameters would be looked through by the kernel that reads it, which so
        were another one for every part. A transposition that moves nothing makes it a value
        that is prepared.
        """
        shape = value.type.shape
        start = tuple(self.start if i == axis else 0 for i in range(len(shape)))
        stop = tuple(self.stop if i == axis else size for i, size in enumerate(shape))
        facts = {"start": start, "stop": stop, "step": (1,) * len(shape)}
        entries = make_node(slice, (self.whole(value),), facts, ())
        if value not in self.known:
            return entries
        self.nodes.append(entries)
        order = {"permutation": tuple(range(len(shape)))}
        return make_node(transpose, (entries.result,), order, ())

    def again(self, node: Node, axis: int) -> Node:
        """Return a node like another one that makes these entries alone."""
        return AGAIN.get(node.op.name, Parts.elementwise)(self, node, axis)

    def elementwise(self, node: Node, axis: int) -> Node:
        """Compute elements of parts of the operands."""
        return with_attributes(node, [self.of(value, axis) for value in node.operands])

    def repeated(self, node: Node, axis: int) -> Node:
        """Repeat a part of the operand, or all of it where it has no such axis."""
        (value,), axes = node.operands, attributes_of(node)["axes"]
        shape = list(node.result.type.shape)
        shape[axis] = self.stop - self.start
        own = axes.index(axis) if axis in axes else None
        if own is None or value.type.shape[own] == 1:
            part = self.whole(value)
        else:
            part = self.of(value, own)
        return with_attributes(node, [part], shape=tuple(shape))

    def padded(self, node: Node, axis: int) -> Node:
        """Pad a part."""
        value, number = node.operands
        return with_attributes(node, [self.of(value, axis), self.whole(number)])

    def convolved(self, node: Node, axis: int) -> Node:
        """Use a part of the kernels on all channels."""
        value, weight = node.operands
        return with_attributes(node, [self.whole(value), self.of(weight, 0)])

    def filtered(self, node: Node, axis: int) -> Node:
        """Filter a part of the channels, each with its own kernel."""
        value, weight = node.operands
        return with_attributes(node, [self.of(value, axis), self.of(weight, 0)])


AGAIN: Mapping[str, Callable[[Parts, Node, int], Node]] = {
    broadcast.name: Parts.repeated,
    pad.name: Parts.padded,
    blocked_conv.name: Parts.convolved,
    paired_conv.name: Parts.convolved,
    depthwise_conv.name: Parts.filtered,
}
"""How nodes that are not elementwise make a part of their result."""
