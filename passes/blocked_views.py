"""Views and reductions that keep channels apart, on values in blocks.

Axis i of a plain value is axis i of its blocked twin, and the lanes follow as last axis. So
what leaves the axis of channels alone is the same operation with one axis more.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lxc.ir.dim import bounds
from lxc.ir.node import Node, Value
from lxc.ir.op import Op
from lxc.ir.ops.gather import gather
from lxc.ir.ops.reduce import identity, reduce, reduce_window
from lxc.ir.ops.shape import broadcast, concat, pad, reshape, reverse, slice, transpose
from lxc.ir.types import TensorType
from lxc.passes.blocked_values import Blocked, BlockedValues, Padded, number_of
from lxc.passes.lane_fill import Filling, combined, filling, joined
from lxc.passes.nodes import attributes_of, with_attributes

Facts = Mapping[str, Any]


def keeps_channels(node: Node, lanes: int) -> bool:
    """Return whether a view or reduction can be computed in blocks of some lanes."""
    check = KEEPS.get(node.op)
    if check is None or not all(map(has_channels, types_in_blocks(node))):
        return False
    return has_channels(node.result.type) and check(node, attributes_of(node), lanes)


def in_blocks(table: BlockedValues, node: Node) -> Blocked:
    """Return the blocked twin of the result of a node that keeps channels."""
    return RULES[node.op](table, node, attributes_of(node))


def operands_in_blocks(node: Node) -> tuple[Value, ...]:
    """Return the operands of a view or reduction that have channels."""
    return node.operands if node.op is concat else node.operands[:1]


def types_in_blocks(node: Node) -> list[TensorType]:
    """Return the types of the operands that have channels."""
    return [value.type for value in operands_in_blocks(node)]


def has_channels(kind: TensorType) -> bool:
    """Return whether axis 1 of a value can be cut into blocks."""
    return kind.rank >= 2 and isinstance(kind.shape[1], int) and kind.shape[1] > 0


# What leaves the axis of channels alone


def keeps_in_pad(node: Node, facts: Facts, lanes: int) -> bool:
    """Return whether nothing is put around or between channels."""
    return not any(facts[name][1] for name in ("low", "high", "interior"))


def keeps_in_slice(node: Node, facts: Facts, lanes: int) -> bool:
    """Return whether a slice begins with a block and has no steps along channels."""
    start, step = facts["start"][1], facts["step"][1]
    return isinstance(start, int) and start % lanes == 0 and step == 1


def keeps_in_concat(node: Node, facts: Facts, lanes: int) -> bool:
    """Return whether every part but the last fills its blocks."""
    parts = [value.type.shape[1] for value in node.operands[:-1]]
    return facts["axis"] != 1 or all(part % lanes == 0 for part in parts)


def keeps_in_window(node: Node, facts: Facts, lanes: int) -> bool:
    """Return whether windows hold one channel each."""
    of_channels = (facts["window"][1], facts["strides"][1], facts["padding"][1])
    return of_channels == (1, 1, (0, 0))


def keeps_in_broadcast(node: Node, facts: Facts, lanes: int) -> bool:
    """Return whether channels are channels of the result."""
    entries = node.operands[0].type.shape[1]
    return (facts["axes"][1], facts["shape"][1]) == (1, entries)


KEEPS: Mapping[Op, Callable[[Node, Facts, int], bool]] = {
    pad: keeps_in_pad,
    slice: keeps_in_slice,
    concat: keeps_in_concat,
    reduce_window: keeps_in_window,
    broadcast: keeps_in_broadcast,
    reverse: lambda node, facts, lanes: 1 not in facts["axes"],
    transpose: lambda node, facts, lanes: facts["permutation"][1] == 1,
    reshape: lambda node, facts, lanes: (
        facts["shape"][:2] == node.operands[0].type.shape[:2]
    ),
    gather: lambda node, facts, lanes: facts["axis"] > 1,
    reduce: lambda node, facts, lanes: not {0, 1} & set(facts["axes"]),
}


# The same in blocks


def pad_blocks(table: BlockedValues, node: Node, facts: Facts) -> Blocked:
    """Return a padded twin; what a product may read behind it is made clean in front."""
    x, number = node.operands
    twin = table.clean(x)
    edges = {name: (*facts[name], 0) for name in ("low", "high", "interior")}
    value = table.made(pad, twin.value, table.plain_of(number), **edges)
    found = table.known.number(number)
    around: Filling = None if found is None else (found,)
    if not twin.lanes:
        return Blocked(value, twin.lanes)
    if found is not None:
        table.padded[value] = Padded(twin.lanes, found, facts)
    return Blocked(value, joined(twin.lanes, around))


def slice_blocks(table: BlockedValues, node: Node, facts: Facts) -> Blocked:
    """Return a slice of whole blocks; the last one may end with other channels."""
    (x,) = node.operands
    twin = table.twin_of(x)
    start, stop = facts["start"], facts["stop"]
    first, last = start[1] // table.lanes, table.blocks(stop[1])
    ranges = {
        "start": (start[0], first, *start[2:], 0),
        "stop": (stop[0], last, *stop[2:], table.lanes),
        "step": (*facts["step"], 1),
    }
    value = table.made(slice, twin.value, **ranges)
    if stop[1] % table.lanes == 0:
        return Blocked(value, ())
    return Blocked(value, twin.lanes if stop[1] == x.type.shape[1] else None)


def concat_blocks(table: BlockedValues, node: Node, facts: Facts) -> Blocked:
    """Return twins one after the other."""
    twins = [table.twin_of(value) for value in node.operands]
    value = table.made(concat, *(twin.value for twin in twins), axis=facts["axis"])
    lanes = twins[-1].lanes
    if facts["axis"] != 1:
        for twin in twins:
            lanes = joined(lanes, twin.lanes)
    return Blocked(value, lanes)


def window_blocks(table: BlockedValues, node: Node, facts: Facts) -> Blocked:
    """Return the reductions of windows of a twin."""
    twin = table.twin_of(node.operands[0])
    changed = {
        "window": (*facts["window"], 1),
        "strides": (*facts["strides"], 1),
        "padding": (*facts["padding"], (0, 0)),
    }
    value = table.append(with_attributes(node, (twin.value,), **changed))
    around = table.padded.get(twin.value)
    lanes = around.lanes if around and meets_cells(facts, around) else twin.lanes
    nothing = any(map(any, facts["padding"]))
    return Blocked(value, combined(facts["kind"], lanes, may_be_nothing=nothing))


def meets_cells(facts: Facts, around: Padded) -> bool:
    """Return whether padding changes no window: each has a cell that decides."""
    if facts["kind"] not in ("max", "min") or any(around.facts["interior"]):
        return False
    if around.number != identity(facts["kind"], around.number.dtype):
        return False
    sides = zip(facts["window"], around.facts["low"], around.facts["high"], strict=True)
    return all(max(bounds(low)[1], bounds(high)[1]) < entry for entry, low, high in sides)


def gather_blocks(table: BlockedValues, node: Node, facts: Facts) -> Blocked:
    """Return entries of a twin along an axis of cells; there may be none, which is zero."""
    x, indices = node.operands
    twin = table.twin_of(x)
    places = (twin.value, table.plain_of(indices))
    value = table.append(with_attributes(node, places))
    if bounds(x.type.shape[facts["axis"]])[0] > 0:
        return Blocked(value, twin.lanes)
    zero = filling([np.zeros((), x.type.dtype.numpy)])
    return Blocked(value, joined(twin.lanes, zero))


def reduce_blocks(table: BlockedValues, node: Node, facts: Facts) -> Blocked:
    """Return the reduction of a twin."""
    (x,) = node.operands
    twin = table.twin_of(x)
    value = table.append(with_attributes(node, (twin.value,)))
    empty = any(bounds(x.type.shape[axis])[0] < 1 for axis in facts["axes"])
    return Blocked(value, combined(facts["kind"], twin.lanes, may_be_nothing=empty))


def is_total(node: Node) -> bool:
    """Return whether a reduction leaves one element per channel, over all samples."""
    (x,) = node.operands
    axes = set(attributes_of(node)["axes"])
    return has_channels(x.type) and axes == set(range(x.type.rank)) - {1}


def channel_totals(table: BlockedValues, node: Node) -> Value:
    """Return the result of such a reduction in plain order."""
    (x,) = node.operands
    blocks = table.append(with_attributes(node, (table.twin_of(x).value,)))
    row = table.shaped(blocks, (table.blocks(number_of(x.type.shape[1])) * table.lanes,))
    return table.cut(row, node.result.type.shape)


def same_lanes(
    change: Callable[[Node, Facts, BlockedValues], dict[str, Any]],
) -> Callable[[BlockedValues, Node, Facts], Blocked]:
    """Return the rule of a view that changes attributes only."""

    def rule(table: BlockedValues, node: Node, facts: Facts) -> Blocked:
        twin = table.twin_of(node.operands[0])
        changed = with_attributes(node, (twin.value,), **change(node, facts, table))
        return Blocked(table.append(changed), twin.lanes)

    return rule


RULES: Mapping[Op, Callable[[BlockedValues, Node, Facts], Blocked]] = {
    pad: pad_blocks,
    slice: slice_blocks,
    concat: concat_blocks,
    reduce_window: window_blocks,
    reduce: reduce_blocks,
    gather: gather_blocks,
    reverse: same_lanes(lambda node, facts, table: {}),
    transpose: same_lanes(
        lambda node, facts, table: {
            "permutation": (*facts["permutation"], len(facts["permutation"]))
        }
    ),
    reshape: same_lanes(
        lambda node, facts, table: {"shape": table.blocked_shape(node.result.type.shape)}
    ),
    broadcast: same_lanes(
        lambda node, facts, table: {
            "shape": table.blocked_shape(node.result.type.shape),
            "axes": (*facts["axes"], node.result.type.rank),
        }
    ),
}
