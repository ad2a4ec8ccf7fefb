"""NumPy's functions of the bits of integers; on bools the logical ones."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lxc.ir.dispatch import implements
from lxc.ir.functions.comparison import where
from lxc.ir.functions.conversion import zeros_like
from lxc.ir.functions.promotion import aligned, number_type
from lxc.ir.functions.ufunc import binary, unary
from lxc.ir.op import Op
from lxc.ir.ops import logic
from lxc.ir.tensor import Operand, apply, type_of
from lxc.ir.types import DType

invert = unary(logic.bitwise_not, np.invert)
bitwise_and = binary(logic.bitwise_and, np.bitwise_and)
bitwise_or = binary(logic.bitwise_or, np.bitwise_or)
bitwise_xor = binary(logic.bitwise_xor, np.bitwise_xor)
bitwise_not = bitwise_invert = invert


@implements(np.left_shift)
def left_shift(x: Any, y: Any) -> Any:
    """Return x shifted left by y bits; 0 if y is negative or not below the width of x."""
    return shifted(logic.shift_left, x, y, zeros_like)


@implements(np.right_shift)
def right_shift(x: Any, y: Any) -> Any:
    """Return x shifted right by y bits; signed types keep their sign.

    If y is negative or not below the width of x, nothing but the sign is left: 0 or -1.
    """
    return shifted(logic.shift_right, x, y, sign_bits)


bitwise_left_shift = left_shift
bitwise_right_shift = right_shift


def shifted(op: Op, x: Any, y: Any, left_over: Callable[[Any], Any]) -> Any:
    """Return x shifted by y; `left_over` gives what is left where y is not in the range."""
    dtype = number_type((x, y))
    width = 8 * dtype.itemsize
    value, count = aligned(x, y, dtype=dtype)
    if isinstance(y, int) and 0 <= y < width:
        return apply(op, value, count)
    # As an unsigned number, a negative count is too large as well.
    unsigned = count if dtype.kind == "u" else cast_bits(count, width)
    limit = np.asarray(width, f"u{width // 8}")
    inside = apply(logic.less, *aligned(unsigned, limit))
    safe = where(inside, count, 0)
    return where(inside, apply(op, value, safe), left_over(value))


def cast_bits(x: Operand, width: int) -> Operand:
    """Return signed integers as unsigned ones of the same bits."""
    result: Operand = apply(logic.cast, x, dtype=DType(f"u{width}"))
    return result


def sign_bits(x: Operand) -> Any:
    """Return -1 for negative numbers, 0 for others."""
    width = type_of(x).dtype.bytes * 8
    last = np.asarray(width - 1, type_of(x).dtype.numpy)
    if type_of(x).dtype.numpy.kind == "u":
        return zeros_like(x)
    return apply(logic.shift_right, *aligned(x, last))
