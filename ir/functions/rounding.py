"""NumPy's functions that round; integers are whole already and stay as they are."""

from typing import Any

import numpy as np

from lxc.ir.dispatch import implements
from lxc.ir.functions.arithmetic import divide, multiply, subtract
from lxc.ir.functions.comparison import less, where
from lxc.ir.functions.conversion import astype
from lxc.ir.functions.floating import copysign, isinf
from lxc.ir.functions.promotion import (
    as_near_float,
    as_operand,
    common_type,
    near_float_type,
)
from lxc.ir.functions.ufunc import documented, unary
from lxc.ir.op import Op
from lxc.ir.ops import functions
from lxc.ir.tensor import apply
from lxc.ir.types import dtype_of


def rounding(op: Op, *numpy_functions: object) -> Any:
    """Return the NumPy function that rounds floats and leaves others alone."""

    @implements(*numpy_functions)
    def function(x: Any) -> Any:
        dtype = common_type((x,))
        typed = as_operand(x, dtype)
        return apply(op, typed) if dtype_of(dtype).is_float else typed

    return documented(function, op, *numpy_functions)


floor = rounding(functions.floor, np.floor)
ceil = rounding(functions.ceil, np.ceil)
rint = unary(functions.round, np.rint, meeting=near_float_type)


@implements(np.trunc, np.fix)
def trunc(x: Any) -> Any:
    """Return the nearest whole number toward zero, with the sign of x."""
    typed = as_operand(x, common_type((x,)))
    if not dtype_of(typed.dtype).is_float:
        return typed
    return where(less(typed, 0), ceil(typed), floor(typed))


fix = trunc


@implements(np.round, np.around)
def round(x: Any, decimals: int = 0) -> Any:
    """Return x rounded to a number of decimal places, halves to even.

    Negative `decimals` round to tens, hundreds and so on. As in NumPy, x is scaled by a
    power of ten and rounded to whole numbers, so the last place is not always the nearest.
    """
    dtype = common_type((x,))
    typed = as_operand(x, dtype)
    if dtype == np.bool_:
        return rint(typed)
    scale = 10.0 ** abs(decimals)
    if not dtype_of(dtype).is_float:
        if decimals >= 0:
            return typed
        return astype(multiply(rint(divide(typed, scale)), scale), dtype)
    if decimals == 0:
        return rint(typed)
    if decimals > 0:
        return divide(rint(multiply(typed, scale)), scale)
    return multiply(rint(divide(typed, scale)), scale)


around = round


@implements(np.modf)
def modf(x: Any) -> tuple[Any, Any]:
    """Return the parts of x after and before the point, both with the sign of x."""
    typed = as_near_float(x)
    whole = trunc(typed)
    rest = where(isinf(typed), 0.0, subtract(typed, whole))
    return copysign(rest, typed), whole
