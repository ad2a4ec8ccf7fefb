"""Take the zeros out of convolutions that spread the cells of their operand."""

from dataclasses import dataclass
from typing import Any

from lxc.ir.builder import make_node
from lxc.ir.dim import Size
from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value
from lxc.ir.op import Attribute, Op
from lxc.ir.ops.contract import conv
from lxc.ir.ops.shape import pad, reshape, reverse, slice, transpose
from lxc.ir.rewrite import Replacement, rewrite
from lxc.ir.types import Shape
from lxc.passes.nodes import attributes_of, is_symbolic, scalar, with_attributes


def split_phases(graph: Graph) -> Graph:
    """Let an input-dilated convolution with stride 1 read cells without zeros between.

    Where cells lie s apart, every s-th output meets the same taps of the kernel: the s
    phases of an axis become s blocks of output channels with a kernel of ceil(taps / s),
    and are put side by side in the end. An axis that also spreads the taps stays as it is,
    and with it the convolution.
    """
    return rewrite(graph, without_zeros)


@dataclass(frozen=True)
class Phases:
    """How one axis is split: `apart` phases, each with `taps` of the kernel.

    The output is computed from `skipped` cells further in front, where the first phase
    starts with the last of the taps that share a cell. `cells` of each phase are needed,
    `kept` of them all; `edges` are the zeros around the operand.
    """

    apart: int
    taps: int
    missing: int
    skipped: int
    edges: tuple[Size, Size]
    cells: Size
    kept: Size


def phases_of(size: Size, kept: Size, taps: Any, pads: Any, apart: int) -> Phases:
    """Return the split of an axis of `size` cells that gives `kept` results."""
    if apart == 1:
        return Phases(1, taps, 0, 0, pads, kept, kept)
    skipped = (apart - 1 - pads[0]) % apart
    low = (pads[0] + skipped) // apart
    part = -(-taps // apart)
    cells = (kept + skipped + apart - 1) // apart
    edges = (low, cells + part - 1 - size - low)
    return Phases(apart, part, part * apart - taps, skipped, edges, cells, kept)


def without_zeros(node: Node) -> Replacement | None:
    """Return what stands for a convolution of spread cells, or None for any other node."""
    facts = attributes_of(node)
    if node.op is not conv or facts["weight_order"] != "oi" or set(facts["strides"]) != {1}:
        return None
    apart, between = facts["lhs_dilation"], facts["rhs_dilation"]
    taps = node.operands[1].type.shape[2:]
    if set(apart) == {1} or is_symbolic((*taps, facts["padding"])):
        return None
    if any(s > 1 and d > 1 for s, d in zip(apart, between, strict=True)):
        return None
    sizes = node.operands[0].type.shape[2:], node.result.type.shape[2:]
    axes = zip(*sizes, taps, facts["padding"], apart, strict=True)
    return Rewriting(node, [phases_of(*axis) for axis in axes]).replacement()


class Rewriting:
    """The nodes that stand for one convolution, in the order in which they are made."""

    def __init__(self, node: Node, split: list[Phases]) -> None:
        """Start without nodes."""
        self.node = node
        self.split = split
        self.nodes: list[Node] = []

    def replacement(self) -> Replacement:
        """Return the convolution of the phases and what puts them side by side."""
        rank = len(self.split)
        phased = with_attributes(
            self.node,
            (self.node.operands[0], self.phased_weight()),
            padding=tuple(entry.edges for entry in self.split),
            lhs_dilation=(1,) * rank,
        )
        self.nodes.append(phased)
        samples, channels = self.node.result.type.shape[:2]
        apart = tuple(entry.apart for entry in self.split)
        cells = tuple(entry.cells for entry in self.split)
        y = self.shaped(phased.result, (samples, channels, *apart, *cells))
        pairs = [axis for number in range(rank) for axis in (2 + rank + number, 2 + number)]
        y = self.made(transpose, y, permutation=(0, 1, *pairs))
        joined = tuple(n * s for n, s in zip(cells, apart, strict=True))
        y = self.shaped(y, (samples, channels, *joined))
        start = (0, 0, *(entry.skipped for entry in self.split))
        stop = (samples, channels, *(entry.skipped + entry.kept for entry in self.split))
        y = self.made(slice, y, start=start, stop=stop, step=(1,) * len(start))
        return Replacement((y,), self.nodes)

    def phased_weight(self) -> Value:
        """Return the weight [outputs * phases, inputs, *taps of a phase].

        Phase r of an axis has the taps s - 1 - r, 2 s - 1 - r and so on.
        """
        weight, rank = self.node.operands[1], len(self.split)
        outputs, inputs = weight.type.shape[:2]
        if any(entry.missing for entry in self.split):
            zero = scalar(
                0.0 if weight.type.dtype.is_float else 0, weight.type, self.node.location
            )
            self.nodes.append(zero)
            high = (0, 0, *(entry.missing for entry in self.split))
            none = (0,) * (rank + 2)
            weight = self.made(pad, weight, zero.result, low=none, high=high, interior=none)
        parts = [number for entry in self.split for number in (entry.taps, entry.apart)]
        weight = self.shaped(weight, (outputs, inputs, *parts))
        places = [3 + 2 * number for number in range(rank)]
        weight = self.made(reverse, weight, axes=tuple(places))
        taps = [2 + 2 * number for number in range(rank)]
        weight = self.made(transpose, weight, permutation=(0, *places, 1, *taps))
        blocks: Size = outputs
        for entry in self.split:
            blocks = blocks * entry.apart
        return self.shaped(weight, (blocks, inputs, *(entry.taps for entry in self.split)))

    def made(self, op: Op, *operands: Value, **attributes: Attribute) -> Value:
        """Return the result of a new node."""
        node = make_node(op, operands, attributes, (), self.node.location)
        self.nodes.append(node)
        return node.result

    def shaped(self, value: Value, shape: Shape) -> Value:
        """Return the elements of a value in another shape."""
        return self.made(reshape, value, shape=shape)
