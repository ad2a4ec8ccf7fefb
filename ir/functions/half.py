"""Functions of several steps on half types: float32 inside, one rounding at the end."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from lxc.ir.functions.promotion import as_operand, common_type
from lxc.ir.types import DType, dtype_of

HALF = (DType.F16, DType.BF16)


def in_float32(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` with a first argument of a half type computed in float32.

    The result is rounded to the half type. Other types are handed on as they are.
    """

    @wraps(function)
    def computed(x: Any, *more: Any, **options: Any) -> Any:
        dtype = common_type((x,))
        if dtype_of(dtype) not in HALF:
            return function(x, *more, **options)
        wide = as_operand(x, np.dtype(np.float32))
        return as_operand(function(wide, *more, **options), dtype)

    return computed
