"""Parts of a row that all that a walk reads can be read along, vector by vector.

A row may go over several axes. Where something is read that does not lie along all of
them, such as one number per channel, vectors stay inside of the axes where it does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import gcd

from lxc.ir.dim import Size, terms
from lxc.ir.node import Node, Value
from lxc.ir.types import Shape, count_elements
from lxc.passes.rows import Rows, first_of_row
from lxc.targets.kernels.element import Source
from lxc.targets.kernels.place import Place, unravel
from lxc.targets.kernels.pointwise import SIMPLE, reads_stretches
from lxc.targets.kernels.sizes import index_of
from lxc.targets.tvm_api import Expr, Index


@dataclass(frozen=True)
class Parts:
    """A row as `count` parts of `size` elements, one after the other."""

    count: Size
    size: Size


def pulled_nodes(source: Source, targets: Iterable[Value]) -> list[Node]:
    """Return the nodes that elements of some values are computed by."""
    found: dict[Node, None] = {}
    pending = list(targets)
    while pending:
        node = source.producers.get(pending.pop())
        if node and node not in found:
            found[node] = None
            pending += node.operands
    return list(found)


def parts_of(nodes: Iterable[Node], rows: Rows) -> Parts:
    """Return the largest parts of a row that all nodes are read along."""
    parts = Parts(1, rows.length)
    for node in nodes:
        if node.result.type.element_count == rows.count * rows.length:
            parts = smaller(parts, readable_parts(node, rows))
    return parts


def readable_parts(node: Node, rows: Rows) -> Parts:
    """Return the parts of a row that vectors may run along where one node is read."""
    whole, shape = Parts(1, rows.length), node.result.type.shape
    wide = [axis for axis, entry in enumerate(shape) if entry != 1]
    simple = node.op.name in SIMPLE
    if (
        not wide
        or node.op.kind == "elementwise"
        or (simple and node.op.name != "broadcast")
    ):
        return whole
    first = wide[-1]
    while simple and first and reads_stretches(node, first - 1):
        first -= 1
    size = count_elements(shape[first:])
    start = first_of_row(shape, rows)
    if start is not None:
        return whole if first <= start else Parts(count_elements(shape[start:first]), size)
    if isinstance(size, int) and isinstance(rows.length, int):
        common = gcd(size, rows.length)
        return Parts(rows.length // common, common)
    count = multiple(rows.length, size)
    return Parts(count, size) if count else whole


def multiple(size: Size, part: Size) -> int | None:
    """Return how often one size goes into another, if that is a number."""
    found = {
        left[1] // right[1] if left[0] == right[0] and left[1] % right[1] == 0 else 0
        for left, right in zip(terms(size), terms(part), strict=False)
    }
    count = found.pop() if len(found) == 1 else 0
    return count if count and part * count == size else None


def smaller(first: Parts, second: Parts) -> Parts:
    """Return parts that fit into both."""
    if second.count == 1:
        return first
    if first.count == 1 or multiple(first.size, second.size):
        return second
    if all(isinstance(one, int) for one in (*vars(first).values(), second.size)):
        length, common = first.count * first.size, gcd(first.size, second.size)
        return Parts(length // common, common)
    return first


class Places:
    """Where the vectors of one step lie, for values of every shape."""

    def __init__(
        self, dims: Mapping[str, Expr], parts: Parts, row: Index, part: Index, inner: Index
    ) -> None:
        """Know the row, the part of it, and where in the part every lane is."""
        self.dims, self.parts = dims, parts
        self.number = row * index_of(parts.count, dims) + part
        self.inner = inner
        self.known: dict[Shape, Place] = {}

    def of(self, value: Value) -> Place:
        """Return the place of a value's elements; values of one shape share it."""
        shape = value.type.shape
        if shape not in self.known:
            self.known[shape] = self.place(shape)
        return self.known[shape]

    def place(self, shape: Shape) -> Place:
        """Return the place in a shape, axis by axis where parts begin with an axis."""
        sizes = [index_of(entry, self.dims) for entry in shape]
        position = self.number * index_of(self.parts.size, self.dims) + self.inner
        for axis in reversed(range(len(shape) + 1)):
            if count_elements(shape[axis:]) == self.parts.size:
                outer = unravel(self.number, sizes[:axis])
                inner = unravel(self.inner, sizes[axis:])
                return Place(sizes, (*outer, *inner), position)
        return Place(sizes, position=position)
