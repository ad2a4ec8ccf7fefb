"""Values with their channels behind the cells, next to the same values in plain order.

The form of a value [N, C, *cells] with channels last is [N, *cells, C]. Values of fewer
than three axes are the same in both.
"""

from collections.abc import Iterable

from lxc.ir.node import Value
from lxc.ir.ops.shape import pad, reshape, transpose
from lxc.passes.two_forms import Border, TwoForms


def first_to_last(rank: int) -> tuple[int, ...]:
    """Return the permutation that brings channels behind the cells."""
    return (0, *range(2, rank), 1) if rank > 2 else tuple(range(rank))


def last_to_first(rank: int) -> tuple[int, ...]:
    """Return the permutation that brings channels in front of the cells."""
    return (0, rank - 1, *range(1, rank - 1)) if rank > 2 else tuple(range(rank))


class ChannelOrders(TwoForms):
    """The nodes made so far, with the forms of each value."""

    def __init__(self, headers: Iterable[Value]) -> None:
        """Start with the header values, which are plain."""
        super().__init__(headers)
        self.last: dict[Value, Value] = {}

    def is_last_only(self, value: Value) -> bool:
        """Return whether a value exists with channels last only."""
        return value in self.last and value not in self.plain

    def brought_back(self, value: Value) -> Value:
        """Return a value in plain order that has its channels last."""
        return self.permuted(self.last[value], last_to_first(value.type.rank))

    def last_of(self, value: Value) -> Value:
        """Return a value with channels last."""
        if value.type.rank < 3:
            return self.plain_of(value)
        if value not in self.last:
            self.borders.append(Border(value, from_plain=True))
            self.last[value] = self.turned(self.plain[value])
        return self.last[value]

    def turned(self, value: Value) -> Value:
        """Return [A, *rest, B] of [A, B, *rest]."""
        return self.permuted(value, first_to_last(value.type.rank))

    def permuted(self, value: Value, permutation: tuple[int, ...]) -> Value:
        """Return a transpose, as a reshape where no element moves."""
        shape = tuple(value.type.shape[axis] for axis in permutation)
        moving = [axis for axis in permutation if value.type.shape[axis] != 1]
        if moving == sorted(moving):
            same = value.type.shape == shape
            return value if same else self.made(reshape, value, shape=shape)
        return self.made(transpose, value, permutation=permutation)

    def widened(self, value: Value, more: int) -> Value:
        """Return a value with some zeros behind the entries of its last axis."""
        if not more:
            return value
        none = (0,) * value.type.rank
        zero = self.single(0.0, value.type)
        high = (*none[1:], more)
        return self.made(pad, value, zero, low=none, high=high, interior=none)
