"""Resize of ONNX: every cell of the result reads cells of x with weights, axis by axis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import floor
from typing import Any, Literal

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.layers.upsample import repeated
from lxc.frontend.onnx.making import check_elements
from lxc.frontend.onnx.operator import Operator, operator_of
from lxc.frontend.onnx.values import Known, entries, number
from lxc.ir import functions as ops
from lxc.ir.dim import Size
from lxc.ir.functions.promotion import as_float
from lxc.ir.functions.reduce import summing_type
from lxc.ir.tensor import shape_of
from lxc.ir.types import Array, dtype_of

Mode = Literal["nearest", "linear", "cubic"]
Coordinates = Literal[
    "half_pixel",
    "half_pixel_symmetric",
    "pytorch_half_pixel",
    "align_corners",
    "asymmetric",
    "tf_crop_and_resize",
]
Rounding = Literal["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]


@dataclass(frozen=True)
class Sampling:
    """How places of the result are found in x, and what is read around them."""

    mode: str
    coordinates: str
    rounding: str
    cubic: float
    antialias: bool
    exclude_outside: bool
    outside: float


@dataclass(frozen=True)
class Axis:
    """One axis that is resized: sizes before and after, the scale, and a part to read."""

    place: int
    old: int
    new: int
    scale: float
    region: tuple[float, float]


def resize(
    x: Any,
    roi: Known = None,
    scales: Known = None,
    sizes: Known = None,
    *,
    antialias: int = 0,
    axes: Sequence[int] | None = None,
    coordinate_transformation_mode: Coordinates = "half_pixel",
    cubic_coeff_a: float = -0.75,
    exclude_outside: int = 0,
    extrapolation_value: float = 0.0,
    keep_aspect_ratio_policy: Literal["stretch", "not_larger", "not_smaller"] = "stretch",
    mode: Mode = "nearest",
    nearest_mode: Rounding = "round_prefer_floor",
) -> Any:
    """Return x with other sizes along some axes."""
    along = range(x.ndim) if axes is None else [axis % x.ndim for axis in axes]
    given = None if scales is None or not np.size(scales) else np.ravel(scales).tolist()
    if is_repeat(x, along, given, mode, coordinate_transformation_mode, nearest_mode):
        return repeated(x, [int(scale) for scale in (given or ())][-(x.ndim - 2) :])
    crops = coordinate_transformation_mode == "tf_crop_and_resize" and roi is not None
    region = np.ravel(roi).tolist() if crops else None
    wanted = None if sizes is None else entries(sizes)
    found = resized_axes(x, along, given, wanted, region, keep_aspect_ratio_policy)
    sampling = Sampling(
        mode,
        coordinate_transformation_mode,
        nearest_mode,
        cubic_coeff_a,
        bool(antialias),
        bool(exclude_outside),
        extrapolation_value,
    )
    return resampled(x, found, sampling)


def resampled(x: Any, axes: Sequence[Axis], sampling: Sampling) -> Any:
    """Return x resized along axes; interpolated integers are rounded and limited."""
    is_float = dtype_of(x.dtype).is_float
    y = x if sampling.mode == "nearest" else summing_type(as_float(x))
    for axis in axes:
        y = along_axis(y, axis, sampling)
    if not is_float and sampling.mode != "nearest":
        limits = np.iinfo(x.dtype)
        y = ops.clip(ops.rint(y), limits.min, limits.max)
    return ops.astype(y, x.dtype)


def is_repeat(
    x: Any,
    along: Sequence[int],
    scales: Sequence[float] | None,
    mode: str,
    coordinates: str,
    rounding: str,
) -> bool:
    """Return whether every cell of images is repeated a whole number of times."""
    spatial = list(range(2, x.ndim))
    full = list(along) == list(range(x.ndim)) and scales is not None
    if not spatial or mode != "nearest" or not (full or list(along) == spatial):
        return False
    if scales is None or any(s != floor(s) or s < 1 for s in scales):
        return False
    if full and any(scale != 1 for scale in scales[:2]):
        return False
    return (coordinates, rounding) in (
        ("asymmetric", "floor"),
        ("half_pixel", "round_prefer_floor"),
        ("half_pixel", "round_prefer_ceil"),
        ("pytorch_half_pixel", "round_prefer_floor"),
    ) and (rounding == "floor" or coordinates != "pytorch_half_pixel" or min(scales) > 1)


def resized_axes(
    x: Any,
    along: Sequence[int],
    scales: Sequence[float] | None,
    sizes: Sequence[Size] | None,
    region: Sequence[float] | None,
    policy: str,
) -> list[Axis]:
    """Return the axes whose size or part changes."""
    count = len(along)
    if (scales is None and sizes is None) or len(scales or sizes or ()) != count:
        raise LxcError("LXC-E0103", f"Resize needs {count} scales, or as many sizes")
    parts = [(0.0, 1.0)] * count
    if region is not None:
        parts = list(zip(region[:count], region[count:], strict=True))
    wanted = keep_aspect(x, along, sizes, policy) if sizes is not None else None
    found = []
    for i, axis in enumerate(along):
        entry = shape_of(x)[axis]
        same = scales[i] == 1 if scales is not None else wanted and wanted[i][0] == entry
        if same and parts[i] == (0.0, 1.0):
            continue
        old = number(entry, "a size that is resized")
        if wanted is not None:
            new, scale = number(wanted[i][0], "a new size"), wanted[i][1]
            scale = scale or new / old
        else:
            scale = float(scales[i]) if scales is not None else 1.0
            new = floor(old * (parts[i][1] - parts[i][0]) * scale)
        check_elements((new,))
        found.append(Axis(axis, old, new, scale, parts[i]))
    return found


def keep_aspect(
    x: Any, along: Sequence[int], sizes: Sequence[Size], policy: str
) -> list[tuple[Size, float]]:
    """Return new sizes with their scales, 0 where the scale follows from the size."""
    if policy == "stretch":
        return [(size, 0.0) for size in sizes]
    old = [number(shape_of(x)[axis], "a size that is resized") for axis in along]
    new = [number(size, "a new size") for size in sizes]
    ratios = [b / a for a, b in zip(old, new, strict=True)]
    scale = min(ratios) if policy == "not_larger" else max(ratios)
    return [(floor(scale * a + 0.5), scale) for a in old]


def along_axis(x: Any, axis: Axis, sampling: Sampling) -> Any:
    """Return x resized along one axis."""
    places = coordinates(axis, sampling.coordinates)
    if sampling.mode == "nearest":
        index = np.clip(rounded(places, sampling.rounding), 0, axis.old - 1)
        y = ops.take(x, index.astype(np.int64), axis.place)
    else:
        y = weighed(x, axis, sampling, places)
    if sampling.coordinates != "tf_crop_and_resize":
        return y
    beside = (places < 0) | (places > axis.old - 1)
    column = (axis.new, *(1,) * (x.ndim - axis.place - 1))
    return ops.where(beside.reshape(column), sampling.outside, y)


def weighed(x: Any, axis: Axis, sampling: Sampling, places: Array) -> Any:
    """Return sums of cells around every place, times their weights."""
    first, weights = window_of(axis, sampling, places)
    column = (axis.new, *(1,) * (x.ndim - axis.place - 1))
    parts = []
    for tap in range(weights.shape[1]):
        index = np.clip(first + tap, 0, axis.old - 1).astype(np.int64)
        weight = weights[:, tap].reshape(column).astype(x.dtype)
        parts.append(ops.multiply(ops.take(x, index, axis.place), weight))
    return reduce(ops.add, parts)


def window_of(axis: Axis, sampling: Sampling, places: Array) -> tuple[Array, Array]:
    """Return the first cell that each place reads, and the weights from there on."""
    reach = 1.0 if sampling.mode == "linear" else 2.0
    narrow = min(axis.scale, 1.0) if sampling.antialias else 1.0
    half = int(np.ceil(reach / narrow))
    first = np.floor(places) - half + 1
    distance = (first[:, None] + np.arange(2 * half) - places[:, None]) * narrow
    kernel = (
        tent(distance) if sampling.mode == "linear" else cubic(distance, sampling.cubic)
    )
    if sampling.exclude_outside:
        cells = first[:, None] + np.arange(2 * half)
        kernel = np.where((cells >= 0) & (cells < axis.old), kernel, 0)
    if sampling.exclude_outside or sampling.antialias:
        kernel = kernel / kernel.sum(1, keepdims=True)
    return first, kernel


def coordinates(axis: Axis, kind: str) -> Array:
    """Return where in x each place of the result lies."""
    i = np.arange(axis.new, dtype=np.float64)
    if kind == "asymmetric":
        return i / axis.scale
    if kind == "align_corners":
        steps = axis.new - 1
        return i * (axis.old - 1) / steps if steps else np.zeros_like(i)
    if kind == "tf_crop_and_resize":
        low, high = axis.region
        if axis.new > 1:
            return low * (axis.old - 1) + i * (high - low) * (axis.old - 1) / (axis.new - 1)
        return np.full_like(i, 0.5 * (low + high) * (axis.old - 1))
    if kind == "pytorch_half_pixel" and axis.new == 1:
        return np.zeros_like(i)
    middle: Array = (i + 0.5) / axis.scale - 0.5
    if kind == "half_pixel_symmetric":
        # The centres of both images lie on each other, though sizes were rounded.
        adjustment = axis.new / (axis.scale * axis.old)
        return axis.old / 2 * (1 - adjustment) + middle
    return middle


def rounded(places: Array, rounding: str) -> Array:
    """Return whole places."""
    if rounding == "floor":
        return np.asarray(np.floor(places))
    if rounding == "ceil":
        return np.asarray(np.ceil(places))
    if rounding == "round_prefer_floor":
        return np.asarray(np.ceil(places - 0.5))
    return np.asarray(np.floor(places + 0.5))


def tent(distance: Array) -> Array:
    """Return weights that fall evenly to 0 at distance 1."""
    return np.asarray(np.maximum(1 - np.abs(distance), 0))


def cubic(distance: Array, a: float) -> Array:
    """Return the weights of Keys' cubic, 0 from distance 2 on."""
    d = np.abs(distance)
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.asarray(np.where(d <= 1, near, np.where(d < 2, far, 0)))


RESIZE: Mapping[str, Operator] = {"Resize": operator_of(resize)}
