"""Which products a machine computes in tiles of rows and columns that threads share."""

from collections.abc import Iterable
from math import prod

from lxc.ir.dim import Size
from lxc.ir.machine import Machine
from lxc.ir.node import Node
from lxc.ir.ops.channels_last import channels_first, channels_last_conv
from lxc.ir.ops.contract import conv, dot_general, kernel_sizes
from lxc.ir.types import DType, Shape
from lxc.passes.nodes import attributes_of

TYPES = frozenset({DType.F32, DType.BF16, DType.F16})
FEWEST_TERMS = 8
"""Sums of fewer terms are not worth a tile."""
FEWEST_OUTPUTS = 8
"""Groups of a convolution with fewer channels are not either."""
MOST_TAPS = 31
"""So many taps of padded axes, added up, have a bit each in a number of 32."""


def suits_tiles(node: Node) -> bool:
    """Return whether a product is worth tiles; only sizes that all calls share decide."""
    if node.op not in (dot_general, conv, channels_last_conv):
        return False
    left, right = (value.type for value in node.operands)
    if left.dtype is not right.dtype or left.dtype not in TYPES:
        return False
    if any(isinstance(entry, int) and entry == 0 for entry in node.result.type.shape):
        return False
    if node.op is dot_general:
        sizes = [left.shape[axis] for axis in attributes_of(node)["lhs_contract"]]
        return not are_known(sizes) or count(sizes) >= FEWEST_TERMS
    groups = attributes_of(node)["groups"]
    outputs, inputs, taps = kernel_of(node)
    if not are_known([outputs, inputs, *taps]):
        return False
    is_split = groups > 1 and count([outputs]) // groups < FEWEST_OUTPUTS
    return not is_split and count([inputs, *taps]) >= FEWEST_TERMS


def pads_in_place(node: Node, machine: Machine) -> bool:
    """Return whether the kernel of a convolution takes zeros for its padding."""
    if node.op not in (conv, channels_last_conv):
        return False
    if not machine.pads_in_products or not suits_tiles(node):
        return False
    facts = attributes_of(node)
    edges = [entry for pair in facts["padding"] for entry in pair]
    spread = facts.get("lhs_dilation", ())
    if any(by != 1 for by in spread) or not are_known(edges):
        return False
    _, _, taps = kernel_of(node)
    padded = [n for n, pair in zip(taps, facts["padding"], strict=True) if any(pair)]
    return min(edges) >= 0 and sum(map(int, padded)) <= MOST_TAPS


def kernel_of(node: Node) -> tuple[Size, Size, Shape]:
    """Return output channels, input channels per group and taps of a convolution."""
    shape = node.operands[1].type.shape
    if node.op is channels_last_conv:
        return kernel_sizes(channels_first(shape), "oi")
    return kernel_sizes(shape, attributes_of(node)["weight_order"])


def are_known(sizes: Iterable[Size]) -> bool:
    """Return whether all sizes are plain numbers."""
    return all(isinstance(size, int) for size in sizes)


def count(sizes: Iterable[Size]) -> int:
    """Return the product of sizes that are plain numbers."""
    return prod(map(int, sizes))
