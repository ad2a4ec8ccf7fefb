"""Indexing by arrays of integers, as NumPy combines them with slices."""

from typing import Any

import numpy as np

from lxc.ir.functions.gather import integers, placed, positions
from lxc.ir.functions.promotion import broadcast_shapes
from lxc.ir.functions.shape import moveaxis, reshape
from lxc.ir.ops.gather import gather
from lxc.ir.tensor import Operand, Tensor, apply, refusal, shape_of
from lxc.ir.types import count_elements


def is_array_index(item: Any) -> bool:
    """Return whether an entry of an index is an array or tensor of indices."""
    return isinstance(item, Tensor | np.ndarray)


def index_arrays(items: list[Any]) -> list[Any]:
    """Return an index with lists as arrays, and known masks as the places they choose."""
    found: list[Any] = []
    for item in items:
        entry = (
            np.asarray(item, None if item else np.int64) if isinstance(item, list) else item
        )
        if isinstance(entry, bool | np.bool_):
            entry = np.asarray(entry)
        if not is_array_index(entry):
            found.append(entry)
        elif entry.dtype != np.bool_:
            found.append(integers(entry))
        elif isinstance(entry, Tensor) or entry.ndim == 0:
            wish = "the shape of what a mask chooses"
            raise refusal(wish, "LXC-E0110", "choose with lxc.ops.where")
        else:
            found += entry.nonzero()
    return found


def at_points(x: Operand, items: list[Any]) -> Any:
    """Return the entries of `x` at arrays of indices; `x` is sliced by the rest already.

    `items` has an array, a slice or None for every axis of `x`.
    """
    axes = [axis for axis, item in enumerate(items) if is_array_index(item)]
    arrays = [placed(x, items[axis], axis, "raise") for axis in axes]
    shape = shape_of(x)
    if len(axes) == 1:
        return apply(gather, x, arrays[0], axis=axes[0])
    count = len(broadcast_shapes(*map(shape_of, arrays)))
    rest = tuple(n for axis, n in enumerate(shape) if axis not in axes)
    moved = moveaxis(x, axes, range(len(axes)))
    flat = reshape(moved, (count_elements([shape[axis] for axis in axes]), *rest))
    chosen = apply(gather, flat, positions(x, axes, arrays), axis=0)
    if axes != list(range(axes[0], axes[-1] + 1)):
        return chosen
    return moveaxis(chosen, range(count), range(axes[0], axes[0] + count))
