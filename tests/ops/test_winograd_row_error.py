"""The error bound of convolutions by tiles of rows, on random data and on the worst.

The bound of an element is (D * F + 20) * 2**-24 * 30.6 * max|x| * sum|w|, for D channels
and rows of taps together in every one of F filters.
"""

from pathlib import Path

import numpy as np
import pytest

from lxc.ir.builder import Builder
from lxc.ir.graph import Graph
from lxc.ir.minimal_filtering import input_rows, number_array, output_rows, weight_rows
from lxc.ir.node import Value
from lxc.ir.op import OPS
from lxc.ir.ops.packed import blocked
from lxc.ir.ops.winograd_rows import POINTS, TILE, room_size, winograd_row_conv
from lxc.ir.types import Array, DType, TensorType
from lxc.targets import TARGETS
from tests.ir.test_winograd_row_meaning import transformed
from tests.ops.graphs import graph_from
from tests.targets.backends import Compiled, compiled

AMPLIFICATION = 30.6
"""The largest sum of absolute values for cells up to 1 and |w| that add up to 1."""
STEPS = 20
ROUNDING = 2.0**-24
WIDE = np.dtype(np.float64)
SHAPE, TAPS = (1, 3, 21, 61), (7, 7)
STRIDES, PADDING = (2, 2), ((3, 3), (3, 3))


def plain(rng: np.random.Generator) -> tuple[Array, Array]:
    return rng.standard_normal(SHAPE), rng.standard_normal((32, 3, *TAPS))


def wide_range(rng: np.random.Generator) -> tuple[Array, Array]:
    """Return numbers of many sizes."""
    x, weight = plain(rng)
    scale = 10 ** rng.uniform(-4, 4, x.shape)
    return x * scale, weight * 10 ** rng.uniform(-3, 3, weight.shape)


def cancelling(rng: np.random.Generator) -> tuple[Array, Array]:
    """Return a slope and kernels that find edges: the result is nearly zero."""
    edge = np.array([1, -6, 15, -20, 15, -6, 1])
    weight = np.outer(edge, edge) * rng.uniform(1, 2, (32, 3, 1, 1))
    slope = np.add.outer(np.arange(SHAPE[2]) * 0.37, np.arange(SHAPE[3]) * 0.11 + 1 / 3)
    return slope * np.ones(SHAPE), weight


def alternating(rng: np.random.Generator) -> tuple[Array, Array]:
    """Return signs that make the transform of the input large."""
    signs = np.array([1, 1, 1, 1, -1, -1, -1, -1] * 8)[: SHAPE[3]]
    return signs * rng.uniform(0.5, 1, SHAPE), rng.uniform(0.9, 1, (32, 3, *TAPS))


@pytest.mark.parametrize("level", compiled())
def test_errors_stay_below_the_documented_bound(level: Compiled, tmp_path: Path) -> None:
    lanes = TARGETS[level.name].machine.lanes
    rng = np.random.default_rng(8)
    model = level.load(convolution(lanes), tmp_path)
    for draw in (plain, wide_range, cancelling, alternating):
        x, weight = (array.astype(np.float32) for array in draw(rng))
        (found,), _ = model.run([x, transformed(weight, 2, lanes)])
        more = {"lhs_dilation": (1, 1), "rhs_dilation": (1, 1), "groups": 1}
        facts = {"strides": STRIDES, "padding": PADDING, **more, "weight_order": "oi"}
        (exact,) = OPS["conv"].run((x.astype(WIDE), weight.astype(WIDE)), facts)
        error = np.abs(found - blocked(exact, lanes)).max(axis=(0, 2, 3)).ravel()
        largest = AMPLIFICATION * np.abs(x).max() * np.abs(weight).sum((1, 2, 3))
        bound = (3 * 7 * 2 + STEPS) * ROUNDING * largest
        assert (error <= bound).all(), draw.__name__


def convolution(lanes: int) -> Graph:
    """Return a graph of one convolution, whose weight is an input."""
    weight = TensorType(DType.F32, (13, 32 // lanes, 21, lanes))
    x = TensorType(DType.F32, SHAPE)
    size = room_size(x, weight, (2, 2), 31, 8)

    def write(build: Builder, *operands: Value) -> tuple[Value, ...]:
        (memory,) = build.add(OPS["scratch"], shape=(2, size), dtype=DType.F32)
        values = (*operands, memory)
        return build.add(
            winograd_row_conv, *values, strides=STRIDES, padding=PADDING, band=8
        )

    return graph_from("rows", [x, weight], write)


def test_the_amplification_is_that_of_the_transforms() -> None:
    found = []
    for taps in range(1, len(POINTS) + 3 - TILE):
        finite = POINTS[: TILE - 2 + taps]
        turn, back, rows = (
            np.abs(number_array(matrix, WIDE))
            for matrix in (
                input_rows(finite),
                output_rows(finite, TILE),
                weight_rows(finite, taps),
            )
        )
        found.append((back @ (turn.sum(1) * rows.max(1))).max())
    assert max(found) == pytest.approx(AMPLIFICATION, rel=1e-3)
