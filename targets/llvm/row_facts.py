"""What is certain of the numbers in a row kernel, so that it may do less than in general.

A row minus its largest element is nowhere above zero and somewhere zero. So are powers of
e in a softmax at most 1, and their sum is at least 1. And where every result of a row with
a NaN is NaN anyway, the largest element may be looked for without regard to NaN.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lxc.ir.node import Node, Value
from lxc.ir.ops.arithmetic import subtract
from lxc.ir.ops.functions import exp
from lxc.ir.ops.reduce import reduce
from lxc.ir.types import DType
from lxc.passes.nodes import attributes_of, producers
from lxc.passes.row_plan import RowPlan

NO_PRODUCTS = frozenset(
    {"absolute", "add", "cast", "maximum", "minimum", "negate", "select", "subtract"}
)
"""Ops that do not end with a product, which a difference behind it could be fused into."""
PROPAGATING = frozenset(
    {"add", "cast", "divide", "exp", "log", "multiply", "negate", "subtract"}
)
"""Ops whose result is NaN if any operand is."""


@dataclass(frozen=True)
class RowFacts:
    """What is known of the nodes of a row kernel.

    `falling` are powers of what is not above zero; it is only nearly so where they map to
    False. `moderate` are sums between 1 and the length of a row. `loose` are maxima that
    may pass over NaN. Whatever depends on a NaN in a row is left out of all that.
    """

    falling: Mapping[Node, bool]
    moderate: frozenset[Value]
    loose: frozenset[Node]


class Certain:
    """The nodes of a row kernel with what follows from them."""

    def __init__(self, nodes: Sequence[Node], plan: RowPlan) -> None:
        """Index the nodes."""
        self.nodes, self.plan = nodes, plan
        self.made = producers(nodes)

    def falling(self, node: Node) -> bool | None:
        """Return whether a power is of a difference that is exact enough, None if of none.

        A product that the difference is fused with is not rounded, and may be above the
        largest one, which is.
        """
        before = self.made.get(node.operands[0]) if node.op is exp else None
        if before is None or before.op is not subtract:
            return None
        x, largest = before.operands
        maximum = self.reduced(largest, "max")
        if x.type.dtype is not DType.F32 or maximum is None or maximum.operands[0] != x:
            return None
        maker = self.made.get(x)
        return maker is None or maker.op.name in NO_PRODUCTS

    def reduced(self, value: Value, kind: str) -> Node | None:
        """Return the reduction of a kind that a value repeats along each row."""
        maker = self.made.get(value)
        while maker is not None and maker.op.kind == "view":
            value = maker.operands[0]
            maker = self.made.get(value)
        if maker is None or maker.op is not reduce:
            return None
        return maker if attributes_of(maker)["kind"] == kind else None

    def is_lost(self, source: Value) -> bool:
        """Return whether the whole result is NaN where one element of `source` is."""
        there, everywhere = {source}, set[Value]()
        for node in self.nodes:
            if node.op is reduce and attributes_of(node)["kind"] == "add":
                if node.operands[0] in there | everywhere:
                    everywhere.add(node.result)
            elif self.hands_on(node):
                if everywhere & set(node.operands):
                    everywhere.add(node.result)
                elif there & set(node.operands):
                    there.add(node.result)
        return self.plan.stored in everywhere

    def hands_on(self, node: Node) -> bool:
        """Return whether a NaN in an operand is one in the result, in the same row."""
        if node.op.kind == "view":
            return node.result in self.plan.sides
        return node.op.name in PROPAGATING


def facts_of(nodes: Sequence[Node], plan: RowPlan) -> RowFacts:
    """Return what is certain of the nodes of a row kernel."""
    certain = Certain(nodes, plan)
    known = {node: certain.falling(node) for node in nodes}
    falling = {node: exact for node, exact in known.items() if exact is not None}
    return RowFacts(
        falling,
        frozenset(moderate_sums(nodes, falling)),
        frozenset(
            node
            for node in nodes
            if node.op is reduce
            and attributes_of(node)["kind"] == "max"
            and certain.is_lost(node.operands[0])
        ),
    )


def moderate_sums(nodes: Iterable[Node], falling: Mapping[Node, bool]) -> Iterable[Value]:
    """Return the sums of powers that are 1 at the largest element of a row."""
    exact = {node.result for node, known in falling.items() if known}
    for node in nodes:
        if node.op is not reduce or node.operands[0] not in exact:
            continue
        if attributes_of(node)["kind"] == "add":
            yield node.result
