"""NumPy's basic indexing: ints, slices, None and `...`; arrays of indices go further."""

from types import EllipsisType
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.ir.dim import Size, bounds, size
from lxc.ir.functions.points import at_points, index_arrays, is_array_index
from lxc.ir.functions.shape import flip, reshape
from lxc.ir.ops import shape as ops
from lxc.ir.tensor import Operand, Tensor, apply, implements, refusal, shape_of


@implements(Tensor.__getitem__)
def getitem(x: Operand, index: Any) -> Any:
    """Return what NumPy's indexing gives for ints, slices, None, `...` and arrays.

    An index outside of its axis is an error where it is known; where it is a traced tensor
    the nearest entry is taken.
    """
    items = index_arrays(list(index) if isinstance(index, tuple) else [index])
    shape = shape_of(x)
    taken = sum(item is not None and not isinstance(item, EllipsisType) for item in items)
    dots = [place for place, item in enumerate(items) if isinstance(item, EllipsisType)]
    if len(dots) > 1 or taken > len(shape):
        raise LxcError(
            "LXC-E0103",
            f"there are too many indices for {list(shape)}",
            expected=f"at most {len(shape)}, and one ellipsis",
            actual=f"{taken}, and {len(dots)} ellipses",
        )
    if not dots:
        dots, items = [len(items)], [*items, ...]
    items[dots[0] : dots[0] + 1] = [np.s_[:]] * (len(shape) - taken)
    if any(map(is_array_index, items)):
        # Beside an array, an int is an array of one index.
        items = [np.asarray(i) if isinstance(i, int | np.integer) else i for i in items]
        sliced = basic(x, [np.s_[:] if is_array_index(item) else item for item in items])
        return at_points(sliced, items)
    return basic(x, items)


def basic(x: Operand, items: list[Any]) -> Any:
    """Return a slice of `x` by one int or slice for every axis, and any number of None."""
    shape = shape_of(x)
    parts = Indexing(shape)
    for item in items:
        parts.take(item)
    if parts.reversed:
        x = flip(x, parts.reversed)
    if (parts.start, parts.stop) != ([0] * len(shape), list(shape)) or max(
        parts.step, default=1
    ) > 1:
        x = apply(
            ops.slice,
            x,
            start=tuple(parts.start),
            stop=tuple(parts.stop),
            step=tuple(parts.step),
        )
    return reshape(x, tuple(parts.final(shape_of(x))))


class Indexing:
    """What basic indexing does to each axis in turn."""

    def __init__(self, shape: tuple[Size, ...]) -> None:
        """Start before the first axis."""
        self.shape = shape
        self.start: list[Size] = []
        self.stop: list[Size] = []
        self.step: list[int] = []
        self.reversed: list[int] = []
        self.axes: list[int | None] = []

    def take(self, item: Any) -> None:
        """Apply one entry of an index."""
        if item is None:
            self.axes.append(None)
            return
        axis = len(self.start)
        entry = self.shape[axis]
        if isinstance(item, slice):
            low, high, step = slice_ends(item, entry)
            if step < 0:
                self.reversed.append(axis)
                step = -step
            self.axes.append(axis)
        elif isinstance(item, int | np.integer):
            low, high, step = int(item), int(item) + 1, 1
            if low < 0:
                low, high = entry + low, entry + low + 1
            if not bounds(low)[0] >= 0 or bounds(entry - high)[0] < 0:
                raise LxcError(
                    "LXC-E0103", f"index {item} is outside of an axis of size {entry}"
                )
        else:
            raise refusal(f"an index by {type(item).__name__}", "LXC-E0110")
        self.start.append(low)
        self.stop.append(high)
        self.step.append(step)

    def final(self, sliced: tuple[Size, ...]) -> list[Size]:
        """Return the shape after single indices went and new axes came."""
        return [1 if axis is None else sliced[axis] for axis in self.axes]


def slice_ends(item: slice, entry: Size) -> tuple[Size, Size, int]:
    """Return start, stop and step of a Python slice on an axis of size `entry`."""
    step = 1 if item.step is None else int(item.step)
    ends = [end for end in (item.start, item.stop) if end is not None]
    if isinstance(entry, int) and all(isinstance(size(end), int) for end in ends):
        start, stop, step = item.indices(entry)
        if step < 0:
            # On the reversed axis, cell i is cell entry - 1 - i of the axis.
            start, stop = entry - 1 - start, entry - 1 - stop
        return start, max(start, stop), step
    if step < 0 and item.start is None and item.stop is None:
        return 0, entry, step
    if step < 1:
        raise refusal("a backward slice with ends of unknown size")
    return end_of(item.start, entry, 0), end_of(item.stop, entry, entry), step


def end_of(given: Any, entry: Size, default: Size) -> Size:
    """Return the end of a slice as NumPy limits it, where it or its axis is not known.

    An end that may lie on either side of the axis' own is left to the check of the slice.
    """
    if given is None:
        return default
    place = size(given)
    if bounds(place)[1] < 0:
        place = entry + place
        return 0 if bounds(place)[1] <= 0 else place
    return entry if bounds(entry - place)[1] <= 0 else place
