"""The body of a row kernel with everything that a row has one element of as a scalar.

Reductions, and what is spread along the rows, become parameters without axes: memory for
one number, which the kernel fills for one row after the other. What is divided by such a
number is multiplied by its reciprocal.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lxc.ir.builder import make_node
from lxc.ir.node import Body, Node, Value
from lxc.ir.op import Attribute, Op
from lxc.ir.ops.arithmetic import absolute, divide, multiply
from lxc.ir.ops.logic import less, select
from lxc.ir.ops.reduce import reduce
from lxc.ir.ops.shape import broadcast
from lxc.ir.types import DType
from lxc.passes.nodes import producers, scalar
from lxc.passes.row_plan import RowPlan, spread_values
from lxc.targets.kernels.rows.facts import RowFacts

FAR = 2.0**120
"""Up to this number, and from its reciprocal on, 1 / x loses no digits in float32."""
SHIFT = 2.0**64


@dataclass(frozen=True)
class RowScalars:
    """Nodes that read one element per row from parameters without axes.

    `memory` maps what has one element per row to its parameter, `known` to the number of
    walks after which it is known.
    """

    nodes: tuple[Node, ...]
    memory: Mapping[Value, Value]
    known: Mapping[Value, int]


class Scalars:
    """The nodes as they are rewritten."""

    def __init__(self, body: Body, plan: RowPlan, facts: RowFacts) -> None:
        """Rewrite all nodes in order."""
        self.plan, self.facts = plan, facts
        self.made = producers(body.nodes)
        self.spread = spread_values(body.nodes, plan)
        self.nodes: list[Node] = []
        self.memory: dict[Value, Value] = {}
        self.known: dict[Value, int] = {}
        self.factors: dict[Value, tuple[Value, ...]] = {}
        for node in body.nodes:
            self.rewrite(node)

    def rewrite(self, node: Node) -> None:
        """Append a node in its new form."""
        if node.op is reduce:
            self.repeat(node.result, self.plan.level[node.result], node.results)
        elif node in self.spread:
            value = self.spread[node]
            self.repeat(value, self.plan.level[value], node.results)
        elif node.op is divide and node.result.type.dtype is DType.F32:
            self.rewrite_quotient(node)
        else:
            self.nodes.append(node)

    def repeat(self, value: Value, known: int, results: tuple[Value, ...]) -> None:
        """Append a broadcast of the memory of `value` that makes `results`."""
        parameter = self.memory.setdefault(value, Value(value.type.with_shape(())))
        self.known[value] = known
        attributes: dict[str, Attribute] = {"shape": results[0].type.shape, "axes": ()}
        self.nodes.append(Node(broadcast, (parameter,), attributes, results))

    def rewrite_quotient(self, node: Node) -> None:
        """Append a quotient; by one number per row it becomes a product."""
        dividend, divisor = node.operands
        maker = self.made.get(divisor)
        if maker not in self.spread:
            self.nodes.append(node)
            return
        value = maker.operands[0]
        if value not in self.factors:
            self.factors[value] = self.reciprocal(value)
        product = dividend
        for factor in self.factors[value]:
            known = self.plan.level[value]
            spread = Value(node.result.type)
            self.repeat(factor, known, (spread,))
            last = factor is self.factors[value][-1]
            results = node.results if last else (Value(node.result.type),)
            self.nodes.append(Node(multiply, (product, spread), {}, results))
            product = results[0]

    def reciprocal(self, value: Value) -> tuple[Value, ...]:
        """Append nodes for one or two numbers whose product is 1 / value.

        The second is a power of two: 1, unless the reciprocal alone would lose digits.
        """
        one = self.number(1.0, value)
        if self.plain(value) in self.facts.moderate:
            return (self.append(divide, one, value),)
        size = self.append(absolute, value)
        small = self.append(less, size, self.number(1 / FAR, value))
        large = self.append(less, self.number(FAR, value), size)
        shift = self.append(select, large, self.number(1 / SHIFT, value), one)
        shift = self.append(select, small, self.number(SHIFT, value), shift)
        shifted = self.append(multiply, value, shift)
        return self.append(divide, one, shifted), shift

    def plain(self, value: Value) -> Value:
        """Return what a value is a view of."""
        maker = self.made.get(value)
        while maker is not None and maker.op.kind == "view":
            value = maker.operands[0]
            maker = self.made.get(value)
        return value

    def number(self, number: float, like: Value) -> Value:
        """Append a number in the shape of `like` and return it."""
        plain = scalar(number, like.type)
        self.nodes.append(plain)
        return self.append(broadcast, plain.result, shape=like.type.shape, axes=())

    def append(self, op: Op, *operands: Value, **attributes: Attribute) -> Value:
        """Append a node and return its result."""
        node = make_node(op, operands, attributes)
        self.nodes.append(node)
        return node.result


def row_scalars(body: Body, plan: RowPlan, facts: RowFacts) -> RowScalars:
    """Return the body of a row kernel as its walks read it."""
    found = Scalars(body, plan, facts)
    return RowScalars(tuple(found.nodes), found.memory, found.known)
