"""The views that bring a result in blocks of lanes back into plain order, in its kernel.

They are a transpose, which puts the lanes behind their block, a reshape, and where the last
block is not full, a slice.
"""

from collections.abc import Sequence

from lxc.ir.node import Node
from lxc.ir.ops.packed import blocked_conv
from lxc.ir.ops.shape import reshape, slice, transpose
from lxc.ir.types import DType
from lxc.passes.nodes import attributes_of

LEAVING = frozenset({blocked_conv})
"""Reductions whose kernels may turn their vectors around as they store them."""


def follows_in_exit(node: Node, path: Sequence[Node], anchor: Node) -> bool:
    """Return whether `node` goes on with the way of a result out of its blocks.

    `path` are the nodes of the kernel from its reduction `anchor` on.
    """
    if node.op is transpose:
        return leaves_blocks(node, anchor)
    if path[-1].op is transpose:
        return node.op is reshape
    turned = path[-2] if len(path) > 2 else anchor
    if path[-1].op is not reshape or turned.op is not transpose:
        return False
    return node.op is slice and cuts_channels(node, turned)


def leaves_blocks(node: Node, anchor: Node) -> bool:
    """Return whether a transpose puts the lanes of a reduction's result behind blocks."""
    kind = anchor.result.type
    lanes_first = (0, 1, kind.rank - 1, *range(2, kind.rank - 1))
    return (
        anchor.op in LEAVING
        and node.operands[0].type.shape == kind.shape
        and node.operands[0].type.dtype is DType.F32
        and attributes_of(node)["permutation"] == lanes_first
    )


def cuts_channels(node: Node, turned: Node) -> bool:
    """Return whether a slice leaves the first channels of a value that was in blocks."""
    samples, blocks, lanes, *cells = turned.result.type.shape
    facts, whole = attributes_of(node), (samples, blocks * lanes, *cells)
    return (
        node.operands[0].type.shape == whole
        and not any(facts["start"])
        and all(step == 1 for step in facts["step"])
        and facts["stop"][2:] == whole[2:]
        and facts["stop"][0] == samples
        and facts["stop"][1] > whole[1] - lanes
    )
