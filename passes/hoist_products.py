"""Compute in front of a loop what its steps need not wait for."""

from collections.abc import Sequence

from lxc.ir.builder import make_node
from lxc.ir.dim import Size, bounds
from lxc.ir.graph import Graph
from lxc.ir.machine import Machine
from lxc.ir.node import Body, Node, Value
from lxc.ir.ops.contract import dot_general, free_axes
from lxc.ir.ops.structure import scan
from lxc.ir.rewrite import Replacement, rewrite, with_operands
from lxc.ir.types import count_elements
from lxc.passes.eliminate_dead import trimmed_loop
from lxc.passes.fuse import PORTABLE
from lxc.passes.nodes import (
    attributes_of,
    copy_nodes,
    producers,
    substitute,
)
from lxc.passes.parameter_values import is_free
from lxc.passes.single_pass import Setting
from lxc.passes.stacked_steps import can_stack, stack

HIDDEN_WORK = 256
"""Multiply-adds of vectors that a processor does while it waits for the carries."""
FEW_ROWS = 8
"""From this many rows on a product reads each weight often enough to be worth it."""
DEPTH_PER_ROW = 16
"""Weights read from the second cache in the time of a write and a read of memory."""


def hoist_products(graph: Graph, machine: Machine = PORTABLE) -> Graph:
    """Move out of scans what all steps share, and products that wait for no carry.

    A product of what a step reads of its sequences with what no step changes is made for
    all steps at once. Every element keeps its terms and their order, so its bits too.
    """
    return rewrite(graph, lambda node: in_front(node, machine))


def hoist_for(graph: Graph, setting: Setting) -> Graph:
    """Return the graph for the machine of the setting."""
    return hoist_products(graph, setting.machine)


def in_front(node: Node, machine: Machine) -> Replacement | None:
    """Return a scan behind what was moved out of it, or None if nothing is."""
    if node.op is not scan or attributes_of(node)["axis"]:
        return None
    return Loop(trimmed_loop(node, set(node.results)), machine).replacement()


def is_for_all(product: Node, length: Size, machine: Machine) -> bool:
    """Return whether a product is made for all steps at once.

    A step that does little has the time for it. Otherwise it is if the results of all steps
    stay in the cache, or in what the machine has for them. Else they go through memory,
    which is less work only than to read the weights again for a few rows in each step.
    """
    lhs, rhs = (value.type for value in product.operands)
    contract = attributes_of(product)["lhs_contract"]
    if bounds(rhs.element_count)[0] <= HIDDEN_WORK * machine.lanes:
        return False
    most_kept = machine.stacked_bytes or machine.second_cache // 2
    if bounds(length)[1] * product.result.type.max_bytes <= most_kept:
        return True
    rows = [lhs.shape[axis] for axis in free_axes(lhs.rank, contract)]
    most = bounds(count_elements(rows))[1]
    depth = bounds(count_elements([lhs.shape[axis] for axis in contract]))[0]
    return most < FEW_ROWS and depth >= DEPTH_PER_ROW * most


class Loop:
    """A scan, and what of its body may stand in front of it.

    `fixed` are the values that are the same in every step, each with what it follows from;
    `single` are those that follow from one entry of the sequences and from fixed ones.
    """

    def __init__(self, node: Node, machine: Machine) -> None:
        """Look at every node of the body once."""
        facts = attributes_of(node)
        self.node, self.body, self.machine = node, node.bodies[0], machine
        self.length: Size = facts["length"]
        self.carries = facts["carries"]
        self.whole = self.carries + facts["consts"]
        self.fixed: dict[Value, frozenset[Value]] = {
            value: frozenset({value})
            for number, value in enumerate(self.body.parameters[: self.whole])
            if number >= self.carries or self.body.outputs[number] is value
        }
        self.single = set(self.body.parameters[self.whole :])
        self.wanted: list[Node] = []
        for inner in self.body.nodes:
            self.look_at(inner)
        made = producers(self.body.nodes)
        yielded = self.body.outputs[self.carries :]
        self.wanted += [made[v] for v in yielded if v in self.single and v in made]

    def look_at(self, inner: Node) -> None:
        """Tell what a node of the body waits for, and whether it is worth moving."""
        if all(value in self.fixed for value in inner.operands):
            self.look_at_fixed(inner)
        elif self.is_single(inner):
            self.single.update(inner.results)
            if inner.op is dot_general:
                self.wanted.append(inner)

    def look_at_fixed(self, inner: Node) -> None:
        """Move what is work and does not take more memory than what it is computed from."""
        origin: frozenset[Value] = frozenset()
        for value in inner.operands:
            origin |= self.fixed[value]
        kept = sum(value.type.max_bytes for value in inner.results)
        small = kept <= sum(value.type.max_bytes for value in origin)
        heavy = inner.op.kind in ("reduction", "opaque", "structure")
        moves = bool(origin) and not is_free(inner) and (small or heavy)
        for value in inner.results:
            self.fixed[value] = frozenset({value}) if moves else origin
        if moves:
            self.wanted.append(inner)

    def is_single(self, inner: Node) -> bool:
        """Return whether a node can do its work for all steps, and is better off so."""
        if any(v not in self.fixed and v not in self.single for v in inner.operands):
            return False
        if not can_stack(inner, [value in self.single for value in inner.operands]):
            return False
        return inner.op is not dot_general or is_for_all(inner, self.length, self.machine)

    def moved(self) -> list[Node]:
        """Return the nodes to move and all that they need, in order."""
        wanted = set(self.wanted)
        needed: set[Value] = set()
        found: list[Node] = []
        for inner in reversed(self.body.nodes):
            if inner in wanted or any(value in needed for value in inner.results):
                needed.update(inner.operands)
                found.append(inner)
        return found[::-1]

    def is_handed(self, inner: Node) -> bool:
        """Return whether the steps read a moved node's results instead of making them."""
        if inner.results[0] in self.fixed:
            return inner in self.wanted
        return inner.op.kind != "view"

    def replacement(self) -> Replacement | None:
        """Return the moved nodes and the shorter scan behind them."""
        moved = self.moved()
        parameters = self.body.parameters
        outside = dict(zip(parameters, self.node.operands, strict=True))
        nodes: list[Node] = []
        for inner in moved:
            nodes += self.made_outside(inner, outside)
        yielded = self.body.outputs[self.carries :]
        stacked = {value: outside[value] for value in yielded if value in self.single}
        if not moved and not stacked:
            return None
        loop = self.shorter(moved, outside, stacked)
        results = iter(loop.results)
        carried = [next(results) for _ in range(self.carries)]
        stacks = [stacked[v] if v in stacked else next(results) for v in yielded]
        return Replacement((*carried, *stacks), (*nodes, *[loop] * bool(loop.results)))

    def made_outside(self, inner: Node, outside: dict[Value, Value]) -> Sequence[Node]:
        """Return what does a moved node's work in front; `outside` gains its results."""
        if inner.results[0] in self.fixed:
            return copy_nodes((inner,), outside, self.node.location)
        operands = substitute(inner.operands, outside)
        stacked = [value in self.single for value in inner.operands]
        made = stack(inner, operands, stacked, self.length)
        outside[inner.result] = made[-1].result
        return made

    def shorter(
        self,
        moved: Sequence[Node],
        outside: dict[Value, Value],
        stacked: dict[Value, Value],
    ) -> Node:
        """Return the scan that reads what was moved, without what it no longer needs."""
        handed = [v for n in moved if self.is_handed(n) for v in n.results]
        own = {value: Value(value.type) for value in handed}
        shared = [value for value in handed if value in self.fixed]
        steps = [value for value in handed if value in self.single]
        left = [inner for inner in self.body.nodes if inner.results[0] not in own]
        outputs = [
            value
            for number, value in enumerate(self.body.outputs)
            if number < self.carries or value not in stacked
        ]
        parts = (
            (self.body.parameters[: self.whole], self.node.operands[: self.whole]),
            (substitute(shared, own), substitute(shared, outside)),
            (self.body.parameters[self.whole :], self.node.operands[self.whole :]),
            (substitute(steps, own), substitute(steps, outside)),
        )
        body = Body(
            tuple(value for inside, _ in parts for value in inside),
            tuple(with_operands(n, substitute(n.operands, own)) for n in left),
            substitute(outputs, own),
        )
        operands = tuple(value for _, whole in parts for value in whole)
        consts = attributes_of(self.node)["consts"] + len(shared)
        attributes = {**self.node.attributes, "consts": consts}
        loop = make_node(scan, operands, attributes, (body,), self.node.location)
        return trimmed_loop(loop, set(loop.results))
