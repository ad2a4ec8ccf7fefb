"""Values that repeat a few numbers: cheaper made again in blocks than brought there."""

import numpy as np

from lxc.ir.node import Node, Value
from lxc.ir.ops.shape import broadcast
from lxc.passes.blocked_values import BlockedValues, known_size
from lxc.passes.lane_fill import Filling, computed, filling
from lxc.passes.nodes import attributes_of

Choice = tuple[Value, float]
"""A value, and the number that is put behind the last channel where there is one each."""


class SpreadValues:
    """The plain values that broadcasts make, alone or in elementwise nodes."""

    def __init__(self, table: BlockedValues) -> None:
        """Start without values."""
        self.table = table
        self.makers: dict[Value, Node] = {}
        self.forms: dict[Choice, Value] = {}
        self.fillings: dict[Choice, Filling] = {}

    def note(self, node: Node) -> None:
        """Learn of a node with plain operands and results."""
        repeats = node.op is broadcast and node.result.type.rank > 1
        follows = node.op.kind == "elementwise" and all(
            value in self.makers for value in node.operands
        )
        if repeats or follows:
            self.makers[node.result] = node

    def lanes(self, value: Value, number: float) -> Filling:
        """Return what is in the lanes behind the last channel of a value in blocks."""
        if (value, number) not in self.fillings:
            self.fillings[value, number] = self.filled(value, number)
        return self.fillings[value, number]

    def filled(self, value: Value, number: float) -> Filling:
        """Return what `lanes` keeps."""
        if known_size(value, 1) % self.table.lanes == 0:
            return ()
        maker = self.makers[value]
        if maker.op is not broadcast:
            return computed(maker, [self.lanes(x, number) for x in maker.operands])
        if channel_axis(maker) is None:
            found = self.table.known.number(value)
            return None if found is None else filling([found])
        return filling([np.asarray(number).astype(value.type.dtype.numpy)])

    def form(self, value: Value, number: float) -> Value:
        """Return a value in blocks."""
        if (value, number) not in self.forms:
            self.forms[value, number] = self.formed(value, number)
        return self.forms[value, number]

    def formed(self, value: Value, number: float) -> Value:
        """Return what `form` keeps."""
        maker, table = self.makers[value], self.table
        if maker.op is not broadcast:
            operands = [self.form(x, number) for x in maker.operands]
            return table.made(maker.op, *operands, **maker.attributes)
        (x,), channel = maker.operands, channel_axis(maker)
        axes = attributes_of(maker)["axes"]
        shape = table.blocked_shape(value.type.shape)
        if channel is not None:
            x = table.in_blocks(x, channel, number)
            axes = (*axes, len(shape) - 1)
        return table.made(broadcast, x, shape=shape, axes=axes)


def channel_axis(maker: Node) -> int | None:
    """Return the axis of what a broadcast repeats that has an entry per channel."""
    axes = attributes_of(maker)["axes"]
    if 1 not in axes:
        return None
    axis: int = axes.index(1)
    return None if maker.operands[0].type.shape[axis] == 1 else axis
