"""What is known about values while a graph is rewritten from its first node to its last."""

from collections.abc import Iterable

import numpy as np

from lxc.ir.node import Node, Value
from lxc.ir.op import Op
from lxc.ir.ops.shape import broadcast, constant, reshape, transpose
from lxc.ir.types import Array


class KnownValues:
    """The nodes that make the values seen so far, and the order in which they were seen."""

    def __init__(self, headers: Iterable[Value]) -> None:
        """Know the header values, which no node makes."""
        self.made: dict[Value, Node] = {}
        self.seen: dict[Value, int] = {}
        for value in headers:
            self.place(value)

    def note(self, node: Node) -> None:
        """Learn of a node that stays in the graph."""
        for value in node.operands:
            self.place(value)
        for value in node.results:
            self.made[value] = node
            self.place(value)

    def place(self, value: Value) -> int:
        """Return the number of `value` in the order of sight."""
        return self.seen.setdefault(value, len(self.seen))

    def maker(self, value: Value, *ops: Op) -> Node | None:
        """Return the node that makes `value` if its op is one of `ops`."""
        node = self.made.get(value)
        return node if node and node.op in ops else None

    def number(self, value: Value) -> Array | None:
        """Return the one number that all elements of `value` are, as a scalar array."""
        node = self.maker(value, broadcast, reshape, transpose)
        if node:
            return self.number(node.operands[0])
        node = self.maker(value, constant)
        if node is None:
            return None
        (array,) = constant.run((), node.attributes)
        if array.size == 0 or array.tobytes() != array.ravel()[:1].tobytes() * array.size:
            return None
        return np.asarray(array.ravel()[0])

    def is_number(
        self, value: Value, number: float | Array, *, negative_zero: bool = False
    ) -> bool:
        """Return whether all elements of `value` are `number`; a zero has its sign."""
        found = self.number(value)
        if found is None or not bool(found == number):
            return False
        if number == 0 and value.type.dtype.is_float:
            return bool(np.signbit(found.astype(np.float64))) is negative_zero
        return True
