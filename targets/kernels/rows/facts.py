"""What is certain of the numbers in a row kernel, so that it may do less than in general.

A row minus its largest element is nowhere above zero and somewhere zero. So are powers of
e in a softmax at most 1, and their sum is at least 1. And where every result of a row with
a NaN is NaN anyway, the largest element may be looked for without regard to NaN.

One walk finds the largest element and another one computes the elements again, so both must
round alike: no product may be fused with a sum in one of them only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lxc.ir.node import Node, Value, users
from lxc.ir.ops.arithmetic import subtract
from lxc.ir.ops.functions import exp
from lxc.ir.ops.reduce import reduce
from lxc.ir.types import DType
from lxc.passes.nodes import attributes_of, producers
from lxc.passes.row_plan import RowPlan

NO_PRODUCTS = frozenset(
    {
        *("absolute", "add", "cast", "divide", "maximum"),
        *("minimum", "negate", "select", "subtract"),
    }
)
"""Ops that do not end with a product, which a sum behind it could be fused into."""
NO_SUMS = frozenset(
    {
        *("absolute", "divide", "equal", "less", "less_equal"),
        *("maximum", "minimum", "multiply", "reduce", "select"),
    }
)
"""Ops that a product in front of them is not fused with, or for no maximum."""
PROPAGATING = frozenset(
    {"add", "cast", "divide", "exp", "log", "multiply", "negate", "subtract"}
)
"""Ops whose result is NaN if any operand is."""


@dataclass(frozen=True)
class RowFacts:
    """What is known of the nodes of a row kernel.

    `falling` are powers of what is not above zero. `moderate` are sums between 1 and the
    length of a row. `loose` are maxima that may pass over NaN. Whatever depends on a NaN in
    a row is left out of all that. `steady` are products that lead to what maxima and minima
    are taken of: they are rounded before anything is done with them.
    """

    falling: frozenset[Node]
    moderate: frozenset[Value]
    loose: frozenset[Node]
    steady: frozenset[Value]


class Certain:
    """The nodes of a row kernel with what follows from them."""

    def __init__(self, nodes: Sequence[Node], plan: RowPlan) -> None:
        """Index the nodes."""
        self.nodes, self.plan = nodes, plan
        self.made, self.readers = producers(nodes), users(nodes)

    def is_falling(self, node: Node) -> bool:
        """Return whether a node is a power of an element less the largest of its row."""
        before = self.made.get(node.operands[0]) if node.op is exp else None
        if before is None or before.op is not subtract:
            return False
        x, largest = before.operands
        maximum = self.reduced(largest, "max")
        same = maximum is not None and maximum.operands[0] == x
        return same and x.type.dtype is DType.F32

    def steady(self) -> Iterable[Value]:
        """Yield the products that what maxima and minima are taken of is computed from."""
        pending = [
            node.operands[0]
            for node in self.nodes
            if node.op is reduce and attributes_of(node)["kind"] in ("max", "min")
        ]
        seen: set[Node] = set()
        while pending:
            maker = self.made.get(pending.pop())
            if maker is None or maker.op is reduce or maker in seen:
                continue
            seen.add(maker)
            pending += maker.operands
            readers = self.readers[maker.result]
            if (
                maker.op.kind == "elementwise"
                and maker.op.name not in NO_PRODUCTS
                and any(reader.op.name not in NO_SUMS for reader in readers)
            ):
                yield maker.result

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
    falling = frozenset(filter(certain.is_falling, nodes))
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
        frozenset(certain.steady()),
    )


def moderate_sums(nodes: Iterable[Node], falling: Iterable[Node]) -> Iterable[Value]:
    """Return the sums of powers that are 1 at the largest element of a row."""
    powers = {node.result for node in falling}
    for node in nodes:
        if node.op is not reduce or node.operands[0] not in powers:
            continue
        if attributes_of(node)["kind"] == "add":
            yield node.result
