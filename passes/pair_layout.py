"""Weights of bfloat16 in the order that products of pairs read them.

Two neighbours along the summed axis lie side by side in every lane, and a zero behind the
last one where their number is odd.
"""

from math import prod

from lxc.ir.builder import make_node
from lxc.ir.node import Location, Node, Value
from lxc.ir.op import Attribute, Op
from lxc.ir.ops.paired import PAIR
from lxc.ir.ops.shape import pad, reshape, transpose
from lxc.ir.types import Shape
from lxc.passes.nodes import scalar


class PairLayout:
    """The nodes that bring one weight into pairs, in order."""

    def __init__(self, location: Location) -> None:
        """Start without nodes."""
        self.location = location
        self.nodes: list[Node] = []

    def made(self, op: Op, *operands: Value, **attributes: Attribute) -> Value:
        """Return the result of a new node."""
        self.nodes.append(make_node(op, operands, attributes, (), self.location))
        return self.nodes[-1].result

    def panels(self, weight: Value, batch: Shape, terms: int, lanes: int) -> Value:
        """Return [*batch, panels, pairs, lanes, 2] of [*batch, *terms, *columns]."""
        columns = prod(n for n in weight.type.shape if isinstance(n, int)) // terms
        columns //= prod(n for n in batch if isinstance(n, int))
        panels, pairs = -(-columns // lanes), -(-terms // PAIR)
        flat = self.shaped(weight, (*batch, terms, columns))
        full = self.filled(flat, pairs * PAIR - terms, panels * lanes - columns)
        split = self.made(reshape, full, shape=(*batch, pairs, PAIR, panels, lanes))
        rank = len(batch)
        order = (*range(rank), *(rank + axis for axis in (2, 0, 3, 1)))
        return self.made(transpose, split, permutation=order)

    def shaped(self, weight: Value, shape: Shape) -> Value:
        """Return the elements of a weight in another shape."""
        same = weight.type.shape == shape
        return weight if same else self.made(reshape, weight, shape=shape)

    def filled(self, weight: Value, terms: int, columns: int) -> Value:
        """Return a weight with zeros behind the last two axes."""
        if not terms and not columns:
            return weight
        zero = scalar(0.0, weight.type, self.location)
        self.nodes.append(zero)
        none = (0,) * weight.type.rank
        high = (*none[2:], terms, columns)
        return self.made(pad, weight, zero.result, low=none, high=high, interior=none)
