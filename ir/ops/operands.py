"""What elementwise ops ask of their operands, and how NumPy functions become references.

The operands of an elementwise op have one shape: broadcasting is a node of its own.
"""

from collections.abc import Callable
from typing import Any

from lxc.errors import Mismatch
from lxc.ir.op import Op
from lxc.ir.ops.half import rounded_once
from lxc.ir.types import DType, TensorType


def same_type(x: TensorType, y: TensorType) -> TensorType:
    """Return the one type of two operands, or raise."""
    if y != x:
        raise Mismatch("y", x, y, because=f"x is {x}")
    return x


def float_type(x: TensorType) -> TensorType:
    """Return `x` if its elements are floats, or raise."""
    if not x.dtype.is_float:
        raise Mismatch("x", x.with_dtype(DType.F32), x, because="the op is for floats")
    return x


def number_type(x: TensorType) -> TensorType:
    """Return `x` if its elements are numbers, or raise."""
    if x.dtype is DType.BOOL:
        raise Mismatch("x", x.with_dtype(DType.F32), x, because="the op is for numbers")
    return x


def bits_type(x: TensorType) -> TensorType:
    """Return `x` if its elements are integers, or raise."""
    if not x.dtype.is_integer:
        raise Mismatch("x", x.with_dtype(DType.U32), x, because="the op is for integers")
    return x


def logical_type(x: TensorType) -> TensorType:
    """Return `x` if its elements are bool or integers, or raise."""
    return x if x.dtype is DType.BOOL else bits_type(x)


def declare(target: Op, meaning: Callable[..., Any]) -> None:
    """Make a NumPy function the reference of an op of one or two operands."""
    computed = rounded_once(meaning)
    if target.operands == ("x",):
        target.reference(lambda x: computed(x))
    else:
        target.reference(lambda x, y: computed(x, y))
