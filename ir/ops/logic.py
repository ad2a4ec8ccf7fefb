"""Elementwise comparisons, bits, choices and conversions.

Comparisons with NaN are false; `not_equal` is true.
"""

import numpy as np

from lxc.errors import Mismatch
from lxc.ir.op import op
from lxc.ir.ops.half import to_bfloat16
from lxc.ir.ops.operands import bits_type, declare, logical_type, same_type
from lxc.ir.types import Array, DType, TensorType


@op(kind="elementwise", commutative=True)
def equal(x: TensorType, y: TensorType) -> TensorType:
    """Return whether x = y."""
    return same_type(x, y).with_dtype(DType.BOOL)


@op(kind="elementwise", commutative=True)
def not_equal(x: TensorType, y: TensorType) -> TensorType:
    """Return whether x differs from y."""
    return same_type(x, y).with_dtype(DType.BOOL)


@op(kind="elementwise")
def less(x: TensorType, y: TensorType) -> TensorType:
    """Return whether x < y."""
    return same_type(x, y).with_dtype(DType.BOOL)


@op(kind="elementwise")
def less_equal(x: TensorType, y: TensorType) -> TensorType:
    """Return whether x <= y."""
    return same_type(x, y).with_dtype(DType.BOOL)


@op(kind="elementwise", commutative=True)
def bitwise_and(x: TensorType, y: TensorType) -> TensorType:
    """Return the bitwise conjunction; the logical one on bools."""
    return same_type(logical_type(x), y)


@op(kind="elementwise", commutative=True)
def bitwise_or(x: TensorType, y: TensorType) -> TensorType:
    """Return the bitwise disjunction; the logical one on bools."""
    return same_type(logical_type(x), y)


@op(kind="elementwise", commutative=True)
def bitwise_xor(x: TensorType, y: TensorType) -> TensorType:
    """Return the bitwise exclusive disjunction; the logical one on bools."""
    return same_type(logical_type(x), y)


@op(kind="elementwise")
def bitwise_not(x: TensorType) -> TensorType:
    """Return the bitwise negation; the logical one on bools."""
    return logical_type(x)


@op(kind="elementwise")
def shift_left(x: TensorType, y: TensorType) -> TensorType:
    """Return x shifted left by y bits, y below the width of x."""
    return same_type(bits_type(x), y)


@op(kind="elementwise")
def shift_right(x: TensorType, y: TensorType) -> TensorType:
    """Return x shifted right by y bits, y below the width; signed types keep their sign."""
    return same_type(bits_type(x), y)


@op(kind="elementwise")
def select(condition: TensorType, x: TensorType, y: TensorType) -> TensorType:
    """Return x where the condition holds, y elsewhere."""
    if condition != x.with_dtype(DType.BOOL):
        raise Mismatch(
            "condition", x.with_dtype(DType.BOOL), condition, because=f"x is {x}"
        )
    return same_type(x, y)


@op(kind="elementwise")
def cast(x: TensorType, *, dtype: DType) -> TensorType:
    """Return x as `dtype`: floats round to nearest even, or toward zero to an integer.

    A NaN or a number outside the range of an integer type gives an unspecified integer.
    """
    return x.with_dtype(dtype)


for declared, numpy_function in (
    (equal, np.equal),
    (not_equal, np.not_equal),
    (less, np.less),
    (less_equal, np.less_equal),
    (bitwise_and, np.bitwise_and),
    (bitwise_or, np.bitwise_or),
    (bitwise_xor, np.bitwise_xor),
    (bitwise_not, np.invert),
    (shift_left, np.left_shift),
    (shift_right, np.right_shift),
):
    declare(declared, numpy_function)


@select.reference
def select_of_arrays(condition: Array, x: Array, y: Array) -> Array:
    """Choose element by element."""
    return np.where(condition, x, y)


@cast.reference
def cast_of_array(x: Array, *, dtype: DType) -> Array:
    """Convert with one rounding."""
    if dtype is DType.BF16 and x.dtype.itemsize > 2 and x.dtype != np.float32:
        return to_bfloat16(x, dtype.numpy)
    with np.errstate(invalid="ignore"):
        return x.astype(dtype.numpy)
