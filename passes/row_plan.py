"""How often a kernel walks along each row, and what it keeps from one walk to the next.

A walk computes every reduction that waits for no reduction but those of earlier walks; a
last one computes the row of the result, if it has rows. What a walk needs is computed in
it, or was kept by an earlier one in the memory of the result, which holds one value at a
time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lxc.ir.node import Node, Value
from lxc.ir.ops.reduce import reduce
from lxc.ir.ops.shape import broadcast, reshape
from lxc.passes.nodes import producers
from lxc.passes.rows import Rows, Side, rows_in, sides_of

QUICK = frozenset(
    [
        "negate", "absolute", "sign", "add", "subtract", "multiply", "divide", "maximum",
        "minimum", "copysign", "sqrt", "rsqrt", "floor", "ceil", "round", "equal",
        "not_equal", "less", "less_equal", "bitwise_and", "bitwise_or", "bitwise_xor",
        "bitwise_not", "shift_left", "shift_right", "select", "cast",
    ]
)  # fmt: skip
"""Elementwise ops that are about one instruction; each other one is a function."""
FUNCTION_STEPS = 30
KEEPING_PAYS = 4
"""From this many saved steps on it is worth a store to keep a value."""
MOST_REPEATED = 2 * FUNCTION_STEPS + 4
"""The most steps per element that a kernel does again rather than being two kernels."""


def steps_of(node: Node) -> int:
    """Return roughly how many instructions a node spends on one element."""
    if node.op.kind != "elementwise":
        return 0
    return 1 if node.op.name in QUICK else FUNCTION_STEPS


@dataclass(frozen=True)
class Walk:
    """One time along each row: what it reduces, or the value that it stores.

    `known` lies in the memory of the result when the walk begins. `kept` takes its place.
    """

    reductions: tuple[Node, ...]
    known: Value | None
    kept: Value | None


@dataclass(frozen=True)
class RowPlan:
    """The walks of a row kernel in order.

    `level` tells for what follows from a reduction the walk that it is known in, the number
    of walks for what is known after the last one. `repeated` counts the steps per element
    that are done in more than one walk.
    """

    rows: Rows
    sides: Mapping[Value, Side]
    level: Mapping[Value, int]
    walks: tuple[Walk, ...]
    stored: Value
    repeated: int


@dataclass
class Planner:
    """The nodes of a row kernel with what follows from what."""

    nodes: Sequence[Node]
    stored: Value
    sides: Mapping[Value, Side]
    level: dict[Value, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find the walk in which every value is known."""
        self.made = producers(self.nodes)
        for node in self.nodes:
            before = [self.level.get(value, 0) for value in node.operands]
            self.level[node.result] = max(before, default=0) + (node.op is reduce)
        self.last = self.level[self.stored]
        self.elsewhere = read_elsewhere(self.nodes, self.made, self.sides)

    def reductions(self, walk: int) -> tuple[Node, ...]:
        """Return what a walk reduces."""
        known = [n for n in self.nodes if n.op is reduce]
        return tuple(n for n in known if self.level.get(n.operands[0], 0) == walk)

    def targets(self, walk: int) -> list[Value]:
        """Return the values of which a walk needs every element."""
        if walk == self.last:
            return [self.stored]
        return [node.operands[0] for node in self.reductions(walk)]

    def pulled(self, walk: int, known: Value | None) -> list[Node]:
        """Return the nodes whose elements a walk computes if it finds `known` in memory."""
        found: dict[Node, None] = {}
        pending = self.targets(walk)
        while pending:
            value = pending.pop()
            node = self.made.get(value)
            if node and value is not known and node not in found and self.moves(value):
                found[node] = None
                pending += node.operands
        return list(found)

    def moves(self, value: Value) -> bool:
        """Return whether the elements of a value change along a row."""
        return self.sides.get(value, "row") == "row"

    def price(self, walk: int, known: Value | None) -> int:
        """Return the steps per element of a walk that finds `known` in memory."""
        return sum(map(steps_of, self.pulled(walk, known)))

    def best_kept(self, walk: int, known: Value | None) -> Value | None:
        """Return what a walk should leave in memory for those behind it."""
        later = range(walk + 1, self.last + 1)
        before = sum(self.price(number, known) for number in later)
        if before < KEEPING_PAYS:
            return None
        needed = {node for number in later for node in self.pulled(number, known)}
        best: tuple[int, Value] | None = None
        for node in self.pulled(walk, known):
            if node in needed and steps_of(node) and self.fits(node):
                after = sum(self.price(number, node.result) for number in later)
                saved = before - after
                if saved >= KEEPING_PAYS and (best is None or saved > best[0]):
                    best = (saved, node.result)
        return best[1] if best else None

    def fits(self, node: Node) -> bool:
        """Return whether the memory of the result can hold what a node makes."""
        mine, other = node.result.type, self.stored.type
        same = mine.dtype is other.dtype and mine.element_count == other.element_count
        return same and node not in self.elsewhere

    def walks(self) -> list[Walk]:
        """Return the walks in order."""
        ends_in_row = self.moves(self.stored)
        walks: list[Walk] = []
        known: Value | None = None
        for number in range(self.last + ends_in_row):
            final = number == self.last
            kept = self.best_kept(number, known) if ends_in_row and not final else None
            reductions = () if final else self.reductions(number)
            walks.append(Walk(reductions, known, self.stored if final else kept))
            known = kept or known
        return walks


def read_elsewhere(
    nodes: Sequence[Node], made: Mapping[Value, Node], sides: Mapping[Value, Side]
) -> set[Node]:
    """Return the nodes whose elements are read at other places than that of the result."""
    views = [n for n in nodes if n.op.kind == "view" and n.op is not reshape]
    pending = [v for n in views if n.result not in sides for v in n.operands]
    found: set[Node] = set()
    while pending:
        node = made.get(pending.pop())
        if node and node not in found:
            found.add(node)
            pending += node.operands
    return found


def plan_rows(nodes: Sequence[Node], output: Value) -> RowPlan | None:
    """Return how a kernel walks along rows, None if it does not have to or cannot."""
    rows = rows_in(nodes)
    sides = sides_of(nodes, rows) if rows else None
    if rows is None or not sides or output not in sides:
        return None
    made = producers(nodes)
    while output in made and made[output].op is reshape:
        output = made[output].operands[0]
    planner = Planner(nodes, output, sides)
    walks = planner.walks()
    prices = [planner.price(number, walk.known) for number, walk in enumerate(walks)]
    once = {node for n, walk in enumerate(walks) for node in planner.pulled(n, walk.known)}
    repeated = sum(prices) - sum(map(steps_of, once))
    return RowPlan(rows, sides, planner.level, tuple(walks), output, repeated)


def spread_values(nodes: Iterable[Node], plan: RowPlan) -> dict[Node, Value]:
    """Return the broadcasts that repeat one element per row, with what they repeat."""
    return {
        node: node.operands[0]
        for node in nodes
        if node.op is broadcast
        and plan.sides.get(node.operands[0]) == "one"
        and plan.sides[node.result] == "row"
    }
