"""NumPy's comparisons, logical functions and choices. Comparisons with NaN are false."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lxc.ir.dispatch import implements, refusal
from lxc.ir.functions.promotion import (
    aligned,
    as_operand,
    broadcast_operand,
    broadcast_shapes,
    common_type,
    fits,
    is_python_number,
)
from lxc.ir.functions.ufunc import documented
from lxc.ir.op import Op
from lxc.ir.ops import logic
from lxc.ir.tensor import Operand, apply, lifted, shape_of


def comparison(op: Op, *numpy_functions: object) -> Callable[[Any, Any], Any]:
    """Return the NumPy function for a comparison.

    A Python integer that the other operand's type does not hold is larger or smaller than
    all its numbers, so it counts as infinite.
    """

    @implements(*numpy_functions)
    def function(x: Any, y: Any) -> Any:
        dtype = common_type((x, y))
        return apply(op, *aligned(comparable(x, dtype), comparable(y, dtype)))

    return documented(function, op, *numpy_functions)


def comparable(x: Any, dtype: np.dtype[Any]) -> Any:
    """Return a Python integer outside of an integer type as infinite, else x itself."""
    if dtype.kind not in "iu" or not is_python_number(x) or fits(x, dtype):
        return x
    return np.inf if x > 0 else -np.inf


equal = comparison(logic.equal, np.equal)
not_equal = comparison(logic.not_equal, np.not_equal)
less = comparison(logic.less, np.less)
less_equal = comparison(logic.less_equal, np.less_equal)


@implements(np.greater)
def greater(x: Any, y: Any) -> Any:
    """Return whether x > y."""
    return less(y, x)


@implements(np.greater_equal)
def greater_equal(x: Any, y: Any) -> Any:
    """Return whether x >= y."""
    return less_equal(y, x)


def as_bool(x: Any) -> Operand:
    """Return whether elements differ from zero."""
    if common_type((x,)) == np.bool_:
        return as_operand(x, np.dtype(np.bool_))
    result: Operand = not_equal(x, 0)
    return result


@implements(np.logical_and)
def logical_and(x: Any, y: Any) -> Any:
    """Return whether both are true; a number is true if it is not zero."""
    return apply(logic.bitwise_and, *aligned(as_bool(x), as_bool(y)))


@implements(np.logical_or)
def logical_or(x: Any, y: Any) -> Any:
    """Return whether one is true; a number is true if it is not zero."""
    return apply(logic.bitwise_or, *aligned(as_bool(x), as_bool(y)))


@implements(np.logical_xor)
def logical_xor(x: Any, y: Any) -> Any:
    """Return whether exactly one is true; a number is true if it is not zero."""
    return apply(logic.bitwise_xor, *aligned(as_bool(x), as_bool(y)))


@implements(np.logical_not)
def logical_not(x: Any) -> Any:
    """Return whether x is false; a number is false if it is zero."""
    return apply(logic.bitwise_not, as_bool(x))


@implements(np.where)
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """Return x where the condition holds, y elsewhere; all three are broadcast.

    The condition alone is refused: where it holds is not known while a model is traced.
    """
    if x is None or y is None:
        raise refusal("where a condition holds", hint="give lxc.ops.where both choices")
    x, y = aligned(x, y)
    shape = broadcast_shapes(shape_of(condition), shape_of(x))
    parts = lifted((as_bool(condition), x, y))
    return apply(logic.select, *(broadcast_operand(part, shape) for part in parts))
