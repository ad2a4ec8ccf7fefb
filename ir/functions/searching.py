"""NumPy's functions that find places: of extremes, in sorted numbers, among numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.ir.functions.counting import axis_length, counter
from lxc.ir.functions.elementwise import (
    as_bool,
    equal,
    isnan,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    remainder,
    subtract,
    where,
)
from lxc.ir.functions.gather import integers
from lxc.ir.functions.promotion import as_operand, common_type
from lxc.ir.functions.reduce import any, max, min, sum
from lxc.ir.functions.shape import axis_of, expand_dims, ravel, reshape
from lxc.ir.tensor import Operand, Tensor, implements, refusal, shape_of
from lxc.ir.types import dtype_of


@implements(np.argmax)
def argmax(x: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
    """Return where the maximum along an axis first stands; NaN counts as the largest.

    Without an axis the place is that in C order.
    """
    return place_of(x, max, axis, keepdims)


@implements(np.argmin)
def argmin(x: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
    """Return where the minimum along an axis first stands; NaN counts as the smallest.

    Without an axis the place is that in C order.
    """
    return place_of(x, min, axis, keepdims)


def place_of(x: Any, extreme: Any, axis: int | None, keepdims: bool) -> Any:
    """Return the first place along an axis that holds its extreme."""
    x = as_operand(x, common_type((x,)))
    rank = len(shape_of(x))
    if axis is None:
        place = place_of(ravel(x), extreme, 0, False)
        return reshape(place, (1,) * rank) if keepdims else place
    axis = axis_of(axis, rank)
    if shape_of(x)[axis] == 0:
        raise LxcError("LXC-E0103", f"axis {axis} has no entries to choose from")
    found = equal(x, extreme(x, axis, keepdims=True))
    if dtype_of(x.dtype).is_float:
        found = logical_or(found, isnan(x))
    places = where(found, counter(x, shape_of(x), axis), axis_length(x, axis))
    return min(places, axis, keepdims=keepdims)


@implements(np.searchsorted)
def searchsorted(numbers: Any, x: Any, side: str = "left") -> Any:
    """Return how many of some sorted numbers lie below each x, NaN above everything.

    With `side` "right" those equal to x count as well.
    """
    if side not in ("left", "right"):
        raise LxcError("LXC-E0103", f"there is no side {side!r}", hint="left or right")
    dtype = common_type((numbers, x))
    numbers, x = as_operand(numbers, dtype), as_operand(x, dtype)
    spread = expand_dims(x, -1)
    below = (less if side == "left" else less_equal)(numbers, spread)
    if dtype_of(dtype).is_float:
        last = isnan(spread)
        if side == "left":
            last = logical_and(last, logical_not(isnan(numbers)))
        below = logical_or(below, last)
    return sum(below, -1)


@implements(np.digitize)
def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    """Return the number of the bin that each x lies in; `bins` are known and sorted.

    A bin has its lower edge and not its upper one, or the other way round with `right`.
    """
    if isinstance(bins, Tensor):
        raise refusal("whether bins rise or fall")
    edges, side = np.asarray(bins), "left" if right else "right"
    if (np.diff(edges) >= 0).all():
        return searchsorted(edges, x, side)
    if not (np.diff(edges) <= 0).all():
        raise LxcError("LXC-E0103", "bins rise or fall", actual=str(edges))
    return subtract(edges.size, searchsorted(edges[::-1], x, side))


@implements(np.isin)
def isin(x: Any, numbers: Any, *, invert: bool = False) -> Any:
    """Return whether each x is one of some numbers."""
    x = as_operand(x, common_type((x,)))
    found = any(equal(expand_dims(x, -1), ravel(numbers)), -1)
    return logical_not(found) if invert else found


@implements(np.select)
def select(conditions: Sequence[Any], choices: Sequence[Any], default: Any = 0) -> Any:
    """Return for each place the choice of the first condition that holds there."""
    if len(conditions) != len(choices) or not conditions:
        raise LxcError(
            "LXC-E0103",
            "every choice has its condition",
            expected=f"{len(conditions)} choices, at least one",
            actual=f"{len(choices)} choices",
        )
    dtype = common_type((*choices, default))
    result: Operand = as_operand(default, dtype)
    for condition, choice in reversed(list(zip(conditions, choices, strict=True))):
        result = where(as_bool(condition), as_operand(choice, dtype), result)
    return result


@implements(np.choose)
def choose(places: Any, choices: Sequence[Any], mode: str = "raise") -> Any:
    """Return for each place the choice whose number stands there.

    A number outside is an error where it is known; in a traced model, and with `mode`
    "clip", the nearest choice is taken. "wrap" counts on from the other end.
    """
    places, count = integers(places), len(choices)
    if mode == "wrap":
        places = remainder(places, count)
    elif mode == "raise" and not isinstance(places, Tensor):
        if ((places < 0) | (places >= count)).any():
            raise LxcError("LXC-E0103", f"a place is outside of {count} choices")
    elif mode not in ("raise", "clip"):
        raise LxcError(
            "LXC-E0103", f"there is no mode {mode!r}", hint="raise, clip or wrap"
        )
    dtype = common_type(tuple(choices))
    result: Any = as_operand(choices[-1], dtype)
    for number in reversed(range(count - 1)):
        result = where(
            less_equal(places, number), as_operand(choices[number], dtype), result
        )
    return result
