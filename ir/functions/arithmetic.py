"""NumPy's arithmetic. Integers wrap around; an integer divided by zero gives 0."""

from typing import Any

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.ir.dispatch import implements
from lxc.ir.functions.comparison import equal as are_equal
from lxc.ir.functions.comparison import greater, less, less_equal, logical_or, where
from lxc.ir.functions.conversion import ones_like
from lxc.ir.functions.floating import isnan
from lxc.ir.functions.promotion import (
    aligned,
    as_near_float,
    as_operand,
    common_type,
    is_python_number,
    near_float_type,
    number_type,
)
from lxc.ir.functions.ufunc import binary, unary
from lxc.ir.ops import arithmetic, functions, logic
from lxc.ir.tensor import apply, type_of
from lxc.ir.types import dtype_of

negative = unary(arithmetic.negate, np.negative)
sign = unary(arithmetic.sign, np.sign)

add = binary(arithmetic.add, np.add, on_bools=logic.bitwise_or)
subtract = binary(arithmetic.subtract, np.subtract)
multiply = binary(arithmetic.multiply, np.multiply, on_bools=logic.bitwise_and)
floor_divide = binary(arithmetic.floor_divide, np.floor_divide, meeting=number_type)
remainder = mod = binary(arithmetic.remainder, np.remainder, meeting=number_type)
fmod = binary(arithmetic.fmod, np.fmod, meeting=number_type)
maximum = binary(arithmetic.maximum, np.maximum)
minimum = binary(arithmetic.minimum, np.minimum)


@implements(np.absolute)
def absolute(x: Any) -> Any:
    """Return |x|; bools are as they are. The smallest integer of a type has no positive."""
    dtype = common_type((x,))
    typed = as_operand(x, dtype)
    return typed if dtype == np.bool_ else apply(arithmetic.absolute, typed)


@implements(np.fabs)
def fabs(x: Any) -> Any:
    """Return |x| as a float."""
    return apply(arithmetic.absolute, as_near_float(x))


@implements(np.positive)
def positive(x: Any) -> Any:
    """Return x."""
    return as_operand(x, common_type((x,)))


@implements(np.divide)
def divide(x: Any, y: Any) -> Any:
    """Return x / y; integers become float64 first."""
    dtype = common_type((x, y))
    wide = dtype if dtype_of(dtype).is_float else np.dtype(np.float64)
    return apply(arithmetic.divide, *aligned(x, y, dtype=wide))


@implements(np.divmod)
def divmod(x: Any, y: Any) -> tuple[Any, Any]:
    """Return floor_divide(x, y) and remainder(x, y)."""
    return floor_divide(x, y), remainder(x, y)


@implements(np.power)
def power(x: Any, y: Any) -> Any:
    """Return x to the power y; small whole exponents become products, 0.5 the root.

    An integer to the power of integers needs one exponent, known and not negative: others
    have no integer result.
    """
    dtype = number_type((x, y))
    is_float = dtype_of(dtype).is_float
    exponent = known_number(y)
    if exponent == 0:
        return ones_like(as_operand(x, dtype))
    if is_float and exponent == 0.5:
        return apply(functions.sqrt, as_operand(x, dtype))
    most = 4 if is_float else np.inf
    if exponent is not None and exponent.is_integer() and 0 < exponent <= most:
        return whole_power(as_operand(x, dtype), int(exponent))
    if not is_float:
        raise Mismatch("x", "a float", type_of(x), hint="convert it with astype first")
    return apply(arithmetic.power, *aligned(x, y, dtype=dtype))


def known_number(y: Any) -> float | None:
    """Return the one number that `y` is known to be, or None."""
    if not is_python_number(y) and (not isinstance(y, np.generic | np.ndarray) or y.ndim):
        return None
    return float(y)


def whole_power(x: Any, exponent: int) -> Any:
    """Return the product of `exponent` factors x, by squares."""
    result = None
    while True:
        if exponent & 1:
            result = x if result is None else multiply(result, x)
        exponent >>= 1
        if not exponent:
            return result
        x = multiply(x, x)


@implements(np.float_power)
def float_power(x: Any, y: Any) -> Any:
    """Return x to the power y in float64."""
    return apply(arithmetic.power, *aligned(x, y, dtype=np.float64))


@implements(np.square)
def square(x: Any) -> Any:
    """Return x * x."""
    typed = as_operand(x, number_type((x,)))
    return multiply(typed, typed)


@implements(np.reciprocal)
def reciprocal(x: Any) -> Any:
    """Return 1 / x; of integers cut toward zero, which leaves 1 and -1 and else 0."""
    dtype = number_type((x,))
    typed = as_operand(x, dtype)
    if dtype_of(dtype).is_float:
        return divide(1.0, typed)
    return where(are_equal(absolute(typed), 1), typed, 0)


@implements(np.fmax)
def fmax(x: Any, y: Any) -> Any:
    """Return the larger of x and y, the other one where one is NaN."""
    x, y = aligned(x, y)
    return where(logical_or(less_equal(y, x), isnan(y)), x, y)


@implements(np.fmin)
def fmin(x: Any, y: Any) -> Any:
    """Return the smaller of x and y, the other one where one is NaN."""
    x, y = aligned(x, y)
    return where(logical_or(less_equal(x, y), isnan(y)), x, y)


@implements(np.heaviside)
def heaviside(x: Any, at_zero: Any) -> Any:
    """Return 0 below zero, 1 above, `at_zero` at zero, NaN for NaN."""
    x, at_zero = aligned(x, at_zero, dtype=near_float_type((x, at_zero)))
    sides = where(less(x, 0), 0.0, where(greater(x, 0), 1.0, x))
    return where(are_equal(x, 0), at_zero, sides)


@implements(np.clip)
def clip(
    x: Any,
    a_min: Any = None,
    a_max: Any = None,
    *,
    min: Any = None,
    max: Any = None,
) -> Any:
    """Return x limited to [a_min, a_max]; None is no limit, NaN stays NaN.

    `min` and `max` are other names of the limits. Limits are broadcast with x; an integer
    beyond the type of x limits nothing.
    """
    if (min is not None and a_min is not None) or (max is not None and a_max is not None):
        raise LxcError("LXC-E0103", "a limit of clip is given twice")
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    dtype = common_type((x,))
    if low is not None and not limits_nothing(low, dtype, above=False):
        x = maximum(x, low)
    if high is not None and not limits_nothing(high, dtype, above=True):
        x = minimum(x, high)
    return as_operand(x, common_type((x,)))


def limits_nothing(limit: Any, dtype: np.dtype[Any], *, above: bool) -> bool:
    """Return whether a limit is an integer that a type's numbers do not reach."""
    if dtype.kind not in "iu" or not isinstance(limit, int):
        return False
    ends = np.iinfo(dtype)
    return limit >= int(ends.max) if above else limit <= int(ends.min)


abs = absolute
pow = power
true_divide = divide
