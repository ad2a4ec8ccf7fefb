"""Queries, keys and values of a product in the order that attention wants them in."""

from collections.abc import Sequence
from dataclasses import dataclass

from lxc.ir.dim import Size
from lxc.ir.node import Location, Node, Value
from lxc.ir.ops.arithmetic import multiply
from lxc.ir.ops.contract import free_axes
from lxc.ir.ops.shape import broadcast, reshape, transpose
from lxc.ir.types import Shape
from lxc.passes.known_values import KnownValues
from lxc.passes.node_writer import NodeWriter
from lxc.passes.nodes import attributes_of


@dataclass(frozen=True)
class Product:
    """A product by the roles of its axes: batch, rows of the left, the rest of the right.

    `left` and `right` are orders of the operands' axes: batch, then rows and the summed
    axis, and batch, then column and the summed axis.
    """

    node: Node
    batch: Shape
    rows: Shape
    left: tuple[int, ...]
    right: tuple[int, ...]


def product_of(node: Node) -> Product | None:
    """Return a product with one summed axis, one column axis and at most two of rows."""
    facts = attributes_of(node)
    lhs, rhs = node.operands
    if len(facts["lhs_contract"]) != 1:
        return None
    rows = free_axes(lhs.type.rank, facts["lhs_batch"], facts["lhs_contract"])
    columns = free_axes(rhs.type.rank, facts["rhs_batch"], facts["rhs_contract"])
    if len(columns) != 1 or len(rows) > 2:
        return None
    return Product(
        node,
        tuple(lhs.type.shape[axis] for axis in facts["lhs_batch"]),
        tuple(lhs.type.shape[axis] for axis in rows),
        (*facts["lhs_batch"], *rows, *facts["lhs_contract"]),
        (*facts["rhs_batch"], *columns, *facts["rhs_contract"]),
    )


class Heads(NodeWriter):
    """The nodes that bring operands into order, in the order in which they are made."""

    def __init__(self, known: KnownValues, location: Location) -> None:
        """Start without nodes."""
        super().__init__(location)
        self.known = known

    def append(self, node: Node) -> Value:
        """Append a node, which may be known, and return its first result."""
        self.known.note(node)
        return super().append(node)

    def turned(self, value: Value, order: Sequence[int]) -> Value:
        """Return a value with its axes in another order."""
        value, order = self.unturned(value, tuple(order))
        if order == tuple(range(len(order))):
            return value
        return self.made(transpose, value, permutation=order)

    def unturned(
        self, value: Value, order: tuple[int, ...]
    ) -> tuple[Value, tuple[int, ...]]:
        """Return what transposes show, and the order that stands for all of them."""
        while node := self.known.maker(value, transpose):
            inner = attributes_of(node)["permutation"]
            order = tuple(inner[axis] for axis in order)
            (value,) = node.operands
        return value, order

    def shaped(self, value: Value, shape: Shape) -> Value:
        """Return the elements of a value in another shape, in front of transposes."""
        if value.type.shape == shape:
            return value
        node = self.known.maker(value, transpose)
        joined = joined_axis(value.type.shape, shape)
        if node and joined is not None:
            order = attributes_of(node)["permutation"]
            if order[joined] + 1 == order[joined + 1]:
                return self.joined_inside(node, joined)
        return self.made(reshape, value, shape=shape)

    def joined_inside(self, node: Node, axis: int) -> Value:
        """Return a transpose whose axis and the next one are joined before."""
        order = attributes_of(node)["permutation"]
        (inner,) = node.operands
        first = order[axis]
        entry, after = inner.type.shape[first], inner.type.shape[first + 1]
        sizes = (*inner.type.shape[:first], entry * after, *inner.type.shape[first + 2 :])
        value = self.made(reshape, inner, shape=sizes)
        kept = (place for place in order if place != first + 1)
        turned = tuple(place - (place > first) for place in kept)
        return self.made(transpose, value, permutation=turned)

    def query(self, product: Product) -> Value:
        """Return queries as [*batch, heads, queries, size]."""
        value = product.node.operands[0]
        node = self.known.maker(value, reshape)
        rank = value.type.rank
        if node and product.left == tuple(range(rank)) and len(product.rows) == 1:
            (inner,) = node.operands
            outer = product.batch[:-1]
            known = (inner.type.shape[: len(outer)], inner.type.shape[-1:])
            if inner.type.rank == rank and known == (outer, value.type.shape[-1:]):
                return inner
        value = self.turned(value, product.left)
        heads = product.batch[-1] if product.batch else 1
        rows = (1, 1, *product.rows)[-2:]
        size = value.type.shape[-1]
        return self.shaped(value, (*product.batch[:-1], heads * rows[0], rows[1], size))

    def keys_and_values(
        self, first: Product, second: Product, query: Value
    ) -> tuple[Value, Value, float]:
        """Return keys and values [*batch, groups, keys, size], and a scale of the keys."""
        *outer, column, summed = second.right
        key = self.grouped(first.node.operands[1], first.right)
        value = self.grouped(second.node.operands[1], (*outer, summed, column))
        key, scale = self.unscaled(key)
        if key.type.shape[-3] == query.type.shape[-3]:
            fewer_keys, fewer = self.unrepeated(key)
            fewer_values, same = self.unrepeated(value)
            if fewer == same:
                return fewer_keys, fewer_values, scale
        return key, value, scale

    def grouped(self, value: Value, order: Sequence[int]) -> Value:
        """Return an operand in order, with an axis of heads."""
        value = self.turned(value, order)
        if len(order) > 2:
            return value
        return self.shaped(value, (1, *value.type.shape))

    def unrepeated(self, value: Value) -> tuple[Value, Size]:
        """Return keys or values before each head was repeated, and the number of heads."""
        rank = value.type.rank
        base, order = self.unturned(value, tuple(range(rank)))
        axis = order[-3]
        heads = value.type.shape[-3]
        join = self.known.maker(base, reshape)
        spread = self.known.maker(join.operands[0] if join else base, broadcast)
        if spread is None:
            return value, heads
        shape, place = spread.result.type.shape, axis + 1 if join else axis
        if join and joined_axis(shape, base.type.shape) != axis:
            return value, heads
        (inner,) = spread.operands
        axes = tuple(entry for entry in range(len(shape)) if entry != place)
        own = tuple(shape[entry] for entry in axes)
        if attributes_of(spread)["axes"] != axes or inner.type.shape != own:
            return value, heads
        if not join:
            inner = self.shaped(inner, (*own[:axis], 1, *own[axis:]))
        turned = self.turned(inner, order)
        return turned, turned.type.shape[-3]

    def unscaled(self, value: Value) -> tuple[Value, float]:
        """Return a value before it was multiplied by a number, and the number."""
        node = self.known.maker(value, multiply)
        if node:
            for place in (1, 0):
                number = self.known.number(node.operands[place])
                if number is not None:
                    return node.operands[1 - place], float(number)
        node = self.known.maker(value, transpose, reshape)
        if node is None:
            return value, 1.0
        inner, scale = self.unscaled(node.operands[0])
        if inner is node.operands[0]:
            return value, 1.0
        return self.made(node.op, inner, **node.attributes), scale


def joined_axis(shape: Shape, wanted: Shape) -> int | None:
    """Return the axis that is joined with the next one to make the wanted shape."""
    for axis in range(len(shape) - 1):
        both = shape[axis] * shape[axis + 1]
        if (*shape[:axis], both, *shape[axis + 2 :]) == wanted:
            return axis
    return None
