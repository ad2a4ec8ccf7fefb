"""Reading elements at indices that are arrays or tensors themselves."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.ir.functions.counting import axis_length, counter
from lxc.ir.functions.elementwise import (
    add,
    less,
    maximum,
    minimum,
    multiply,
    remainder,
    subtract,
    where,
)
from lxc.ir.functions.promotion import (
    as_operand,
    broadcast_operand,
    broadcast_shapes,
    common_type,
)
from lxc.ir.functions.shape import axis_of, ravel
from lxc.ir.ops.gather import gather
from lxc.ir.tensor import Operand, Tensor, apply, implements, lifted, shape_of
from lxc.ir.types import Array


@implements(np.take)
def take(x: Any, indices: Any, axis: int | None = None, *, mode: str = "raise") -> Any:
    """Return the entries of `x` that `indices` name along an axis; without one, of all.

    Negative indices count from the end. An index outside of the axis is an error where it
    is known; in a traced model the nearest entry is taken. `mode` "clip" always takes the
    nearest entry, also for negative indices, and "wrap" counts on from the other end.
    """
    x, indices = as_operand(x, common_type((x,))), integers(indices)
    if axis is None:
        x, axis = ravel(x), 0
    axis = axis_of(axis, len(shape_of(x)))
    return apply(gather, x, placed(x, indices, axis, mode), axis=axis)


def lookup(table: Any, indices: Any) -> Any:
    """Return the entries along the first axis of `table` that `indices` name, from 0.

    An index outside of the table, below 0 included, is an error on arrays, and also when a
    compiled model is called from Python, if the indices are its input. Elsewhere the
    nearest entry is taken.
    """
    return apply(
        gather,
        as_operand(table, common_type((table,))),
        integers(indices),
        axis=0,
        mode="inside",
    )


def integers(indices: Any) -> Operand:
    """Return indices as integers, or raise if they are none."""
    listed = indices if isinstance(indices, Tensor) else np.asarray(indices)
    if listed.dtype == np.bool_ or 0 in listed.shape:
        return as_operand(listed, np.dtype(np.int64))
    if listed.dtype.kind not in "iu":
        raise LxcError(
            "LXC-E0103",
            "indices are integers",
            actual=f"indices: {listed.dtype}",
            hint="convert them with astype(np.int64)",
        )
    return listed


def placed(x: Operand, indices: Operand, axis: int, mode: str) -> Operand:
    """Return indices counted from the front; those that are known are checked."""
    length = axis_length(x, axis)
    if mode == "clip":
        return indices
    if mode == "wrap":
        wrapped: Operand = remainder(as_operand(indices, np.dtype(np.int64)), length)
        return wrapped
    if mode != "raise":
        raise LxcError(
            "LXC-E0103", f"there is no mode {mode!r}", hint="raise, clip or wrap"
        )
    if not isinstance(length, Tensor) and not isinstance(indices, Tensor):
        check_indices(indices, int(length), axis)
    if indices.dtype.kind == "u":
        return indices
    if not isinstance(indices, Tensor) and not (indices < 0).any():
        return indices
    wide = as_operand(indices, np.dtype(np.int64))
    counted: Operand = where(less(wide, 0), add(wide, length), wide)
    return counted


def check_indices(indices: Array, length: int, axis: int) -> None:
    """Refuse indices outside of an axis."""
    wrong = indices[(indices >= length) | (indices < -length)]
    if wrong.size:
        raise LxcError(
            "LXC-E0103",
            f"index {wrong.flat[0]} is outside of axis {axis} of size {length}",
            expected=f"indices: {-length}..{length - 1}",
            actual=f"indices: {indices.min()}..{indices.max()}",
        )


@implements(np.take_along_axis)
def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Any:
    """Return for every place the entry of `x` along `axis` that the index there names.

    Indices outside of the axis are treated as in `take`; other axes broadcast.
    """
    x, indices = lifted((as_operand(x, common_type((x,))), integers(indices)))
    if axis is None:
        x, axis = ravel(x), 0
    shape, own = shape_of(x), shape_of(indices)
    axis = axis_of(axis, len(shape))
    if len(own) != len(shape):
        raise LxcError(
            "LXC-E0103",
            "indices and operand have one rank",
            expected=f"rank {len(shape)}",
            actual=f"rank {len(own)}",
        )
    others = (shape[:axis], shape[axis + 1 :]), (own[:axis], own[axis + 1 :])
    before, after = (broadcast_shapes(a, b) for a, b in zip(*others, strict=True))
    x = broadcast_operand(x, (*before, shape[axis], *after))
    along = (*before, own[axis], *after)
    inside = placed(x, indices, axis, "raise")
    places = [counter(x, along, place) for place in range(len(shape))]
    places[axis] = inside
    return gather_points(x, places)


def gather_points(x: Operand, places: Sequence[Any]) -> Any:
    """Return the elements of `x` whose coordinates stand in `places`, one for each axis.

    Coordinates count from the front and broadcast; each is limited to its axis.
    """
    return apply(gather, ravel(x), positions(x, range(len(places)), places), axis=0)


def positions(x: Operand, axes: Sequence[int], places: Sequence[Any]) -> Any:
    """Return places along some axes as positions in C order on these axes alone."""
    position: Any = np.asarray(0, np.int64)
    for axis, place in zip(axes, places, strict=True):
        length = axis_length(x, axis)
        wide = as_operand(place, np.dtype(np.int64))
        inside = maximum(minimum(wide, subtract(length, 1)), 0)
        position = add(multiply(position, length), inside)
    return position
