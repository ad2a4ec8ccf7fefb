"""Values with their channels behind the cells, next to the same values in plain order.

The form of a value [N, C, *cells] with channels last is [N, *cells, C]. Values of fewer
than three axes are the same in both.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from lxc.ir.builder import make_node
from lxc.ir.node import NOWHERE, Location, Node, Value
from lxc.ir.op import Attribute, Op
from lxc.ir.ops.shape import pad, reshape, transpose
from lxc.passes.nodes import scalar


@dataclass(frozen=True)
class Turn:
    """A value that was brought from plain order to channels last, or back."""

    value: Value
    to_last: bool


def first_to_last(rank: int) -> tuple[int, ...]:
    """Return the permutation that brings channels behind the cells."""
    return (0, *range(2, rank), 1) if rank > 2 else tuple(range(rank))


def last_to_first(rank: int) -> tuple[int, ...]:
    """Return the permutation that brings channels in front of the cells."""
    return (0, rank - 1, *range(1, rank - 1)) if rank > 2 else tuple(range(rank))


class ChannelOrders:
    """The nodes made so far, with the forms of each value.

    Every value of the old graph has at least one of the two; the other one is made when
    somebody asks for it, once.
    """

    def __init__(self, headers: Iterable[Value]) -> None:
        """Start with the header values, which are plain."""
        self.nodes: list[Node] = []
        self.plain: dict[Value, Value] = {value: value for value in headers}
        self.last: dict[Value, Value] = {}
        self.borders: list[Turn] = []
        self.location: Location = NOWHERE

    def keep(self, node: Node) -> None:
        """Append a node whose results are plain values of the old graph."""
        self.append(node)
        self.plain.update((value, value) for value in node.results)

    def append(self, node: Node) -> Value:
        """Append a node and return its first result."""
        self.nodes.append(node)
        return node.results[0]

    def made(self, op: Op, *operands: Value, **attributes: Attribute) -> Value:
        """Return the result of a new node."""
        return self.append(make_node(op, operands, attributes, (), self.location))

    def is_last_only(self, value: Value) -> bool:
        """Return whether a value exists with channels last only."""
        return value in self.last and value not in self.plain

    def plain_of(self, value: Value) -> Value:
        """Return a value in plain order."""
        if value not in self.plain:
            self.borders.append(Turn(value, to_last=False))
            self.plain[value] = self.permuted(
                self.last[value], last_to_first(value.type.rank)
            )
        return self.plain[value]

    def last_of(self, value: Value) -> Value:
        """Return a value with channels last."""
        if value.type.rank < 3:
            return self.plain_of(value)
        if value not in self.last:
            self.borders.append(Turn(value, to_last=True))
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
        zero = self.append(scalar(0.0, value.type, self.location))
        high = (*none[1:], more)
        return self.made(pad, value, zero, low=none, high=high, interior=none)
