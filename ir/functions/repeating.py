"""NumPy's functions that repeat and shift entries: tile, repeat, roll."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from lxc.ir.dim import Size, bounds
from lxc.ir.functions.axes import atleast
from lxc.ir.functions.counting import axis_length, counter
from lxc.ir.functions.creation import sizes_of
from lxc.ir.functions.elementwise import remainder, subtract
from lxc.ir.functions.gather import integers, take
from lxc.ir.functions.joining import known_size
from lxc.ir.functions.promotion import as_operand, common_type
from lxc.ir.functions.shape import (
    axis_of,
    broadcast_to,
    concatenate,
    expand_dims,
    narrow,
    ravel,
    reshape,
)
from lxc.ir.ops.gather import gather
from lxc.ir.tensor import Tensor, apply, implements, shape_of


@implements(np.tile)
def tile(x: Any, reps: Any) -> Any:
    """Return `x` laid side by side, `reps` times along each of the last axes."""
    counts = sizes_of(reps)
    x = atleast(x, len(counts))
    sizes = shape_of(x)
    counts = (*(1,) * (len(sizes) - len(counts)), *counts)
    pairs = list(zip(counts, sizes, strict=True))
    apart = reshape(x, tuple(chain.from_iterable((1, n) for n in sizes)))
    repeated = broadcast_to(apart, tuple(chain.from_iterable(pairs)))
    return reshape(repeated, tuple(n * count for count, n in pairs))


@implements(np.repeat)
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Return every entry along an axis several times in a row.

    `repeats` is one number, or a known one for each entry.
    """
    x = as_operand(x, common_type((x,)))
    if axis is None:
        x, axis = ravel(x), 0
    axis = axis_of(axis, len(shape_of(x)))
    if np.size(repeats) != 1:
        return take(x, np.repeat(np.arange(known_size(x, axis)), repeats), axis)
    count = int(np.ravel(repeats)[0])
    sizes = shape_of(x)
    shape = (*sizes[: axis + 1], count, *sizes[axis + 1 :])
    merged = (*sizes[:axis], sizes[axis] * count, *sizes[axis + 1 :])
    return reshape(broadcast_to(expand_dims(x, axis + 1), shape), merged)


@implements(np.roll)
def roll(x: Any, shift: Any, axis: int | Sequence[int] | None = None) -> Any:
    """Return `x` with entries moved on along axes; those past the end come first."""
    x = as_operand(x, common_type((x,)))
    if axis is None:
        return reshape(rolled(ravel(x), shift, 0), shape_of(x))
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    shifts = shift if isinstance(shift, tuple | list) else (shift,)
    pairs = max(len(axes), len(shifts))
    for place, count in zip(
        axes * (pairs // len(axes)), tuple(shifts) * (pairs // len(shifts)), strict=True
    ):
        x = rolled(x, count, axis_of(place, len(shape_of(x))))
    return x


def rolled(x: Any, shift: Any, axis: int) -> Any:
    """Return `x` with entries moved on along one axis."""
    entry: Size = shape_of(x)[axis]
    if isinstance(shift, Tensor):
        return rolled_by_index(x, integers(shift), axis)
    count = int(shift)
    if isinstance(entry, int):
        count = count % entry if entry else 0
    if count == 0:
        return x
    if bounds(entry)[0] < abs(count):
        return rolled_by_index(x, np.asarray(count), axis)
    cut = entry - count if count > 0 else -count
    return concatenate([narrow(x, axis, cut, entry), narrow(x, axis, 0, cut)], axis)


def rolled_by_index(x: Any, shift: Any, axis: int) -> Any:
    """Return `x` moved on by any number of entries, which may be known later."""
    like = x if isinstance(x, Tensor) else shift
    place = subtract(
        counter(like, (shape_of(x)[axis],), 0), as_operand(shift, np.dtype("i8"))
    )
    return apply(gather, x, remainder(place, axis_length(x, axis)), axis=axis)
