"""Weights of bfloat16 in the order that products of pairs read them.

Two neighbours along the summed axis lie side by side in every lane, and a zero behind the
last one where their number is odd.
"""

from math import prod

from lxc.ir.node import Value
from lxc.ir.ops.paired import PAIR
from lxc.ir.ops.shape import pad, reshape, transpose
from lxc.ir.types import Shape
from lxc.passes.node_writer import NodeWriter


class PairLayout(NodeWriter):
    """The nodes that bring one weight into pairs, in order."""

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
        zero = self.single(0.0, weight.type)
        none = (0,) * weight.type.rank
        high = (*none[2:], terms, columns)
        return self.made(pad, weight, zero, low=none, high=high, interior=none)
