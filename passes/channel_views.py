"""Views and reductions of values whose channels are behind their cells."""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

from lxc.ir.dim import bounds
from lxc.ir.node import Node, Value
from lxc.ir.op import Op
from lxc.ir.ops.reduce import reduce, reduce_window
from lxc.ir.ops.shape import broadcast, concat, pad, reshape, reverse, slice
from lxc.passes.channel_orders import ChannelOrders, first_to_last
from lxc.passes.nodes import attributes_of, with_attributes

MOST_CELLS = 256
"""Sums over more cells are left to warps, which read cells side by side."""
BY_AXIS = {
    pad: ("low", "high", "interior"),
    slice: ("start", "stop", "step"),
    reduce_window: ("window", "strides", "padding"),
}
"""The attributes of views that have one entry per axis."""


def has_cells(node: Node) -> bool:
    """Return whether operand and result have channels and cells."""
    return min(node.operands[0].type.rank, node.result.type.rank) > 2


def sums_few_cells(node: Node) -> bool:
    """Return whether a reduction leaves nothing but samples and channels, of few cells."""
    shape = node.operands[0].type.shape
    axes = sorted(attributes_of(node)["axes"])
    cells = prod(bounds(size)[1] for size in shape[2:])
    return len(shape) > 2 and axes == list(range(2, len(shape))) and cells <= MOST_CELLS


def keeps_channels(node: Node) -> bool:
    """Return whether a reshape changes cells alone."""
    shape = attributes_of(node)["shape"]
    return has_cells(node) and shape[:2] == node.operands[0].type.shape[:2]


def repeats_channels(node: Node) -> bool:
    """Return whether a broadcast has samples, channels and cells on both sides."""
    (x,) = node.operands
    in_place = attributes_of(node)["axes"] == tuple(range(node.result.type.rank))
    return has_cells(node) and in_place and x.type.rank == node.result.type.rank


VIEWS: Mapping[Op, Callable[[Node], bool]] = {
    pad: has_cells,
    slice: has_cells,
    reverse: has_cells,
    concat: has_cells,
    reduce_window: has_cells,
    broadcast: repeats_channels,
    reshape: keeps_channels,
    reduce: sums_few_cells,
}
"""Which views and reductions may be computed with channels last."""


def operands_with_channels(node: Node) -> Sequence[Value]:
    """Return the operands of a view or reduction that have channels."""
    return node.operands if node.op is concat else node.operands[:1]


def view_last(orders: ChannelOrders, node: Node) -> Value:
    """Return the result of a view or reduction with channels last."""
    facts = attributes_of(node)
    rank = node.result.type.rank
    if node.op is broadcast and node.operands[0].type.rank < rank:
        return repeated(orders, node)
    if node.op is broadcast and facts["axes"] != tuple(range(rank)):
        return orders.turned(orders.plain_of(node.result))
    here = [orders.last_of(value) for value in operands_with_channels(node)]
    numbers = [orders.plain_of(value) for value in node.operands[len(here) :]]
    return orders.append(with_attributes(node, (*here, *numbers), **moved(node, facts)))


def moved(node: Node, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a view or reduction where channels are last."""
    rank = node.operands[0].type.rank
    order = first_to_last(rank)
    if node.op in BY_AXIS:
        return {
            name: tuple(facts[name][axis] for axis in order) for name in BY_AXIS[node.op]
        }
    if node.op is concat:
        return {"axis": order.index(facts["axis"])}
    if node.op in (reverse, reduce):
        return {"axes": tuple(sorted(order.index(axis) for axis in facts["axes"]))}
    shape = facts["shape"]
    return {"shape": tuple(shape[axis] for axis in first_to_last(len(shape)))}


def repeated(orders: ChannelOrders, node: Node) -> Value:
    """Return a broadcast of fewer axes with channels last."""
    facts, x = attributes_of(node), orders.plain_of(node.operands[0])
    order = first_to_last(len(facts["shape"]))
    places = [order.index(axis) for axis in facts["axes"]]
    turn = sorted(range(len(places)), key=places.__getitem__)
    shape = tuple(facts["shape"][axis] for axis in order)
    return orders.made(
        broadcast,
        orders.permuted(x, tuple(turn)),
        shape=shape,
        axes=tuple(sorted(places)),
    )
