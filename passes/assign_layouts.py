"""Let chains of convolutions work on channels in blocks of lanes."""

from collections.abc import Sequence

from lxc.ir.dim import bounds
from lxc.ir.graph import Graph
from lxc.ir.machine import Machine
from lxc.ir.node import NOWHERE, Node, Value
from lxc.ir.ops.contract import conv
from lxc.ir.ops.reduce import reduce
from lxc.ir.ops.shape import dim
from lxc.ir.rewrite import with_operands
from lxc.passes.block_lanes import lanes_of_blocks
from lxc.passes.blocked_convolutions import convolve
from lxc.passes.blocked_values import Blocked, BlockedValues, number_of
from lxc.passes.blocked_views import (
    channel_totals,
    has_channels,
    in_blocks,
    is_total,
    keeps_channels,
    operands_in_blocks,
)
from lxc.passes.convolution_costs import Situation, options, refusal
from lxc.passes.decision import Decision
from lxc.passes.fuse import PORTABLE
from lxc.passes.lane_fill import Filling, computed, is_harmless
from lxc.passes.layout_decisions import LayoutDecisions
from lxc.passes.nodes import attributes_of, producers, with_attributes
from lxc.passes.parameter_values import parameter_leaves
from lxc.passes.single_pass import Setting
from lxc.passes.spread_values import SpreadValues
from lxc.passes.wanted_blocks import PartedResults, wanted_in_blocks


def assign_layouts(
    graph: Graph, machine: Machine = PORTABLE, *, exact: bool = False
) -> Graph:
    """Let convolutions, and what is between them, work on channels in blocks of lanes.

    Values are brought into blocks and back where this begins and ends. What a caller sees
    stays in plain order. Blocks are worth more where convolutions on them may be computed
    by tiles, which they may not if results are to be `exact`.
    """
    return assigned(graph, machine, exact)[0]


def assign_for(graph: Graph, setting: Setting) -> Graph:
    """Return the graph for the machine of the setting, which hears of decisions."""
    result, decisions = assigned(graph, setting.machine, setting.choices.exact)
    for decision in decisions:
        setting.decide(decision)
    return result


def assigned(
    graph: Graph, machine: Machine, exact: bool
) -> tuple[Graph, tuple[Decision, ...]]:
    """Return the graph with layouts, and why each convolution has its own."""
    lanes = lanes_of_blocks(graph, machine)
    layouts = Layouts(graph, lanes, None if exact else machine)
    for node in graph.nodes:
        layouts.take(node)
    decisions = layouts.decisions
    if not layouts.table.twins:
        return graph, tuple(decisions.made)
    outputs = [layouts.plain_result(value) for value in graph.outputs]
    updates = [layouts.plain_result(value) for value in graph.updates]
    nodes = tuple(layouts.table.nodes)
    changed = graph.replaced(nodes=nodes, outputs=tuple(outputs), updates=tuple(updates))
    return changed, tuple(decisions.made)


class Layouts:
    """One way through a graph, from its first node to its last."""

    def __init__(self, graph: Graph, lanes: int, tiling: Machine | None) -> None:
        """Look at the whole graph; `tiling` is the machine if tiles may be used."""
        self.tiling = tiling
        self.table = BlockedValues(lanes, graph.headers)
        self.spreads = SpreadValues(self.table)
        self.decisions = LayoutDecisions(producers(graph.nodes))
        self.wanted = wanted_in_blocks(graph.nodes, lanes)
        self.known = parameter_leaves(graph)
        self.parted = PartedResults(graph.nodes, graph.results)

    def take(self, node: Node) -> None:
        """Append what stands for a node."""
        self.table.location = node.location
        if not self.changed(node):
            operands = [self.table.plain_of(value) for value in node.operands]
            kept = with_operands(node, operands)
            self.table.keep(kept)
            self.spreads.note(kept)
        self.decisions.cross(self.table.borders, node)

    def changed(self, node: Node) -> bool:
        """Make the results of a node from twins of its operands, if that is to be done."""
        if node.results[0] in self.table.twins:
            # The convolution in front of it has made its parts already.
            return True
        if node.op is conv:
            return self.convolution(node)
        if node.op is dim:
            return self.size(node)
        if node.op is reduce and is_total(node):
            return self.total(node)
        if node.op.kind == "elementwise":
            return self.elementwise(node)
        if keeps_channels(node, self.table.lanes):
            return self.view(node)
        return False

    def plain_result(self, value: Value) -> Value:
        """Return what the caller gets for a value."""
        maker = self.decisions.makers.get(value)
        self.table.location = maker.location if maker else NOWHERE
        found = self.table.plain_of(value)
        self.decisions.cross(self.table.borders, None)
        return found

    # Convolutions

    def convolution(self, node: Node) -> bool:
        """Do a convolution in blocks if that costs less."""
        reason = refusal(node, self.table.lanes)
        if reason:
            self.decisions.refused(node, reason)
            return False
        reader = self.parted.reshape_of(node)
        found = options(node, self.table.lanes, self.situation(node, reader))
        option = min(found, key=lambda one: one.steps)
        self.decisions.chosen(node, option, found[-1], self.table.lanes)
        if option.way == "plain":
            return False
        made = convolve(self.table, node, option)
        if option.parts > 1 and reader:
            shape = self.table.blocked_shape(reader.result.type.shape)
            made = Blocked(self.table.shaped(made.value, shape), made.lanes)
            self.table.twins[reader.result] = made
        else:
            self.table.twins[node.result] = made
        return True

    def situation(self, node: Node, reader: Node | None) -> Situation:
        """Return what is there around a convolution."""
        x, weight = node.operands
        parts = 1
        if reader:
            parts = number_of(node.result.type.shape[1]) // number_of(
                reader.result.type.shape[1]
            )
        return Situation(
            is_plain=x in self.table.plain,
            is_blocked=x in self.table.twins,
            is_weight_known=weight in self.known,
            is_wanted=node.result in self.wanted,
            parts=parts,
            are_parts_wanted=reader is not None and reader.result in self.wanted,
            tiling=self.tiling,
        )

    # Everything else

    def elementwise(self, node: Node) -> bool:
        """Compute element by element in blocks if that needs fewer conversions."""
        if not has_channels(node.result.type) or not self.prefers_blocks(
            node, node.operands
        ):
            return False
        fillings = {number: self.lanes_after(node, number) for number in (0.0, 1.0)}
        number = (
            0.0 if is_harmless(fillings[0.0]) or not is_harmless(fillings[1.0]) else 1.0
        )
        operands = [self.operand(value, number) for value in node.operands]
        value = self.table.append(with_attributes(node, operands))
        self.table.twins[node.result] = Blocked(value, fillings[number])
        return True

    def lanes_after(self, node: Node, number: float) -> Filling:
        """Return what a node leaves behind the last channel."""
        return computed(node, [self.lanes_of(value, number) for value in node.operands])

    def lanes_of(self, value: Value, number: float) -> Filling:
        """Return what an operand has behind the last channel."""
        if self.is_repeated(value):
            return self.spreads.lanes(value, number)
        return self.table.twin_of(value).lanes

    def operand(self, value: Value, number: float) -> Value:
        """Return an operand in blocks."""
        if self.is_repeated(value):
            return self.spreads.form(value, number)
        return self.table.twin_of(value).value

    def is_repeated(self, value: Value) -> bool:
        """Return whether an operand is made again in blocks instead of brought there."""
        return value not in self.table.twins and value in self.spreads.makers

    def view(self, node: Node) -> bool:
        """Compute a view or reduction in blocks if that needs fewer conversions."""
        if not self.prefers_blocks(node, operands_in_blocks(node)):
            return False
        self.table.twins[node.result] = in_blocks(self.table, node)
        return True

    def prefers_blocks(self, node: Node, operands: Sequence[Value]) -> bool:
        """Return whether blocks ask for no more elements to be moved than plain order."""
        if not any(value in self.table.twins for value in operands):
            return False
        into = out = 0
        for value in dict.fromkeys(operands):
            if value not in self.table.twins and value not in self.known:
                into += 0 if self.is_repeated(value) else elements(value)
            if self.table.is_primary(value):
                out += elements(value)
        if node.result in self.wanted or node.op is reduce:
            return into <= out + elements(node.result)
        return into + elements(node.result) <= out

    def total(self, node: Node) -> bool:
        """Sum up each channel of a value in blocks."""
        (x,) = node.operands
        if not self.table.is_primary(x):
            return False
        self.table.plain[node.result] = channel_totals(self.table, node)
        return True

    def size(self, node: Node) -> bool:
        """Read a size off a value in blocks, which leaves nothing to be converted."""
        (x,) = node.operands
        axis = attributes_of(node)["axis"]
        if not self.table.is_primary(x) or axis == 1:
            return False
        sized = with_attributes(node, (self.table.twins[x].value,))
        self.table.plain[node.result] = self.table.append(sized)
        return True


def elements(value: Value) -> int:
    """Return the most elements that a value can have."""
    return bounds(value.type.element_count)[1]
