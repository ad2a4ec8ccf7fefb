"""Take the zeros out of convolutions that spread the cells of their operand."""

from dataclasses import dataclass
from typing import Any

from lxc.ir.dim import Size, bounds
from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value
from lxc.ir.ops.contract import conv
from lxc.ir.ops.shape import concat, pad, reshape, reverse, slice, transpose
from lxc.ir.rewrite import Replacement, rewrite
from lxc.ir.types import Shape
from lxc.passes.node_writer import NodeWriter
from lxc.passes.nodes import attributes_of, is_symbolic, with_attributes


def split_phases(graph: Graph) -> Graph:
    """Let an input-dilated convolution with stride 1 read cells without zeros between.

    Where cells lie s apart, every s-th output meets the same taps of the kernel: the s
    phases of an axis become s blocks of output channels with a kernel of ceil(taps / s),
    or of one tap less where taps run out, and are put side by side in the end. No tap is
    made up: zero times an infinite cell would not be zero. An axis that also spreads the
    taps stays as it is, and with it the convolution.
    """
    return rewrite(graph, without_zeros)


@dataclass(frozen=True)
class Run:
    """Phases of an axis, from `first` up to `last`, that have the same number of taps."""

    first: int
    last: int
    taps: int


@dataclass(frozen=True)
class Phases:
    """How one axis is split: `apart` phases, each with up to `taps` of the kernel.

    The first `missing` of them have one tap less. The output is computed from `skipped`
    cells further in front, where the first phase starts with the last of the taps that
    share a cell. `cells` of each phase are needed, `kept` of them all; `edges` are the
    zeros around the operand.
    """

    apart: int
    taps: int
    missing: int
    skipped: int
    edges: tuple[Size, Size]
    cells: Size
    kept: Size

    @property
    def runs(self) -> tuple[Run, ...]:
        """The phases with one tap less, if there are any, and the others."""
        others = Run(self.missing, self.apart, self.taps)
        return (Run(0, self.missing, self.taps - 1), others) if self.missing else (others,)

    def around(self, taps: int) -> tuple[Size, Size, int]:
        """Return the zeros around the operand for `taps`, and how many cells to drop."""
        low, high = self.edges
        high = high - (self.taps - taps)
        surplus = max(0, -bounds(high)[0])
        return low, high + surplus, surplus


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


class Rewriting(NodeWriter):
    """The nodes that stand for one convolution, in the order in which they are made."""

    def __init__(self, node: Node, split: list[Phases]) -> None:
        """Start without nodes."""
        super().__init__(node.location)
        self.node, self.split = node, split

    def replacement(self) -> Replacement:
        """Return the convolutions of the phases and what puts them side by side."""
        rank = len(self.split)
        samples, channels = self.node.result.type.shape[:2]
        y = self.joined(self.taps_of_phases(), ())
        pairs = [axis for number in range(rank) for axis in (2 + rank + number, 2 + number)]
        y = self.made(transpose, y, permutation=(0, 1, *pairs))
        joined = tuple(entry.cells * entry.apart for entry in self.split)
        y = self.shaped(y, (samples, channels, *joined))
        start = (0, 0, *(entry.skipped for entry in self.split))
        stop = (samples, channels, *(entry.skipped + entry.kept for entry in self.split))
        y = self.cut(y, stop, start)
        return Replacement((y,), self.nodes)

    def taps_of_phases(self) -> Value:
        """Return the weight as [outputs, inputs, *(taps of a phase, phase)].

        Phase r of an axis has the taps s - 1 - r, 2 s - 1 - r and so on.
        """
        weight = self.node.operands[1]
        rank, (outputs, inputs) = len(self.split), weight.type.shape[:2]
        if any(entry.missing for entry in self.split):
            weight = self.padded(weight, [(0, entry.missing) for entry in self.split])
        parts = [number for entry in self.split for number in (entry.taps, entry.apart)]
        weight = self.shaped(weight, (outputs, inputs, *parts))
        phases = tuple(3 + 2 * number for number in range(rank))
        return self.made(reverse, weight, axes=phases)

    def joined(self, weight: Value, chosen: tuple[Run, ...]) -> Value:
        """Return the cells of all phases of the axes behind those of `chosen`."""
        if len(chosen) == len(self.split):
            return self.phased(weight, chosen)
        entry, axis = self.split[len(chosen)], 2 + len(chosen)
        parts = [self.joined(weight, (*chosen, run)) for run in entry.runs if run.taps]
        if len(parts) > 1:
            return self.made(concat, *parts, axis=axis)
        if entry.missing:
            sides = [(0, 0)] * (2 * len(self.split))
            sides[len(chosen)] = (entry.missing, 0)
            return self.padded(parts[0], sides)
        return parts[0]

    def phased(self, weight: Value, chosen: tuple[Run, ...]) -> Value:
        """Return [samples, channels, *phases, *cells] of a run of phases per axis."""
        samples, channels = self.node.result.type.shape[:2]
        kernel = self.kernel(weight, chosen)
        pairs = list(zip(self.split, chosen, strict=True))
        edges = [entry.around(run.taps) for entry, run in pairs]
        node = with_attributes(
            self.node,
            (self.node.operands[0], kernel),
            padding=tuple((low, high) for low, high, _ in edges),
            lhs_dilation=(1,) * len(chosen),
        )
        self.nodes.append(node)
        cells = [entry.cells for entry in self.split]
        found = [size + surplus for size, (*_, surplus) in zip(cells, edges, strict=True)]
        phases = tuple(run.last - run.first for run in chosen)
        y = self.shaped(node.result, (samples, channels, *phases, *found))
        return self.cut(y, (samples, channels, *phases, *cells))

    def kernel(self, weight: Value, chosen: tuple[Run, ...]) -> Value:
        """Return [outputs * phases, inputs, *taps] of a run of phases per axis."""
        rank, (outputs, inputs) = len(chosen), weight.type.shape[:2]
        start = [number for run in chosen for number in (0, run.first)]
        stop = [number for run in chosen for number in (run.taps, run.last)]
        weight = self.cut(weight, (outputs, inputs, *stop), (0, 0, *start))
        places = [3 + 2 * number for number in range(rank)]
        taps = [2 + 2 * number for number in range(rank)]
        weight = self.made(transpose, weight, permutation=(0, *places, 1, *taps))
        blocks: Size = outputs
        for run in chosen:
            blocks = blocks * (run.last - run.first)
        return self.shaped(weight, (blocks, inputs, *(run.taps for run in chosen)))

    def cut(self, value: Value, stop: Shape, start: Shape | None = None) -> Value:
        """Return the elements from `start`, the first one unless given, up to `stop`."""
        start = start or (0,) * len(stop)
        if stop == value.type.shape and not any(start):
            return value
        return self.made(slice, value, start=start, stop=stop, step=(1,) * len(stop))

    def padded(self, value: Value, sides: list[tuple[int, int]]) -> Value:
        """Return a value with zeros (before, behind) along the axes from the third on."""
        number = 0.0 if value.type.dtype.is_float else 0
        zero = self.single(number, value.type)
        edges = [(0, 0), (0, 0), *sides]
        return self.made(
            pad,
            value,
            zero,
            low=tuple(low for low, _ in edges),
            high=tuple(high for _, high in edges),
            interior=(0,) * len(edges),
        )

    def shaped(self, value: Value, shape: Shape) -> Value:
        """Return the elements of a value in another shape."""
        return self.made(reshape, value, shape=shape)
