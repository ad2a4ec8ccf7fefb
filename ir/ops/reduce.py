"""Ops that combine many elements into one.

The kinds are `add`, `multiply`, `max`, `min` on numbers and `and`, `or` on bools. Half
types accumulate in float32. `max` and `min` of nothing are the type's extremes; NaN in
gives NaN out.
"""

from typing import Any

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.ir.dim import Size, bounds
from lxc.ir.op import op
from lxc.ir.ops.half import accumulator
from lxc.ir.ops.shape import check_axes, check_count, check_padding
from lxc.ir.types import Array, DType, TensorType

KINDS: dict[str, Any] = {
    "add": np.add,
    "multiply": np.multiply,
    "max": np.maximum,
    "min": np.minimum,
    "and": np.logical_and,
    "or": np.logical_or,
}


def check_kind(kind: str, x: TensorType) -> None:
    """Refuse an unknown kind and one that does not suit the element type."""
    if kind not in KINDS:
        raise LxcError(
            "LXC-E0103", f"there is no reduction {kind!r}", hint=", ".join(KINDS)
        )
    if (x.dtype is DType.BOOL) != (kind in ("and", "or")):
        wanted = DType.BOOL if kind in ("and", "or") else DType.F32
        raise Mismatch("x", x.with_dtype(wanted), x, because=f"the reduction is {kind}")


def identity(kind: str, dtype: Any) -> Any:
    """Return the number that a reduction of `kind` starts from, in a NumPy type."""
    if kind in ("max", "min"):
        if np.dtype(dtype).kind in "iu":
            limits = np.iinfo(dtype)
            return limits.min if kind == "max" else limits.max
        return -np.inf if kind == "max" else np.inf
    return {"add": 0, "multiply": 1, "and": True, "or": False}[kind]


@op(kind="reduction")
def reduce(x: TensorType, *, kind: str, axes: tuple[int, ...]) -> TensorType:
    """Return the combination of all elements along `axes`, which disappear."""
    check_kind(kind, x)
    check_axes(axes, x.rank, "axes")
    return x.with_shape(tuple(n for axis, n in enumerate(x.shape) if axis not in axes))


@reduce.reference
def reduce_array(x: Array, *, kind: str, axes: tuple[int, ...]) -> Array:
    """Reduce with NumPy."""
    start = identity(kind, x.dtype)
    total = KINDS[kind].reduce(accumulator(x), axis=axes, initial=start, dtype=None)
    return np.asarray(total).astype(x.dtype)


@op(kind="reduction")
def reduce_window(
    x: TensorType,
    *,
    kind: str,
    window: tuple[int, ...],
    strides: tuple[int, ...],
    padding: tuple[tuple[Size, Size], ...],
) -> TensorType:
    """Return the combination over every window; padded cells never change the result.

    All three attributes have one entry per axis of `x`; an axis outside of the window has
    window 1, stride 1 and padding (0, 0).
    """
    check_kind(kind, x)
    for name, entries in (("window", window), ("strides", strides), ("padding", padding)):
        check_count(name, len(entries), x.rank)
    if min((1, *window, *strides)) < 1:
        raise LxcError("LXC-E0103", "windows and strides are at least 1")
    for pair in padding:
        check_padding("padding", pair)
    return x.with_shape(tuple(map(window_size, x.shape, window, strides, padding)))


def window_size(entry: Size, window: int, stride: int, pads: tuple[Size, Size]) -> Size:
    """Return floor((cells + pads - window) / stride) + 1, or raise."""
    cells = entry + pads[0] + pads[1]
    # A window of one cell that meets none has no result: that is a batch without samples.
    if bounds(cells - window)[0] < 0 and window > 1:
        raise LxcError(
            "LXC-E0103",
            "the window is larger than the padded input",
            expected=f"at most {cells} cells along the axis",
            actual=f"a window of {window}",
        )
    return (cells - window) // stride + 1


@reduce_window.reference
def reduce_window_array(
    x: Array,
    *,
    kind: str,
    window: tuple[int, ...],
    strides: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
) -> Array:
    """Reduce a view of all windows."""
    start = identity(kind, x.dtype)
    padded = np.pad(accumulator(x), padding, constant_values=start)
    if padded.size == 0:
        sizes = map(window_size, x.shape, window, strides, padding)
        return np.zeros(tuple(int(entry) for entry in sizes), x.dtype)
    windows = np.lib.stride_tricks.sliding_window_view(padded, window)
    chosen = windows[tuple(np.s_[::stride] for stride in strides)]
    axes = tuple(range(x.ndim, 2 * x.ndim))
    return np.asarray(KINDS[kind].reduce(chosen, axis=axes)).astype(x.dtype)
