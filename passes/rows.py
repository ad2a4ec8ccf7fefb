"""Rows: the stretches of elements that a reduction over the last axes goes over as a whole.

Such a reduction takes its operand for `count` rows of `length` elements each, one after the
other in memory. What follows from it has one element per row, or a row of elements for
each, in the order of the rows. So do the operands of elementwise ops that it meets; what
else these read is looked up, element by element.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lxc.ir.dim import Size
from lxc.ir.node import Node, Value
from lxc.ir.ops.reduce import reduce
from lxc.ir.ops.shape import broadcast, pad, reshape
from lxc.ir.types import count_elements
from lxc.passes.nodes import attributes_of

Side = Literal["one", "row"]
"""Whether a value that follows from a reduction has one element per row, or a row."""


@dataclass(frozen=True)
class Rows:
    """How many rows there are, and the number of elements in each."""

    count: Size
    length: Size


def rows_of(node: Node) -> Rows | None:
    """Return the rows that a node goes over, or None if it is no reduction of whole rows.

    Rows of one element are none: one element per row would be a row as well.
    """
    if node.op is not reduce:
        return None
    shape, axes = node.operands[0].type.shape, attributes_of(node)["axes"]
    order = [axis in axes for axis, entry in enumerate(shape) if entry != 1]
    if order != sorted(order):
        return None
    kept = [entry for axis, entry in enumerate(shape) if axis not in axes]
    rows = Rows(count_elements(kept), count_elements([shape[axis] for axis in axes]))
    return None if rows.count == 0 or rows.length in (0, 1) else rows


def first_of_row(shape: Sequence[Size], rows: Rows) -> int | None:
    """Return the axis that a row starts with, or None if it does not start with an axis."""
    for axis in range(len(shape) + 1):
        if count_elements(shape[:axis]) == rows.count:
            whole = count_elements(shape[axis:]) == rows.length
            return axis if whole else None
    return None


def spreads(node: Node, rows: Rows) -> bool:
    """Return whether a broadcast repeats one element per row along its row."""
    shape = node.result.type.shape
    first = first_of_row(shape, rows)
    if node.op is not broadcast or first is None:
        return False
    axes, own = attributes_of(node)["axes"], node.operands[0].type.shape
    read = dict(zip(axes, own, strict=True))
    return all(
        read.get(axis, 1) == (entry if axis < first else 1)
        for axis, entry in enumerate(shape)
    )


def side_of(node: Node, sides: Mapping[Value, Side], rows: Rows) -> Side | None:
    """Return the side of a node that reads from `sides`, None if it has no place there."""
    if node.op is reduce:
        known = sides.get(node.operands[0], "row")
        return "one" if known == "row" and rows_of(node) == rows else None
    found = {sides[operand] for operand in node.operands if operand in sides}
    if len(found) != 1:
        return None
    (side,) = found
    if node.op.kind == "elementwise" or node.op is reshape:
        return side
    if node.op is not broadcast:
        return None
    if node.result.type.element_count == node.operands[0].type.element_count:
        return side
    return "row" if side == "one" and spreads(node, rows) else None


def sides_of(nodes: Iterable[Node], rows: Rows) -> dict[Value, Side] | None:
    """Return the side of every value that follows from a reduction among `nodes`.

    It is None where a node has no place among rows, or pads what is reduced.
    """
    sides: dict[Value, Side] = {}
    for node in nodes:
        if node.op is pad:
            return None
        if node.op.kind == "reduction" or any(value in sides for value in node.operands):
            side = side_of(node, sides, rows)
            if side is None:
                return None
            sides[node.result] = side
    return sides


def rows_in(nodes: Sequence[Node]) -> Rows | None:
    """Return the rows of a kernel that has to be computed row by row, None for others.

    It has several reductions, spreads what it reduced along the rows again, or works on
    behind a reshape.
    """
    reductions = [node for node in nodes if node.op.kind == "reduction"]
    rows = rows_of(reductions[0]) if reductions else None
    if rows is None:
        return None
    followed = set(reductions[0].results)
    for node in nodes:
        if followed & set(node.operands):
            followed |= set(node.results)
    read = {operand for node in nodes for operand in node.operands}
    views = [
        n for n in nodes if followed & set(n.operands) and n.op in (broadcast, reshape)
    ]
    moved = [n for n in views if n.op is broadcast or n.result in read]
    return rows if len(reductions) > 1 or moved else None
