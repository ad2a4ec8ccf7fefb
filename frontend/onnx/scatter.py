"""Operators of ONNX that write entries at indices.

Nothing is written into: every entry of the result finds what was written to it. Where the
indices are known that is one gather; else every entry looks at all indices.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.onnx.operator import Operator, operator_of
from lxc.ir import functions as ops
from lxc.ir.dim import Size
from lxc.ir.functions.counting import axis_length, counter
from lxc.ir.tensor import lifted, shape_of
from lxc.ir.types import Array, count_elements, dtype_of

Reduction: TypeAlias = Literal["none", "add", "mul", "max", "min"]


@dataclass(frozen=True)
class Joining:
    """How entries that are written to one place become one: all of them, then two."""

    all: Callable[..., Any]
    two: Callable[[Any, Any], Any]


JOININGS: Mapping[str, Joining] = {
    "add": Joining(ops.sum, ops.add),
    "mul": Joining(ops.prod, ops.multiply),
    "max": Joining(ops.max, ops.maximum),
    "min": Joining(ops.min, ops.minimum),
}


def scatter_elements(
    x: Any, indices: Any, updates: Any, *, axis: int = 0, reduction: Reduction = "none"
) -> Any:
    """Return x with updates at the places along an axis that indices name."""
    if not -x.ndim <= axis < x.ndim or not x.ndim == indices.ndim == updates.ndim:
        raise LxcError(
            "LXC-E0103",
            "data, indices and updates have one rank, and the axis is one of theirs",
            actual=f"ranks {x.ndim}, {indices.ndim}, {updates.ndim}; axis {axis}",
        )
    if shape_of(indices) != shape_of(updates):
        raise unfit(indices, shape_of(indices), updates)
    place = axis % x.ndim
    pairs = [
        (0, 0 if i == place else own - wanted)
        for i, (own, wanted) in enumerate(zip(shape_of(x), shape_of(indices), strict=True))
    ]
    # What no index stands for gets one that names no entry.
    target = from_front(indices, axis_length(x, place))
    target = ops.pad(target, tuple(pairs), constant_values=np.int64(-1))
    updates = ops.pad(updates, tuple(pairs))
    order = [i for i in range(x.ndim) if i != place]
    front = [ops.transpose(y, (place, *order)) for y in (x, target, updates)]
    y = written(front[0], front[1], front[2], reduction)
    return ops.moveaxis(y, 0, place)


def scatter_nd(x: Any, indices: Any, updates: Any, *, reduction: Reduction = "none") -> Any:
    """Return x with updates where the coordinates along the last axis of indices say."""
    shape, wanted = shape_of(x), shape_of(indices)
    count = wanted[-1] if wanted else None
    if not isinstance(count, int) or not 0 < count <= len(shape):
        raise LxcError("LXC-E0103", "the indices do not fit x", actual=str(list(wanted)))
    rest = shape[count:]
    if shape_of(updates) != (*wanted[:-1], *rest):
        raise unfit(indices, (*wanted[:-1], *rest), updates)
    target: Any = np.asarray(0, np.int64)
    inside: Any = np.asarray(True)
    for axis in range(count):
        place = from_front(indices[..., axis], axis_length(x, axis))
        fits = ops.less(place, axis_length(x, axis))
        inside = ops.logical_and(inside, ops.logical_and(fits, ops.greater(place, -1)))
        target = ops.add(ops.multiply(target, axis_length(x, axis)), place)
    target = ops.where(inside, target, -1)
    rows = ops.reshape(x, (count_elements(shape[:count]), *rest))
    lines = count_elements(wanted[:-1])
    given = ops.reshape(updates, (lines, *rest))
    target = ops.reshape(target, (lines, *(1,) * len(rest)))
    return ops.reshape(written(rows, target, given, reduction), shape)


def unfit(indices: Any, expected: tuple[Size, ...], updates: Any) -> LxcError:
    """Return the error for updates of another shape than their indices ask for."""
    return LxcError(
        "LXC-E0103",
        "the updates do not fit their indices",
        expected=f"updates: {list(expected)}, for indices {list(shape_of(indices))}",
        actual=f"updates: {list(shape_of(updates))}",
    )


def from_front(indices: Any, length: Any) -> Any:
    """Return indices counted from the front, as int64."""
    wide = ops.astype(indices, np.int64)
    return ops.where(ops.less(wide, 0), ops.add(wide, length), wide)


def written(x: Any, target: Any, updates: Any, reduction: Reduction) -> Any:
    """Return rows of x with rows of updates joined to those that target names.

    `target` has as many rows as updates, and an axis of size 1, or the same size, for every
    other one of theirs. Of several updates for one entry the last one wins.
    """
    if shape_of(updates)[0] == 0:
        return x
    rows = shape_of(x)[0]
    if reduction == "none" and isinstance(target, np.ndarray) and isinstance(rows, int):
        return gathered(x, rows, target, updates)
    x, target, updates = lifted((x, target, updates))
    row = counter(x, (rows, 1, *(1,) * (x.ndim - 1)), 0)
    hits = ops.equal(ops.expand_dims(target, 0), row)
    if reduction == "none":
        number = counter(x, (*shape_of(updates)[:1], *(1,) * (x.ndim - 1)), 0)
        last = ops.max(ops.where(hits, number, -1), 1)
        taken = ops.take_along_axis(updates, ops.maximum(last, 0), 0)
        return ops.where(ops.less(last, 0), x, taken)
    joining = JOININGS[reduction]
    neutral = neutral_of(reduction, dtype_of(x.dtype).numpy)
    found = ops.where(hits, ops.expand_dims(updates, 0), neutral)
    return ops.astype(joining.two(x, joining.all(found, 1)), x.dtype)


def gathered(x: Any, rows: int, target: Array, updates: Any) -> Any:
    """Return rows of x, or the last one of updates that known targets name."""
    count, *others = target.shape
    # One row more takes what names no row; where indices repeat, NumPy keeps the last.
    last = np.full((rows + 1, *others), -1, np.int64)
    place = np.where((target >= 0) & (target < rows), target, rows)
    number = np.arange(count).reshape(count, *(1,) * len(others))
    np.put_along_axis(last, place, np.broadcast_to(number, place.shape), 0)
    last = last[:rows]
    taken = ops.take_along_axis(updates, np.maximum(last, 0), 0)
    return ops.where(last < 0, x, taken)


def neutral_of(reduction: str, dtype: np.dtype[Any]) -> Array:
    """Return the number that changes nothing it is joined to."""
    if reduction in ("add", "mul"):
        return np.asarray(reduction == "mul", dtype)
    if dtype == np.bool_:
        return np.asarray(reduction == "min")
    if dtype_of(dtype).is_float:
        return np.asarray(-np.inf if reduction == "max" else np.inf, dtype)
    info = np.iinfo(dtype)
    return np.asarray(info.min if reduction == "max" else info.max, dtype)


SCATTERS: Mapping[str, Operator] = {
    "ScatterElements": operator_of(scatter_elements),
    "ScatterND": operator_of(scatter_nd),
}
