"""Products with weights of 8-bit integers: one scale for each of their columns."""

import math

import numpy as np

from lxc.ir.node import Node, Value
from lxc.ir.ops.arithmetic import absolute, divide, maximum, multiply
from lxc.ir.ops.contract import dot_general, free_axes
from lxc.ir.ops.functions import round
from lxc.ir.ops.logic import cast, less_equal, select
from lxc.ir.ops.reduce import reduce
from lxc.ir.ops.shape import broadcast, transpose
from lxc.ir.rewrite import Replacement
from lxc.ir.types import DType
from lxc.passes.decision import Refusal
from lxc.passes.node_writer import NodeWriter
from lxc.passes.nodes import attributes_of

LARGEST_INTEGER = 127.0
"""What the largest weight of a column becomes; the smallest integer is its negative."""
SMALLEST_SCALE = float(np.finfo(np.float32).smallest_normal)
"""A quotient by this is exact enough, also where all weights of a column are zero."""
LARGEST_SCALE = float(np.finfo(np.float32).max)

CONVOLUTION = Refusal(
    "convolution",
    "a convolution reads each weight for many cells, so the size of weights hardly matters",
    "a product of matrices",
)


def by_column(node: Node) -> Replacement | Refusal:
    """Return a product with a weight of integers, and their scales behind it.

    A scale is a 127th of the largest weight of its column. It is NaN, and so are all
    results of the column, where a weight is no finite number.
    """
    if node.op is not dot_general:
        return CONVOLUTION
    integers = Integers(node)
    return Replacement((integers.product(),), integers.nodes)


class Integers(NodeWriter):
    """The nodes that stand for one product, in order."""

    def __init__(self, node: Node) -> None:
        """Start without nodes."""
        super().__init__(node.location)
        facts = attributes_of(node)
        self.node, (self.rows, self.weight) = node, node.operands
        self.batch, self.contract = facts["rhs_batch"], facts["rhs_contract"]

    def product(self) -> Value:
        """Return the sums over the integers, each times the scale of its column."""
        scale = self.scale()
        integers = self.integers(scale)
        total = self.made(dot_general, self.rows, integers, **self.node.attributes)
        return self.made(multiply, total, self.behind(scale, total))

    def scale(self) -> Value:
        """Return the scale of each column; its axes are those of the weight that stay."""
        sizes = self.made(absolute, self.weight)
        most = self.made(reduce, sizes, kind="max", axes=self.contract)
        part = self.made(divide, most, self.number(LARGEST_INTEGER, most))
        part = self.made(maximum, part, self.number(SMALLEST_SCALE, part))
        finite = self.made(less_equal, part, self.number(LARGEST_SCALE, part))
        return self.made(select, finite, part, self.number(math.nan, part))

    def integers(self, scale: Value) -> Value:
        """Return the weight in steps of its scales, halves rounded to even."""
        kept = free_axes(self.weight.type.rank, self.contract)
        shape = self.weight.type.shape
        steps = self.made(
            divide, self.weight, self.made(broadcast, scale, shape=shape, axes=kept)
        )
        return self.made(cast, self.made(round, steps), dtype=DType.I8)

    def behind(self, scale: Value, total: Value) -> Value:
        """Return the scale of each result."""
        kept = free_axes(self.weight.type.rank, self.contract)
        columns = free_axes(self.weight.type.rank, self.batch, self.contract)
        first = total.type.rank - len(columns)
        places = (*range(len(self.batch)), *range(first, total.type.rank))
        order = tuple(kept.index(axis) for axis in (*self.batch, *columns))
        if order != tuple(range(len(order))):
            scale = self.made(transpose, scale, permutation=order)
        return self.made(broadcast, scale, shape=total.type.shape, axes=places)

    def number(self, number: float, like: Value) -> Value:
        """Return one number in the shape of a value."""
        single = self.single(number, like.type)
        return self.made(broadcast, single, shape=like.type.shape, axes=())
