"""Masks of attention, taken apart: which keys a query sees, and what is added to scores."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lxc.ir.builder import make_node
from lxc.ir.node import Location, Node, Value
from lxc.ir.op import Op
from lxc.ir.ops.arithmetic import add, subtract
from lxc.ir.ops.logic import bitwise_and, bitwise_not, less, less_equal
from lxc.ir.ops.shape import broadcast, constant, iota, reshape
from lxc.ir.types import Array, DType, Shape, count_elements
from lxc.passes.known_values import KnownValues
from lxc.passes.nodes import attributes_of

Axes = tuple[int | None, ...]
"""For each axis of a value, the axis of the scores that it lies along, None for no axis."""


@dataclass(frozen=True)
class Mask:
    """A value that is added to scores or, of bool, says where they count.

    If `inverted`, it says where they do not.
    """

    value: Value
    axes: Axes
    inverted: bool = False


@dataclass(frozen=True)
class Causal:
    """Keys up to that of the query, and `offset` further, are seen."""

    offset: int


class Masks:
    """What is known of the graph that masks come from."""

    def __init__(self, known: KnownValues, arrays: Mapping[str, Array]) -> None:
        """Look into the contents of the graph's data."""
        self.known, self.arrays = known, arrays

    def added(self, value: Value) -> Mask:
        """Return what is added to scores."""
        value, axes = self.stripped(value, tuple(range(value.type.rank)))
        return Mask(value, axes)

    def conditions(self, value: Value, *, inverted: bool) -> list[Mask | Causal]:
        """Return conditions that hold together where a score counts."""
        last = value.type.rank - 1
        rows = value.type.shape[-2:-1]
        return self.parts(value, tuple(range(last + 1)), (last - 1, last), rows, inverted)

    def parts(
        self, value: Value, axes: Axes, ends: tuple[int, int], rows: Shape, inverted: bool
    ) -> list[Mask | Causal]:
        """Return the conditions that one is made of; `ends` are queries and keys."""
        value, axes = self.stripped(value, axes)
        both = self.known.maker(value, bitwise_and)
        if both and not inverted:
            return [
                part
                for operand in both.operands
                for part in self.parts(operand, axes, ends, rows, inverted)
            ]
        turned = self.known.maker(value, bitwise_not)
        if turned:
            return self.parts(turned.operands[0], axes, ends, rows, not inverted)
        offset = self.diagonal(value, axes, ends, inverted)
        return [Mask(value, axes, inverted) if offset is None else Causal(offset)]

    def stripped(self, value: Value, axes: Axes) -> tuple[Value, Axes]:
        """Return what a value repeats, and the axes that are left."""
        while node := self.known.maker(value, broadcast):
            (inner,) = node.operands
            axes = tuple(
                None if entry == 1 and node.result.type.shape[axis] != 1 else axes[axis]
                for entry, axis in zip(
                    inner.type.shape, attributes_of(node)["axes"], strict=True
                )
            )
            value = inner
        return value, axes

    def diagonal(
        self, value: Value, axes: Axes, ends: tuple[int, int], inverted: bool
    ) -> int | None:
        """Return the offset if the condition is: key <= query + offset."""
        array = self.array(value)
        if array is not None and axes[-2:] == ends and set(array.shape[:-2]) <= {1}:
            array = array.reshape(array.shape[-2:])
            return band(~array if inverted else array)
        node = self.known.maker(value, less, less_equal)
        if node is None or inverted:
            return None
        left, right = (self.counter(operand, axes) for operand in node.operands)
        if left is None or right is None or (right[0], left[0]) != ends:
            return None
        return right[1] - left[1] - (1 if node.op is less else 0)

    def array(self, value: Value) -> Array | None:
        """Return the elements of a value of bool if they are known."""
        node = self.known.maker(value, constant)
        if value.type.dtype is not DType.BOOL or (node is None and not value.name):
            return None
        if node is None:
            return self.arrays.get(value.name)
        (array,) = constant.run((), node.attributes)
        return array

    def counter(self, value: Value, axes: Axes) -> tuple[int | None, int] | None:
        """Return the axis along which a value counts up, and what is added to the index."""
        value, axes = self.stripped(value, axes)
        node = self.known.maker(value, iota, add, subtract, reshape)
        if node is None:
            return None
        if node.op is iota:
            # Numbers of other types may lie half way, or start again from the other end.
            exact = value.type.dtype in (DType.I32, DType.I64)
            return (axes[attributes_of(node)["axis"]], 0) if exact else None
        if node.op is reshape:
            return self.counter_of_column(node, axes)
        for place, factor in ((1, 1 if node.op is add else -1), (0, 1)):
            number = self.known.number(node.operands[place])
            found = self.counter(node.operands[1 - place], axes)
            if number is not None and found and (place or node.op is add):
                return found[0], found[1] + factor * int(number)
        return None

    def counter_of_column(self, node: Node, axes: Axes) -> tuple[int | None, int] | None:
        """Return the counter of a reshape that only adds axes of one entry."""
        wide = [axis for axis, entry in enumerate(node.result.type.shape) if entry != 1]
        if node.operands[0].type.rank != 1 or len(wide) != 1:
            return None
        return self.counter(node.operands[0], (axes[wide[0]],))


def band(array: Array) -> int | None:
    """Return the offset if an array is true exactly where column <= row + offset."""
    if not array[:1].any():
        return None
    offset = int(array[0].sum()) - 1
    rows, columns = np.indices(array.shape)
    same = bool((array == (columns <= rows + offset)).all())
    return offset if same else None


def aligned(stage: Shape, wanted: Shape) -> list[int | None]:
    """Return for each axis of one shape the same axis of another one.

    Both end in the same axis, and in front of it they count the same elements in the same
    order. None stands for an axis that is split or joined in the other one.
    """
    starts = {
        (count_elements(wanted[:axis]), entry): axis for axis, entry in enumerate(wanted)
    }
    found = [
        starts.get((count_elements(stage[:axis]), entry))
        for axis, entry in enumerate(stage)
    ]
    found[-1] = len(wanted) - 1
    return found


def placed(
    mask: Mask, stage: Shape, wanted: Shape, location: Location
) -> tuple[Node, ...] | None:
    """Return nodes that make a mask of scores of shape `stage` one of shape `wanted`.

    None if it lies along an axis that `wanted` does not have.
    """
    table = aligned(stage, wanted)
    axes, sizes = [], []
    for axis, entry in zip(mask.axes, mask.value.type.shape, strict=True):
        if entry == 1:
            continue
        target = None if axis is None else table[axis]
        if target is None:
            return None
        axes.append(target)
        sizes.append(entry)
    nodes: list[Node] = []
    value = mask.value

    def put(op: Op, **attributes: object) -> Value:
        nodes.append(make_node(op, (value,), attributes, (), location))
        return nodes[-1].result

    if tuple(sizes) != value.type.shape:
        value = put(reshape, shape=tuple(sizes))
    if mask.inverted:
        value = put(bitwise_not)
    put(broadcast, shape=wanted, axes=tuple(axes))
    return tuple(nodes)
