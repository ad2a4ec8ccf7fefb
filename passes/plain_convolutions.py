"""How vectors run in convolutions of channels in plain order, and what that costs."""

from math import prod

from lxc.ir.dim import Size, bounds
from lxc.ir.node import Node
from lxc.ir.ops.contract import kernel_sizes
from lxc.passes.nodes import attributes_of

FEWEST_CHANNELS = 4
"""Fewer output channels than this do not fill a vector worth having."""
ACROSS = 3
"""Vector operations for each full one where operand or result lie across the vectors."""

NEAR_BYTES = 128 << 10
"""Channels of fewer bytes in all stay in or close to the first-level cache."""
APART = 2
"""The same where so many channels are read that the rows of all do not stay at hand."""


def bytes_read(node: Node) -> int:
    """Return how much a convolution reads of a sample for one of its groups, at most."""
    x = node.operands[0].type
    inputs: int = most(x.shape[1]) // attributes_of(node)["groups"]
    return inputs * prod(most(entry) for entry in x.shape[2:]) * x.dtype.bytes


def runs_along_cells(node: Node, lanes: int) -> bool:
    """Return whether vectors run along the cells of a convolution, not its channels.

    Along output channels the weight has to be turned, so it must follow from parameters.
    """
    return steps_along_cells(node, lanes) <= steps_along_channels(node, lanes)


def plain_steps(node: Node, lanes: int, *, is_weight_known: bool) -> int:
    """Return the vector operations of a convolution for one sample."""
    found = steps_along_cells(node, lanes)
    return min(found, steps_along_channels(node, lanes)) if is_weight_known else found


def steps_along_cells(node: Node, lanes: int) -> int:
    """Return how many it takes along the last axis of cells.

    All cells are one axis if each is read once, one after the other.
    """
    strides: tuple[int, ...] = attributes_of(node)["strides"]
    cells = [most(entry) for entry in node.result.type.shape[2:]]
    _, inputs, taps = kernel_sizes(*kernel_facts(node))
    reach = prod(most(entry) for entry in taps)
    if reach == prod(strides) == 1:
        cells = [prod(cells)]
    *outer, last = cells
    vectors = -(-last // lanes) if last >= lanes else last.bit_count()
    steps = most(node.result.type.shape[1]) * prod(outer) * vectors * depth_of(node)
    if strides[-1] > 1:
        return ACROSS * steps
    return APART * steps if reach > 1 and most(inputs) >= lanes else steps


def steps_along_channels(node: Node, lanes: int) -> int:
    """Return how many it takes along the output channels of a group."""
    channels = most(node.result.type.shape[1])
    cells = prod(most(entry) for entry in node.result.type.shape[2:])
    groups: int = attributes_of(node)["groups"]
    if channels // groups < FEWEST_CHANNELS:
        lanes = 1
    vectors = groups * -(-(channels // groups) // lanes)
    return ACROSS * cells * vectors * depth_of(node)


def depth_of(node: Node) -> int:
    """Return how many terms each element of the result has."""
    _, inputs, taps = kernel_sizes(*kernel_facts(node))
    return prod(most(entry) for entry in (inputs, *taps))


def kernel_facts(node: Node) -> tuple[tuple[Size, ...], str]:
    """Return the shape of the weight and the order of its axes."""
    return node.operands[1].type.shape, attributes_of(node)["weight_order"]


def most(entry: Size) -> int:
    """Return the largest number that a size can be."""
    return bounds(entry)[1]
