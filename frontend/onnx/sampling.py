"""Operators of ONNX that read an image at places between its cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import Any, Literal, TypeAlias

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.onnx.making import check_elements
from lxc.frontend.onnx.operator import Operator, operator_of
from lxc.frontend.onnx.values import Known, entries, number
from lxc.ir import functions as ops
from lxc.ir.functions.counting import axis_length, counter
from lxc.ir.functions.gather import gather_points
from lxc.ir.functions.reduce import summing_type
from lxc.ir.tensor import lifted, shape_of

Mode: TypeAlias = Literal["linear", "nearest", "cubic", "bilinear", "bicubic"]
Edge: TypeAlias = Literal["zeros", "border", "reflection"]
KEYS = -0.75
"""The coefficient of the cubic that torch and onnxruntime interpolate with."""


@dataclass(frozen=True)
class Tap:
    """A cell that places read along an axis: its index, its weight, if there is one."""

    index: Any
    weight: Any
    inside: Any


def grid_sample(
    x: Any,
    grid: Any,
    *,
    align_corners: int = 0,
    mode: Mode = "linear",
    padding_mode: Edge = "zeros",
) -> Any:
    """Return x [N, C, *spatial] at places of a grid, from -1 to 1 along every axis."""
    x, grid = lifted((x, grid))
    rank = x.ndim - 2
    if shape_of(grid)[-1] != rank or grid.ndim != rank + 2:
        raise LxcError(
            "LXC-E0103",
            "a grid has a coordinate for every spatial axis",
            expected=f"grid: [N, {'*, ' * rank}{rank}]",
            actual=f"grid: {list(shape_of(grid))}",
        )
    places = summing_type(grid)
    taps = []
    for axis in range(rank):
        # The last axis of x comes first in the grid.
        place = places[..., rank - 1 - axis]
        length = axis_length(x, axis + 2)
        taps.append(taps_of(place, length, mode, padding_mode, bool(align_corners)))
    parts = [corner(x, cells) for cells in product(*taps)]
    return ops.astype(reduce(ops.add, parts), x.dtype)


def taps_of(
    place: Any, length: Any, mode: str, edge: Edge, align_corners: bool
) -> list[Tap]:
    """Return the cells along an axis that places from -1 to 1 read."""
    size = ops.astype(length, place.dtype)
    if align_corners:
        cell = ops.multiply(ops.add(place, 1), ops.multiply(ops.subtract(size, 1), 0.5))
        low, high = ops.multiply(size, 0), ops.subtract(size, 1)
    else:
        scaled = ops.multiply(ops.add(place, 1), size)
        cell = ops.multiply(ops.subtract(scaled, 1), 0.5)
        low, high = ops.subtract(ops.multiply(size, 0), 0.5), ops.subtract(size, 0.5)
    last = ops.subtract(size, 1)

    def at_edge(index: Any) -> Any:
        if edge == "reflection":
            index = reflected(index, low, high)
        return index if edge == "zeros" else limited(index, last)

    if mode == "nearest":
        return [tap_at(ops.rint(at_edge(cell)), None, last)]
    if mode in ("linear", "bilinear"):
        cell = at_edge(cell)
        first = ops.floor(cell)
        right = ops.subtract(cell, first)
        left = ops.subtract(1, right)
        return [tap_at(first, left, last), tap_at(ops.add(first, 1), right, last)]
    first = ops.floor(cell)
    beyond = ops.subtract(cell, first)
    return [
        tap_at(at_edge(ops.add(first, i)), keys(ops.subtract(beyond, i)), last)
        for i in range(-1, 3)
    ]


def tap_at(index: Any, weight: Any, last: Any) -> Tap:
    """Return a tap; what lies outside of the axis counts as 0."""
    inside = ops.logical_and(ops.greater_equal(index, 0), ops.less_equal(index, last))
    # No integer holds what is far outside, or no number at all.
    near = ops.where(inside, index, 0)
    return Tap(ops.astype(near, np.int64), weight, inside)


def limited(index: Any, last: Any) -> Any:
    """Return the nearest place that is no further outside than the edges' centres."""
    return ops.minimum(ops.maximum(index, 0), last)


def reflected(index: Any, low: Any, high: Any) -> Any:
    """Return places thrown back at both edges until they are inside."""
    span = ops.maximum(ops.subtract(high, low), np.float32(1e-30))
    turn = ops.remainder(ops.subtract(index, low), ops.multiply(span, 2))
    return ops.add(ops.minimum(turn, ops.subtract(ops.multiply(span, 2), turn)), low)


def keys(distance: Any) -> Any:
    """Return the weights of Keys' cubic at distances from -2 to 2."""
    d = ops.abs(distance)
    near = ops.add(
        ops.multiply(ops.multiply(ops.subtract(ops.multiply(d, KEYS + 2), KEYS + 3), d), d),
        1,
    )
    far = ops.subtract(ops.multiply(d, KEYS), 5 * KEYS)
    far = ops.add(ops.multiply(far, d), 8 * KEYS)
    far = ops.subtract(ops.multiply(far, d), 4 * KEYS)
    return ops.where(ops.less_equal(d, 1), near, far)


def corner(x: Any, taps: Sequence[Tap]) -> Any:
    """Return what one combination of taps adds to each place: a cell times its weight."""
    shape = shape_of(taps[0].index)
    apart = (shape[0], 1, *shape[1:])
    ones = (1,) * (len(shape) - 1)
    batch = counter(x, (shape[0], 1, *ones), 0)
    channel = counter(x, (1, shape_of(x)[1], *ones), 1)
    indices = [ops.reshape(tap.index, apart) for tap in taps]
    cell = summing_type(gather_points(x, [batch, channel, *indices]))
    inside = reduce(ops.logical_and, [tap.inside for tap in taps])
    weights = [tap.weight for tap in taps if tap.weight is not None]
    if weights:
        weight = ops.reshape(reduce(ops.multiply, weights), apart)
        cell = ops.multiply(cell, weight)
    return ops.where(ops.reshape(inside, apart), cell, 0)


def affine_grid(theta: Any, size: Known, *, align_corners: int = 0) -> Any:
    """Return theta [N, rank, rank + 1] times the centres of cells, as a grid."""
    sizes = [number(entry, "the size of an image") for entry in entries(size)[2:]]
    check_elements((*sizes, len(sizes) + 1))
    lines = [centres(count, bool(align_corners)) for count in sizes]
    # The last axis of the image is the first coordinate.
    meshes = np.meshgrid(*lines, indexing="ij")[::-1]
    points = np.stack([*meshes, np.ones(sizes)], -1).reshape(-1, len(sizes) + 1)
    wide = summing_type(theta)
    y = ops.matmul(points.astype(wide.dtype), ops.swapaxes(wide, 1, 2))
    shape = (shape_of(theta)[0], *sizes, len(sizes))
    return ops.astype(ops.reshape(y, shape), theta.dtype)


def centres(count: int, align_corners: bool) -> Any:
    """Return where the centres of cells lie between -1 and 1."""
    if align_corners:
        return np.linspace(-1, 1, count)
    return (2 * np.arange(count) + 1) / count - 1


SAMPLING: Mapping[str, Operator] = {
    "AffineGrid": operator_of(affine_grid),
    "GridSample": operator_of(grid_sample),
}
