"""NumPy's questions about floats: NaN, infinities and signs. Integers are all finite."""

from typing import Any

import numpy as np

from lxc.ir.dispatch import implements
from lxc.ir.functions.comparison import (
    equal,
    less,
    not_equal,
    where,
)
from lxc.ir.functions.promotion import (
    as_near_float,
    as_operand,
    common_type,
    near_float_type,
)
from lxc.ir.functions.ufunc import binary
from lxc.ir.ops import arithmetic
from lxc.ir.tensor import apply
from lxc.ir.types import dtype_of

copysign = binary(arithmetic.copysign, np.copysign, meeting=near_float_type)


@implements(np.isnan)
def isnan(x: Any) -> Any:
    """Return whether x is not a number."""
    return not_equal(x, x)


def is_float(x: Any) -> bool:
    """Return whether elements are floats."""
    return dtype_of(common_type((x,))).is_float


@implements(np.isfinite)
def isfinite(x: Any) -> Any:
    """Return whether x is a number and not infinite."""
    if not is_float(x):
        return equal(x, x)
    return less(apply(arithmetic.absolute, as_near_float(x)), np.inf)


@implements(np.isinf)
def isinf(x: Any) -> Any:
    """Return whether x is infinite."""
    if not is_float(x):
        return not_equal(x, x)
    return equal(apply(arithmetic.absolute, as_near_float(x)), np.inf)


@implements(np.isposinf)
def isposinf(x: Any) -> Any:
    """Return whether x is plus infinity."""
    return equal(x, np.inf) if is_float(x) else not_equal(x, x)


@implements(np.isneginf)
def isneginf(x: Any) -> Any:
    """Return whether x is minus infinity."""
    return equal(x, -np.inf) if is_float(x) else not_equal(x, x)


@implements(np.signbit)
def signbit(x: Any) -> Any:
    """Return whether the sign is minus, that of -0.0 too; the sign of a NaN is its bit."""
    return less(copysign(1.0, as_near_float(x)), 0)


@implements(np.nan_to_num)
def nan_to_num(
    x: Any,
    copy: bool = True,
    nan: Any = 0.0,
    posinf: Any = None,
    neginf: Any = None,
) -> Any:
    """Return x with numbers for NaN and infinities: `nan`, `posinf` and `neginf`.

    Without `posinf` and `neginf`, infinities become the largest and the smallest number of
    the type. `copy` is for NumPy's sake: x is never written into.
    """
    dtype = common_type((x,))
    typed = as_operand(x, dtype)
    if not dtype_of(dtype).is_float:
        return typed
    largest = float(np.nextafter(np.array(np.inf, dtype), np.zeros((), dtype)))
    high = largest if posinf is None else posinf
    low = -largest if neginf is None else neginf
    result = where(isnan(typed), as_operand(nan, dtype), typed)
    result = where(isposinf(typed), as_operand(high, dtype), result)
    return where(isneginf(typed), as_operand(low, dtype), result)
