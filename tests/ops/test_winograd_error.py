"""The error bound of Winograd convolutions, on random data and on the worst there is.

The bound of an element is (C + 20) * 2**-24 times what the algorithm adds up there in
absolute values: |A| ((|G| |w| |G|) * (|B| |x| |B|)) |A|, for C input channels.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lxc.ir.builder import Builder
from lxc.ir.graph import Graph
from lxc.ir.minimal_filtering import number_array
from lxc.ir.node import Value
from lxc.ir.op import OPS
from lxc.ir.ops.packed import blocked_conv
from lxc.ir.ops.winograd import (
    POINTS,
    input_matrix,
    output_matrix,
    weight_matrix,
    winograd_conv,
)
from lxc.ir.types import Array, DType, TensorType
from lxc.targets import TARGETS
from tests.ir.test_winograd_meaning import MOVES, transformed
from tests.ops.graphs import graph_from
from tests.targets.backends import Compiled, compiled

ROUNDING = 2.0**-24
STEPS = 20
"""Roundings on the way through all transforms, besides those of the sum."""
AMPLIFICATION = {2: 16.0, 4: 204.1}
"""The largest sum of absolute values for cells up to 1 and |w| that add up to 1."""
WIDE = np.dtype(np.float64)
Pair = tuple[Array, Array]


def absolute(rows: Callable[..., object], tile: int) -> Array:
    found: Array = np.abs(number_array(rows(tile), WIDE))  # type: ignore[arg-type]
    return found


def bound(x: Array, weight: Array, tile: int) -> Array:
    """Return the bound of the error of every element."""
    turn, back = absolute(input_matrix, tile), absolute(output_matrix, tile)
    rows = absolute(weight_matrix, tile)
    kernel = np.einsum("ay,ocyxil,bx->abocil", rows, np.abs(weight), rows)
    inputs, lanes, tiles = x.shape[1], x.shape[-1], (x.shape[2] - 2) // tile
    size = tile + 2
    total = np.zeros((x.shape[0], weight.shape[0], x.shape[2] - 2, x.shape[3] - 2, lanes))
    for row in range(tiles):
        for column in range(tiles):
            y, z = row * tile, column * tile
            seen = np.abs(x[:, :, y : y + size, z : z + size])
            spread = np.einsum("ay,ncyxi,bx->abnci", turn, seen, turn)
            sums = np.einsum("abnci,abocil->abnol", spread, kernel)
            made = np.einsum("ya,abnol,xb->noyxl", back, sums, back)
            total[:, :, y : y + tile, z : z + tile] = made
    found: Array = (inputs * lanes + STEPS) * ROUNDING * total
    return found


def plain(rng: np.random.Generator, lanes: int) -> Pair:
    x = rng.standard_normal((1, 4, 14, 14, lanes))
    return x, rng.standard_normal((2, 4, 3, 3, lanes, lanes))


def wide_range(rng: np.random.Generator, lanes: int) -> Pair:
    """Return numbers of many sizes."""
    x, weight = plain(rng, lanes)
    return x * 10 ** rng.uniform(-4, 4, x.shape), weight * 10 ** rng.uniform(
        -3, 3, weight.shape
    )


def cancelling(rng: np.random.Generator, lanes: int) -> Pair:
    """Return a slope and kernels that find edges: the result is nearly zero."""
    edges = np.outer([1, -2, 1], [1, -2, 1])[:, :, np.newaxis, np.newaxis]
    weight = edges * rng.uniform(1, 2, (2, 4, 1, 1, lanes, lanes))
    slope = np.add.outer(np.arange(14) * 0.37, np.arange(14) * 0.11 + 1 / 3)
    return slope[:, :, np.newaxis] * np.ones((1, 4, 1, 1, lanes)), weight


def alternating(rng: np.random.Generator, lanes: int) -> Pair:
    """Return the signs that make the transform of the input largest."""
    signs = np.array([1, 1, -1, -1] * 4)[:14]
    x = np.outer(signs, signs)[np.newaxis, np.newaxis, :, :, np.newaxis]
    x = x * rng.uniform(0.5, 1, (1, 4, 14, 14, lanes))
    smooth = np.outer([1, 2, 1], [1, 2, 1])[:, :, np.newaxis, np.newaxis]
    return x, smooth * rng.uniform(0.9, 1, (2, 4, 1, 1, lanes, lanes))


@pytest.mark.parametrize("level", compiled())
@pytest.mark.parametrize("tile", POINTS)
def test_errors_stay_below_the_documented_bound(
    tile: int, level: Compiled, tmp_path: Path
) -> None:
    lanes = TARGETS[level.name].machine.lanes
    rng = np.random.default_rng(8)
    model = level.load(convolution(tile, lanes), tmp_path)
    for draw in (plain, wide_range, cancelling, alternating):
        x, weight = (array.astype(np.float32) for array in draw(rng, lanes))
        (found,), _ = model.run([x, transformed(weight, tile)])
        (exact,) = blocked_conv.run((x.astype(WIDE), weight.astype(WIDE)), MOVES)
        error = np.abs(found - exact)
        assert (error <= bound(x, weight, tile)).all(), draw.__name__
        taps = np.abs(weight).sum((1, 2, 3, 4))[:, np.newaxis, np.newaxis]
        largest = AMPLIFICATION[tile] * np.abs(x).max() * taps
        steps = x.shape[1] * lanes + STEPS
        assert (error <= steps * ROUNDING * largest).all(), draw.__name__


def convolution(tile: int, lanes: int) -> Graph:
    """Return a graph of one convolution, whose weight is an input."""
    points = (tile + 2) ** 2

    def write(build: Builder, x: Value, weight: Value) -> tuple[Value, ...]:
        shapes = (points, 4 * 9 * lanes), (points, 2 * 9 * lanes)
        memory = [build.add(OPS["scratch"], shape=s, dtype=DType.F32)[0] for s in shapes]
        return build.add(winograd_conv, x, weight, *memory, tile=tile, block=9)

    kinds = [(1, 4, 14, 14, lanes), (points, 2, 4 * lanes, lanes)]
    types = [TensorType(DType.F32, shape) for shape in kinds]
    return graph_from(f"tiles{tile}", types, write)


@pytest.mark.parametrize("tile", POINTS)
def test_the_amplification_is_that_of_the_transforms(tile: int) -> None:
    turn, back = absolute(input_matrix, tile), absolute(output_matrix, tile)
    rows = absolute(weight_matrix, tile)
    along = back @ (turn.sum(1) * rows.max(1))
    assert along.max() ** 2 == pytest.approx(AMPLIFICATION[tile], rel=1e-3)
