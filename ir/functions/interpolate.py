"""Reading between the entries of an axis."""

from typing import Any

import numpy as np

from lxc.ir.dim import Size
from lxc.ir.functions.counting import axis_length, counter
from lxc.ir.functions.elementwise import (
    add,
    divide,
    equal,
    floor_divide,
    maximum,
    minimum,
    multiply,
    remainder,
    subtract,
    where,
)
from lxc.ir.functions.gather import take
from lxc.ir.functions.promotion import as_operand
from lxc.ir.functions.shape import axis_of, reshape
from lxc.ir.tensor import Operand, shape_of


def interpolate(x: Any, axis: int, count: Size) -> Any:
    """Return floats `x` read at `count` places, evenly spread from first to last entry.

    Place i is i * (size - 1) / (count - 1), worked out in whole numbers; a single place is
    the first entry. Between two entries both are weighed by their distance; a place that
    hits an entry gives exactly that entry.
    """
    shape = shape_of(x)
    axis = axis_of(axis, len(shape))
    if shape[axis] == count:
        return x
    numbers = places(x, count)
    last = subtract(axis_length(x, axis), 1)
    spaces = maximum(subtract(axis_length(numbers, 0), 1), 1)
    covered = multiply(numbers, last)
    before, rest = floor_divide(covered, spaces), remainder(covered, spaces)
    near = take(x, before, axis, mode="clip")
    far = take(x, minimum(add(before, 1), last), axis, mode="clip")
    column = (count, *(1,) * (len(shape) - axis - 1))

    def along(weight: Operand) -> Any:
        return reshape(as_operand(weight, x.dtype), column)

    far_part = multiply(far, along(divide(rest, spaces)))
    near_part = multiply(near, along(divide(subtract(spaces, rest), spaces)))
    return where(reshape(equal(rest, 0), column), near, add(near_part, far_part))


def places(x: Operand, count: Size) -> Operand:
    """Return 0, 1, ... up to `count`, as numbers if that is known."""
    if isinstance(count, int):
        return np.arange(count, dtype=np.int64)
    return counter(x, (count,), 0)
