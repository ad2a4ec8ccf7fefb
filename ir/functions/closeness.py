"""NumPy's questions whether arrays are the same, or nearly."""

from typing import Any

import numpy as np

from lxc.ir.dispatch import implements, refusal
from lxc.ir.functions.arithmetic import absolute, add, multiply, subtract
from lxc.ir.functions.comparison import (
    equal,
    less_equal,
    logical_and,
    logical_or,
)
from lxc.ir.functions.floating import isfinite, isnan
from lxc.ir.functions.promotion import as_float
from lxc.ir.functions.reduce import all
from lxc.ir.tensor import Tensor, lifted, shape_of


@implements(np.isclose)
def isclose(
    x: Any, y: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False
) -> Any:
    """Return whether |x - y| <= atol + rtol * |y|, or x = y for what is not finite."""
    y = as_float(y)
    allowed = add(multiply(absolute(y), rtol), atol)
    close = logical_and(less_equal(absolute(subtract(x, y)), allowed), isfinite(y))
    close = logical_or(close, equal(x, y))
    if not equal_nan:
        return close
    return logical_or(close, logical_and(isnan(x), isnan(y)))


@implements(np.allclose)
def allclose(
    x: Any, y: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False
) -> Any:
    """Return whether all elements are close, as a tensor of no axes."""
    return all(isclose(x, y, rtol, atol, equal_nan))


@implements(np.array_equal)
def array_equal(x: Any, y: Any, equal_nan: bool = False) -> Any:
    """Return whether shapes and all elements are equal, as a tensor of no axes."""
    shapes = shape_of(x), shape_of(y)
    if shapes[0] != shapes[1]:
        sizes = list(zip(*shapes, strict=False))
        known = [pair for pair in sizes if all_known(pair)]
        if len(shapes[0]) != len(shapes[1]) or any(a != b for a, b in known):
            traced = [operand for operand in (x, y) if isinstance(operand, Tensor)]
            return lifted([*traced, np.asarray(False)])[-1]
        raise refusal("whether sizes that are known at run time are equal")
    same = equal(x, y)
    if equal_nan:
        same = logical_or(same, logical_and(isnan(x), isnan(y)))
    return all(same)


def all_known(sizes: tuple[Any, ...]) -> bool:
    """Return whether sizes are numbers."""
    return not [entry for entry in sizes if not isinstance(entry, int)]
