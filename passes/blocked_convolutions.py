"""Convolutions on values in blocks of lanes, and weights in the order that they read."""

from typing import Any

import numpy as np

from lxc.ir.node import Node, Value
from lxc.ir.ops.packed import blocked_conv, depthwise_conv
from lxc.ir.ops.paired import PAIR, paired_conv
from lxc.ir.ops.shape import transpose
from lxc.ir.types import DType
from lxc.passes.blocked_values import Blocked, BlockedValues, number_of
from lxc.passes.convolution_costs import Option
from lxc.passes.lane_fill import filling, is_harmless
from lxc.passes.nodes import attributes_of


def convolve(table: BlockedValues, node: Node, option: Option) -> Blocked:
    """Return the result of a convolution in blocks.

    In several parts, the blocks of the first channels of all parts come first.
    """
    x, weight = node.operands
    facts = attributes_of(node)
    moves: dict[str, Any] = {name: facts[name] for name in ("strides", "rhs_dilation")}
    kernel = table.plain_of(weight)
    if option.way == "depthwise":
        return depthwise(table, x, kernel, moves)
    plain, in_half = option.way == "from plain", x.type.dtype is DType.BF16
    source = table.plain_of(x) if plain else table.clean(x).value
    kernel = kernel_blocks(table, kernel, option.parts, plain)
    moves["groups"] = facts["groups"]
    if in_half and plain:
        source, kernel = one_block(table, source), with_deepest_last(table, kernel)
    if in_half:
        value = table.made(paired_conv, source, in_pairs(table, kernel), **moves)
    else:
        value = table.made(blocked_conv, source, kernel, **moves, plain=plain)
    # Zero times an infinite element of another channel is not zero.
    outputs = number_of(weight.type.shape[0]) // option.parts
    return Blocked(value, None if outputs % table.lanes else ())


def depthwise(
    table: BlockedValues, x: Value, weight: Value, moves: dict[str, tuple[int, ...]]
) -> Blocked:
    """Return a convolution with a kernel of its own for every channel."""
    twin = table.twin_of(x)
    channels, _, *taps = weight.type.shape
    kernel = table.in_blocks(table.shaped(weight, (channels, *taps)), 0)
    value = table.made(depthwise_conv, twin.value, kernel, **moves)
    if twin.lanes == ():
        return Blocked(value, ())
    zero = filling([np.zeros((), x.type.dtype.numpy)])
    return Blocked(value, zero if is_harmless(twin.lanes) else None)


def one_block(table: BlockedValues, x: Value) -> Value:
    """Return [N, 1, *cells, lanes] of [N, C, *cells], with an even number of lanes."""
    wide = even_channels(table, x)
    rank = wide.type.rank
    turned = table.made(transpose, wide, permutation=(0, *range(2, rank), 1))
    return table.shaped(turned, (turned.type.shape[0], 1, *turned.type.shape[1:]))


def with_deepest_last(table: BlockedValues, kernel: Value) -> Value:
    """Return [O blocks, 1, *taps, lanes in, lanes out] of [O blocks, I, *taps, lanes]."""
    wide = even_channels(table, kernel)
    last = wide.type.rank - 1
    turned = table.made(transpose, wide, permutation=(0, *range(2, last), 1, last))
    return table.shaped(turned, (turned.type.shape[0], 1, *turned.type.shape[1:]))


def even_channels(table: BlockedValues, value: Value) -> Value:
    """Return a value with a channel of zeros behind an odd number of channels."""
    channels = number_of(value.type.shape[1])
    return table.widened(value, {1: channels + channels % PAIR})


def in_pairs(table: BlockedValues, kernel: Value) -> Value:
    """Return [..., lanes in / 2, lanes out, 2] of a kernel [..., lanes in, lanes out]."""
    *outer, inner, lanes = kernel.type.shape
    split = table.shaped(kernel, (*outer, inner // PAIR, PAIR, lanes))
    rank = len(outer)
    order = (*range(rank + 1), rank + 2, rank + 1)
    return table.made(transpose, split, permutation=order)


def kernel_blocks(table: BlockedValues, weight: Value, parts: int, plain: bool) -> Value:
    """Return [O blocks * parts, I blocks, *taps, lanes in, lanes out] of a weight.

    If `plain`, input channels stay in a row: [O blocks * parts, I, *taps, lanes out].
    """
    lanes = table.lanes
    outputs, inputs, *taps = map(number_of, weight.type.shape)
    apart = (parts,) if parts > 1 else ()
    deep = 1 + len(apart)
    blocks, deep_blocks = table.blocks(outputs // parts), table.blocks(inputs)
    if outputs != blocks * lanes * parts:
        weight = table.shaped(weight, (outputs // parts, *apart, inputs, *taps))
    axis = weight.type.rank - len(taps) - 1
    wide = {} if plain else {axis: deep_blocks * lanes}
    if weight.type.shape[0] == outputs // parts:
        wide[0] = blocks * lanes
    weight = table.widened(weight, wide)
    rows = (inputs,) if plain else (deep_blocks, lanes)
    weight = table.shaped(weight, (blocks, lanes, *apart, *rows, *taps))
    places = list(range(weight.type.rank))
    lane_out = places.pop(1)
    lane_in = [] if plain else [places.pop(deep + 1)]
    weight = table.made(transpose, weight, permutation=(*places, *lane_in, lane_out))
    return table.shaped(weight, (blocks * parts, *weight.type.shape[deep:]))
