"""Pools of ONNX: over windows, and over all of space."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from itertools import product
from math import prod
from typing import Any, Literal

import numpy as np

from lxc.frontend.onnx.convolution import AutoPad
from lxc.frontend.onnx.operator import Operator, operator_of
from lxc.frontend.onnx.space import Windows, windows_on
from lxc.frontend.onnx.values import number
from lxc.ir import functions as ops
from lxc.ir.dim import Size
from lxc.ir.functions.reduce import summing_type
from lxc.ir.ops.reduce import identity
from lxc.ir.types import Array

COMBINE: Mapping[str, Callable[[Any, Any], Any]] = {"max": ops.maximum, "add": ops.add}


def max_pool(
    x: Any,
    *,
    auto_pad: AutoPad = "NOTSET",
    ceil_mode: int = 0,
    dilations: Sequence[int] | None = None,
    kernel_shape: Sequence[int],
    pads: Sequence[int] | None = None,
    storage_order: Literal[0] = 0,
    strides: Sequence[int] | None = None,
) -> Any:
    """Return the maximum over each window."""
    windows = windows_on(
        x,
        kernel_shape,
        auto_pad=auto_pad,
        pads=pads,
        strides=strides,
        dilations=dilations,
    )
    return over_windows(x, "max", completed(x, windows) if ceil_mode else windows)


def average_pool(
    x: Any,
    *,
    auto_pad: AutoPad = "NOTSET",
    ceil_mode: int = 0,
    count_include_pad: int = 0,
    dilations: Sequence[int] | None = None,
    kernel_shape: Sequence[int],
    pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> Any:
    """Return the mean over each window, of its own cells or also of those padded."""
    windows = windows_on(
        x,
        kernel_shape,
        auto_pad=auto_pad,
        pads=pads,
        strides=strides,
        dilations=dilations,
    )
    whole = completed(x, windows) if ceil_mode else windows
    total = over_windows(summing_type(x), "add", whole)
    counted = windows.padding if count_include_pad else ((0, 0),) * len(windows.sizes)
    if whole.padding == counted:
        count: Any = float(prod(windows.sizes))
    else:
        count = ops.astype(cells(x, whole, counted), total.dtype)
    return ops.astype(ops.divide(total, count), x.dtype)


def lp_pool(
    x: Any,
    *,
    auto_pad: AutoPad = "NOTSET",
    ceil_mode: int = 0,
    dilations: Sequence[int] | None = None,
    kernel_shape: Sequence[int],
    p: int = 2,
    pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> Any:
    """Return the p-norm of each window."""
    windows = windows_on(
        x,
        kernel_shape,
        auto_pad=auto_pad,
        pads=pads,
        strides=strides,
        dilations=dilations,
    )
    whole = completed(x, windows) if ceil_mode else windows
    powers = ops.power(ops.absolute(summing_type(x)), float(p))
    total = over_windows(powers, "add", whole)
    return ops.astype(ops.power(total, 1 / p), x.dtype)


def completed(x: Any, windows: Windows) -> Windows:
    """Return windows with padding behind for a last one that is not full.

    It starts on a cell of the input or of the padding in front of it.
    """
    padding = []
    places = zip(
        x.shape[2:], windows.reaches, windows.strides, windows.padding, strict=True
    )
    for entry, reach, stride, (low, high) in places:
        if stride == 1:
            padding.append((low, high))
            continue
        known = number(entry, "a size that windows are rounded up on")
        before, after = number(low, "padding"), number(high, "padding")
        count = -(-(known + before + after - reach) // stride) + 1
        count -= (count - 1) * stride >= known + before
        padding.append((before, max(after, (count - 1) * stride + reach - known - before)))
    return replace(windows, padding=tuple(padding))


def over_windows(x: Any, kind: str, windows: Windows) -> Any:
    """Return `max` or `add` over windows of x [N, C, *spatial]."""
    if max(windows.dilations, default=1) > 1:
        return over_taps(x, kind, windows)
    return ops.reduce_window(
        x, kind, window=windows.sizes, strides=windows.strides, padding=windows.padding
    )


def over_taps(x: Any, kind: str, windows: Windows) -> Any:
    """Return a reduction over windows whose taps are apart, tap by tap."""
    start = np.asarray(identity(kind, x.dtype)).astype(x.dtype)
    padded = ops.pad(x, ((0, 0), (0, 0), *windows.padding), constant_values=start)
    counts = [
        (size - reach) // stride + 1
        for size, reach, stride in zip(
            padded.shape[2:], windows.reaches, windows.strides, strict=True
        )
    ]
    parts = []
    for tap in product(*map(range, windows.sizes)):
        steps = zip(tap, windows.dilations, windows.strides, counts, strict=True)
        cut = [slice(t * d, t * d + (n - 1) * s + 1, s) for t, d, s, n in steps]
        parts.append(padded[(slice(None), slice(None), *cut)])
    return reduce(COMBINE[kind], parts)


def cells(x: Any, windows: Windows, counted: Sequence[tuple[Size, Size]]) -> Any:
    """Return how many cells of each window lie on the input and counted padding."""
    result: Any = np.ones((), np.float64)
    for axis, entry in enumerate(x.shape[2:]):
        known = number(entry, "a size that windows with padding count cells of")
        along = cells_along(known, axis, windows, counted[axis])
        result = ops.multiply(np.expand_dims(result, -1), along)
    return result


def cells_along(
    entry: int, axis: int, windows: Windows, counted: tuple[Size, Size]
) -> Array:
    """Return how many taps of each window along one axis count."""
    (low, high), reach = windows.padding[axis], windows.reaches[axis]
    stride, dilation = windows.strides[axis], windows.dilations[axis]
    count = (entry + int(low) + int(high) - reach) // stride + 1
    starts = np.arange(count)[:, None] * stride - int(low)
    taps = starts + np.arange(windows.sizes[axis]) * dilation
    inside = (taps >= -int(counted[0])) & (taps < entry + int(counted[1]))
    return np.asarray(inside.sum(1), np.float64)


def space_of(x: Any) -> tuple[int, ...]:
    """Return the spatial axes."""
    return tuple(range(2, x.ndim))


def global_mean(x: Any) -> Any:
    """Return the mean over all of space."""
    return ops.mean(x, space_of(x), keepdims=True)


def global_max(x: Any) -> Any:
    """Return the maximum over all of space."""
    return ops.max(x, space_of(x), keepdims=True)


def global_norm(x: Any, *, p: int = 2) -> Any:
    """Return the p-norm over all of space."""
    powers = ops.power(ops.absolute(summing_type(x)), float(p))
    total = ops.sum(powers, space_of(x), keepdims=True)
    return ops.astype(ops.power(total, 1 / p), x.dtype)


POOLS: Mapping[str, Operator] = {
    "AveragePool": operator_of(average_pool),
    "GlobalAveragePool": operator_of(global_mean),
    "GlobalLpPool": operator_of(global_norm),
    "GlobalMaxPool": operator_of(global_max),
    "LpPool": operator_of(lp_pool),
    "MaxPool": operator_of(max_pool),
}
