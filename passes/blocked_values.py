"""Values in blocks of lanes, next to the same values in plain order.

The blocked twin of a value [N, C, *rest] is [N, blocks, *rest, lanes], where channel c is
lane c % lanes of block c // lanes. Lanes behind the last channel hold anything; see
`lane_fill`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.errors import InternalError
from lxc.ir.dim import Size
from lxc.ir.node import Node, Value
from lxc.ir.ops.logic import less, select
from lxc.ir.ops.shape import broadcast, iota, pad, reshape, slice, transpose
from lxc.ir.types import Array, DType, Shape, TensorType
from lxc.passes.known_values import KnownValues
from lxc.passes.lane_fill import Filling, filling, is_harmless
from lxc.passes.two_forms import Border, TwoForms


@dataclass(frozen=True)
class Blocked:
    """A value in blocks, and what its lanes behind the last channel hold."""

    value: Value
    lanes: Filling


@dataclass(frozen=True)
class Padded:
    """What a pad in blocks has in the lanes of its operand, and puts around it."""

    lanes: Filling
    number: Array
    facts: Mapping[str, Any]


class BlockedValues(TwoForms):
    """The nodes made so far, with the plain form and the blocked twin of each value."""

    def __init__(self, lanes: int, headers: Iterable[Value]) -> None:
        """Start with the header values, which are plain."""
        super().__init__(headers)
        self.lanes = lanes
        self.twins: dict[Value, Blocked] = {}
        self.known = KnownValues(self.plain)
        self.padded: dict[Value, Padded] = {}

    def append(self, node: Node) -> Value:
        """Append a node, which may be known, and return its first result."""
        self.known.note(node)
        return super().append(node)

    def number(self, number: float, like: TensorType) -> Value:
        """Return a scalar constant of the element type of `like`."""
        if like.dtype is DType.BOOL:
            number = bool(number)
        elif not like.dtype.is_float:
            number = int(number)
        return self.single(number, like)

    def blocks(self, channels: int) -> int:
        """Return how many blocks hold some channels."""
        return -(-channels // self.lanes)

    def is_primary(self, value: Value) -> bool:
        """Return whether a value exists in blocks only."""
        return value not in self.plain

    # From one form to the other

    def brought_back(self, value: Value) -> Value:
        """Return a value in plain order that lies in blocks."""
        return self.unblocked(self.twins[value].value, value.type.shape)

    def unblocked(self, blocked: Value, shape: Shape) -> Value:
        """Return a blocked value as a plain one of a shape."""
        rank = len(shape)
        whole = (shape[0], blocked.type.shape[1] * self.lanes, *shape[2:])
        if any(entry != 1 for entry in shape[2:]):
            order = (0, 1, rank, *range(2, rank))
            blocked = self.made(transpose, blocked, permutation=order)
        joined = self.made(reshape, blocked, shape=whole)
        return self.cut(joined, shape)

    def cut(self, value: Value, shape: Shape) -> Value:
        """Return the leading elements of a value along every axis."""
        if value.type.shape == shape:
            return value
        origin, ones = (0,) * len(shape), (1,) * len(shape)
        return self.made(slice, value, start=origin, stop=shape, step=ones)

    def twin_of(self, value: Value) -> Blocked:
        """Return the blocked twin of a value."""
        if value not in self.twins:
            self.borders.append(Border(value, from_plain=True))
            plain = self.plain[value]
            channels = known_size(plain, 1)
            zero = filling([np.zeros((), plain.type.dtype.numpy)])
            lanes = zero if channels % self.lanes else ()
            self.twins[value] = Blocked(self.in_blocks(plain, 1), lanes)
        return self.twins[value]

    def in_blocks(self, value: Value, axis: int, number: float = 0.0) -> Value:
        """Return a value with an axis cut into blocks and the lanes as last axis."""
        channels = known_size(value, axis)
        blocks = self.blocks(channels)
        value = self.widened(value, {axis: blocks * self.lanes}, number)
        shape = value.type.shape
        cut = (*shape[:axis], blocks, self.lanes, *shape[axis + 1 :])
        value = self.made(reshape, value, shape=cut)
        rest = range(axis + 2, len(cut))
        order = (*range(axis + 1), *rest, axis + 1)
        if all(cut[place] == 1 for place in rest):
            return self.shaped(value, tuple(cut[place] for place in order))
        return self.made(transpose, value, permutation=order)

    def shaped(self, value: Value, shape: Shape) -> Value:
        """Return the elements of a value in another shape."""
        return (
            value if value.type.shape == shape else self.made(reshape, value, shape=shape)
        )

    def widened(self, value: Value, sizes: Mapping[int, int], number: float = 0.0) -> Value:
        """Return a value with a number behind its elements, up to the sizes of axes."""
        high = tuple(
            sizes[axis] - known_size(value, axis) if axis in sizes else 0
            for axis in range(value.type.rank)
        )
        if not any(high):
            return value
        none = (0,) * len(high)
        fill = self.number(number, value.type)
        return self.made(pad, value, fill, low=none, high=high, interior=none)

    def clean(self, value: Value) -> Blocked:
        """Return the twin of a value with lanes that harm no product."""
        twin = self.twin_of(value)
        if is_harmless(twin.lanes):
            return twin
        self.twins[value] = self.cleaned(twin, known_size(value, 1))
        return self.twins[value]

    def cleaned(self, twin: Blocked, channels: int) -> Blocked:
        """Return a twin with zeros in the lanes behind the last of some channels."""
        kind = twin.value.type
        shape, axes = kind.shape, (1, kind.rank - 1)
        places = (self.blocks(channels), self.lanes)
        count = self.made(iota, dtype=DType.I32, shape=(places[0] * places[1],), axis=0)
        place = self.made(broadcast, self.shaped(count, places), shape=shape, axes=axes)
        end = self.number(channels, place.type)
        end = self.made(broadcast, end, shape=shape, axes=())
        inside = self.made(less, place, end)
        zero = self.made(broadcast, self.number(0.0, kind), shape=shape, axes=())
        value = self.made(select, inside, twin.value, zero)
        return Blocked(value, filling([np.zeros((), kind.dtype.numpy)]))

    def blocked_shape(self, shape: Shape) -> Shape:
        """Return the shape of the twin of a value of `shape`."""
        blocks = self.blocks(number_of(shape[1]))
        return (shape[0], blocks, *shape[2:], self.lanes)


def known_size(value: Value, axis: int) -> int:
    """Return the size of an axis that no named dimension sets."""
    return number_of(value.type.shape[axis])


def number_of(size: Size) -> int:
    """Return a size that is a plain number."""
    if isinstance(size, int):
        return size
    raise InternalError("assign-layouts", f"{size} channels cannot lie in blocks")
