"""How close a compiled result has to be to the exact one.

The rule compares two errors against the float64 interpreter, each the largest absolute
difference divided by the largest absolute reference: that of the result, and that of the
same program run by NumPy in its own types. A result agrees if its error is at most three
times NumPy's plus one rounding of 2**-24 per term of the longest sum, and no element is off
by more than 1e-4 of the largest reference. So a hard problem does not raise an alarm and an
easy one hides nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from lxc.ir.dim import Size, bounds
from lxc.ir.graph import Graph
from lxc.ir.node import Node, walk
from lxc.ir.ops.attention import attention
from lxc.ir.ops.channels_last import channels_last_conv
from lxc.ir.ops.contract import conv, dot_general, kernel_sizes
from lxc.ir.ops.packed import blocked_conv, depthwise_conv, packed_dot
from lxc.ir.ops.paired import paired_conv, paired_dot
from lxc.ir.ops.reduce import reduce, reduce_window
from lxc.ir.ops.winograd import TAPS, winograd_conv
from lxc.ir.ops.winograd_rows import taps_of, winograd_row_conv
from lxc.ir.types import Array

ROUNDING = 2.0**-24
LARGEST = 1e-4


@dataclass(frozen=True)
class Agreement:
    """The measured errors of one tensor and the bound that they are held against."""

    error: float
    reference_error: float
    bound: float

    @property
    def holds(self) -> bool:
        """Whether the result is as close as it has to be."""
        return self.error <= min(self.bound, LARGEST)

    def __str__(self) -> str:
        """Print the errors relative to the largest reference."""
        return (
            f"error {self.error:.2e}, NumPy's {self.reference_error:.2e}, "
            f"allowed {min(self.bound, LARGEST):.2e}"
        )


def agreement(actual: Array, narrow: Array, exact: Array, longest_sum: int) -> Agreement:
    """Return how `actual` compares with `exact`, given NumPy's result in narrow types."""
    reference_error = relative_error(narrow, exact)
    bound = 3 * reference_error + longest_sum * ROUNDING
    return Agreement(relative_error(actual, exact), reference_error, bound)


def relative_error(actual: Array, exact: Array) -> float:
    """Return max|actual - exact| / max|exact|; infinite if NaN or infinity differ."""
    wide, reference = actual.astype(np.float64), exact.astype(np.float64)
    finite = np.isfinite(reference)
    with np.errstate(invalid="ignore"):
        same = np.where(np.isnan(reference), np.isnan(wide), wide == reference)
    if wide.shape != reference.shape or not (finite | same).all():
        return float("inf")
    if not np.isfinite(wide[finite]).all():
        return float("inf")
    scale = float(np.abs(reference[finite]).max(initial=0.0)) or 1.0
    return float(np.abs(wide[finite] - reference[finite]).max(initial=0.0)) / scale


def longest_sum(graph: Graph) -> int:
    """Return the number of terms in the longest sum of a graph, at the largest sizes."""
    return max(map(summed_terms, walk(graph.nodes)), default=1)


def summed_terms(node: Node) -> int:
    """Return how many terms one element of a node's result sums."""
    attributes: Mapping[str, Any] = node.attributes
    if node.op is conv:
        shape = node.operands[1].type.shape
        _, inputs, taps = kernel_sizes(shape, attributes["weight_order"])
        return largest((inputs, *taps))
    if node.op is channels_last_conv:
        return largest(node.operands[1].type.shape[1:])
    if node.op in (blocked_conv, depthwise_conv):
        return largest(node.operands[1].type.shape[1:-1])
    if node.op is paired_conv:
        shape = node.operands[1].type.shape
        return largest((*shape[1:-2], shape[-1]))
    if node.op is winograd_conv:
        return largest((node.operands[1].type.shape[2], TAPS, TAPS))
    if node.op is winograd_row_conv:
        points, _, depth, _ = node.operands[1].type.shape
        return largest((depth, taps_of(bounds(points)[1], attributes["strides"][1])))
    if node.op is attention:
        query, key = (operand.type.shape for operand in node.operands[:2])
        return largest((query[-1],)) + largest((key[-2],))
    if node.op in (dot_general, packed_dot, paired_dot):
        return largest(node.operands[0].type.shape[a] for a in attributes["lhs_contract"])
    if node.op is reduce:
        return largest(node.operands[0].type.shape[a] for a in attributes["axes"])
    if node.op is reduce_window:
        return largest(attributes["window"])
    return 1


def largest(sizes: Iterable[Size]) -> int:
    """Return the product of sizes at their upper bounds."""
    return prod([bounds(entry)[1] for entry in sizes])
