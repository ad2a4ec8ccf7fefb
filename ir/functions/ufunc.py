"""How an elementwise op becomes a function with NumPy's name, broadcasting and promotion.

`meeting` gives the element type that operands are converted to, from the tuple of them.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from lxc.ir.dispatch import implements
from lxc.ir.functions.promotion import aligned, as_operand, common_type, near_float_type
from lxc.ir.op import Op
from lxc.ir.tensor import apply
from lxc.ir.types import DType, dtype_of

Meeting = Callable[[tuple[Any, ...]], np.dtype[Any]]


def unary(
    op: Op, *numpy_functions: object, meeting: Meeting = common_type
) -> Callable[[Any], Any]:
    """Return the NumPy function for an op of one operand."""

    @implements(*numpy_functions)
    def function(x: Any) -> Any:
        return apply(op, as_operand(x, meeting((x,))))

    return documented(function, op, *numpy_functions)


def binary(
    op: Op,
    *numpy_functions: object,
    meeting: Meeting = common_type,
    on_bools: Op | None = None,
) -> Callable[[Any, Any], Any]:
    """Return the NumPy function for an op of two operands of one type.

    `on_bools` is what the function does to bools, where that is another op.
    """

    @implements(*numpy_functions)
    def function(x: Any, y: Any) -> Any:
        dtype = meeting((x, y))
        chosen = on_bools if on_bools and dtype == np.bool_ else op
        return apply(chosen, *aligned(x, y, dtype=dtype))

    return documented(function, op, *numpy_functions)


def documented(
    function: Callable[..., Any], op: Op, *numpy_functions: Any
) -> Callable[..., Any]:
    """Name a function as NumPy does, or after its op, so that pickles can find it."""
    function.__name__ = numpy_functions[0].__name__ if numpy_functions else op.name
    function.__qualname__ = function.__name__
    function.__module__ = "lxc.ops"
    function.__doc__ = f"{op.__doc__}"
    return function


def rounded_once(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function of floats compute half types in float32 and round the result only.

    Its operands arrive in one float type and one shape.
    """

    @wraps(function)
    def rounded(*operands: Any) -> Any:
        dtype = near_float_type(operands)
        is_half = dtype_of(dtype) in (DType.F16, DType.BF16)
        wide = np.dtype(np.float32) if is_half else dtype
        return as_operand(function(*aligned(*operands, dtype=wide)), dtype)

    return rounded
