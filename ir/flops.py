"""How many arithmetic operations a node is, before any pass simplifies it.

A multiply-add counts as two. An elementwise op is one operation per element of its result,
whatever it computes; a reduction is one per element that it combines. Views, sources and
opaque ops count nothing, unless `COUNTS` says otherwise. A node with bodies is as much as
what its bodies hold.
"""

from collections.abc import Callable, Iterable
from typing import Any

from lxc.ir.dim import Size
from lxc.ir.node import Node
from lxc.ir.op import Op
from lxc.ir.ops.attention import attention
from lxc.ir.ops.channels_last import channels_last_conv
from lxc.ir.ops.contract import conv, dot_general, kernel_sizes
from lxc.ir.ops.cumulative import cumulative
from lxc.ir.ops.packed import blocked_conv, depthwise_conv, packed_dot
from lxc.ir.ops.paired import paired_conv, paired_dot
from lxc.ir.ops.reduce import reduce_window
from lxc.ir.ops.staged import staged_conv, stretched_conv
from lxc.ir.ops.structure import scan
from lxc.ir.ops.winograd import winograd_conv
from lxc.ir.ops.winograd_rows import TILE, winograd_row_conv
from lxc.ir.types import count_elements


def flops_of(node: Node) -> Size:
    """Return the operations of a node and its bodies, symbolic if a size is."""
    if node.op in COUNTS:
        return COUNTS[node.op](node, **node.attributes)
    if node.bodies:
        return total_flops(inner for body in node.bodies for inner in body.nodes)
    if node.op.kind == "elementwise":
        return node.result.type.element_count
    if node.op.kind == "reduction":
        return node.operands[0].type.element_count
    return 0


def total_flops(nodes: Iterable[Node]) -> Size:
    """Return the operations of several nodes."""
    total: Size = 0
    for node in nodes:
        total = total + flops_of(node)
    return total


def flops_of_dot(node: Node, *, lhs_contract: tuple[int, ...], **_: Any) -> Size:
    """Return a multiply-add per element of the result and of the contracted axes."""
    shape = node.operands[0].type.shape
    depth = count_elements([shape[axis] for axis in lhs_contract])
    return node.result.type.element_count * depth * 2


def flops_of_conv(
    node: Node, *, weight_order: str, lhs_dilation: tuple[int, ...], groups: int, **_: Any
) -> Size:
    """Return a multiply-add per element of the result, input channel of a group and tap.

    Zeros between the cells of the input are no work: then every cell meets every tap once,
    for each output channel of its group.
    """
    x, weight = (operand.type for operand in node.operands)
    outputs, inputs, taps = kernel_sizes(weight.shape, weight_order)
    if max(lhs_dilation) > 1:
        return x.element_count * count_elements((outputs // groups, *taps)) * 2
    return node.result.type.element_count * count_elements((inputs, *taps)) * 2


def flops_of_groups(node: Node, **_: Any) -> Size:
    """Return a multiply-add per element of the result, input channel of a group and tap."""
    depth = node.operands[1].type.shape[1:]
    return node.result.type.element_count * count_elements(depth) * 2


def flops_of_blocks(node: Node, **_: Any) -> Size:
    """Return a multiply-add per element of the result, input channel it reads and tap.

    Lanes that fill up a block count like any other: they are computed.
    """
    depth = node.operands[1].type.shape[1:-1]
    return node.result.type.element_count * count_elements(depth) * 2


def flops_of_pairs(node: Node, **_: Any) -> Size:
    """Return a multiply-add per element of the result, input channel it reads and tap."""
    shape = node.operands[1].type.shape
    depth = count_elements((*shape[1:-2], shape[-1]))
    return node.result.type.element_count * depth * 2


def flops_of_tiles(node: Node, *, tile: int, **_: Any) -> Size:
    """Return a multiply-add per tile and number of the transformed weight."""
    shape = node.result.type.shape
    cells = [(entry + tile - 1) // tile for entry in shape[2:-1]]
    tiles = count_elements([shape[0], *cells])
    return tiles * node.operands[1].type.element_count * 2


def flops_of_row_tiles(node: Node, **_: Any) -> Size:
    """Return a multiply-add per tile of a row and number of the transformed weight."""
    shape = node.result.type.shape
    tiles = count_elements([shape[0], shape[2], (shape[3] + TILE - 1) // TILE])
    return tiles * node.operands[1].type.element_count * 2


def flops_of_attention(node: Node, **_: Any) -> Size:
    """Return a multiply-add per score and feature, and five operations for each weight."""
    query, key, value = (operand.type.shape for operand in node.operands[:3])
    scores = count_elements((*query[:-1], key[-2]))
    return scores * ((query[-1] + value[-1]) * 2 + 5)


def flops_of_windows(node: Node, *, window: tuple[int, ...], **_: Any) -> Size:
    """Return one operation per element of every window."""
    return node.result.type.element_count * count_elements(window)


def flops_of_walk(node: Node, **_: Any) -> Size:
    """Return one operation per element."""
    return node.result.type.element_count


def flops_of_scan(node: Node, *, length: Size, **_: Any) -> Size:
    """Return the operations of all steps."""
    return total_flops(node.bodies[0].nodes) * length


COUNTS: dict[Op, Callable[..., Size]] = {
    dot_general: flops_of_dot,
    conv: flops_of_conv,
    channels_last_conv: flops_of_groups,
    packed_dot: flops_of_dot,
    blocked_conv: flops_of_blocks,
    depthwise_conv: flops_of_blocks,
    paired_dot: flops_of_dot,
    paired_conv: flops_of_pairs,
    winograd_conv: flops_of_tiles,
    winograd_row_conv: flops_of_row_tiles,
    staged_conv: flops_of_groups,
    stretched_conv: flops_of_groups,
    attention: flops_of_attention,
    reduce_window: flops_of_windows,
    cumulative: flops_of_walk,
    scan: flops_of_scan,
}
