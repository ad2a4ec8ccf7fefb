"""How operands of different types and shapes meet: NumPy's promotion and broadcasting.

Python numbers take the element type of what they meet; arrays and tensors of different
types meet in NumPy's common type.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.ir.dim import Dim, Expression, Size, size
from lxc.ir.functions.counting import size_number
from lxc.ir.ops.logic import cast
from lxc.ir.ops.shape import broadcast
from lxc.ir.tensor import Operand, Tensor, apply, lifted, shape_of
from lxc.ir.types import dtype_of, shape_text
from lxc.ir.unknown import unknown

Scalar = bool | int | float


def is_python_number(x: Any) -> bool:
    """Return whether `x` is a number of Python itself, which takes the type of others.

    The sizes of traced tensors stand for such numbers.
    """
    return isinstance(x, Scalar | Dim | Expression) and not isinstance(x, np.generic)


def common_type(operands: tuple[Any, ...]) -> np.dtype[Any]:
    """Return the element type where operands meet; Python numbers only lend their kind."""
    numbers = [x for x in operands if is_python_number(x)]
    typed = [element_type_of(x) for x in operands if not is_python_number(x)]
    if not typed:
        check_numbers(numbers)
        return np.result_type(*(np.asarray(x) for x in operands))
    common = typed[0]
    for dtype in typed[1:]:
        common = promoted(common, dtype)
    is_float = dtype_of(common).is_float
    if any(isinstance(x, float) for x in numbers) and not is_float:
        return np.dtype(np.float64)
    if common == np.bool_ and any(not isinstance(x, bool) for x in numbers):
        return np.dtype(np.int64)
    return common


def check_numbers(numbers: Sequence[Any]) -> None:
    """Refuse symbolic sizes among numbers that meet no tensor."""
    for number in numbers:
        if isinstance(number, Dim | Expression):
            raise unknown(f"the number of {number}")


def element_type_of(x: Any) -> np.dtype[Any]:
    """Return the element type of a tensor, an array or nested lists of numbers."""
    dtype: np.dtype[Any] = x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype
    return dtype


def promoted(first: np.dtype[Any], second: np.dtype[Any]) -> np.dtype[Any]:
    """Return NumPy's common type of two, or raise if there is none."""
    if first == second:
        return first
    try:
        return np.result_type(first, second)
    except TypeError:
        names = f"{dtype_of(first)} and {dtype_of(second)}"
        raise LxcError(
            "LXC-E0103",
            "two element types have no common one",
            actual=names,
            hint="convert one operand with astype first",
        ) from None


def near_float_type(operands: tuple[Any, ...]) -> np.dtype[Any]:
    """Return where operands meet as floats: the narrowest that holds their integers."""
    dtype = common_type(operands)
    if dtype_of(dtype).is_float:
        return dtype
    return np.dtype({1: np.float16, 2: np.float32}.get(dtype.itemsize, np.float64))


def float_type(operands: tuple[Any, ...]) -> np.dtype[Any]:
    """Return where operands meet as floats, integers as float64."""
    dtype = common_type(operands)
    return dtype if dtype_of(dtype).is_float else np.dtype(np.float64)


def number_type(operands: tuple[Any, ...]) -> np.dtype[Any]:
    """Return where operands meet as numbers: bools become int8."""
    dtype = common_type(operands)
    return np.dtype(np.int8) if dtype == np.bool_ else dtype


def broadcast_shapes(*shapes: tuple[Size, ...]) -> tuple[Size, ...]:
    """Return what all shapes broadcast to by NumPy's rule, symbolic sizes included."""
    rank = max(map(len, shapes))
    result: list[Size] = [1] * rank
    for shape in shapes:
        for place, entry in enumerate(shape, rank - len(shape)):
            if result[place] == 1:
                result[place] = entry
            elif entry not in (1, result[place]):
                expected, actual = shape_text(result), shape_text(shape)
                raise Mismatch("y", expected, actual, because="shapes broadcast")
    return tuple(result)


def broadcast_operand(x: Operand, shape: tuple[Size, ...]) -> Operand:
    """Return `x` repeated to `shape`; leading axes are added."""
    own = shape_of(x)
    if own == shape:
        return x
    axes = tuple(range(len(shape) - len(own), len(shape)))
    result: Operand = apply(broadcast, x, shape=shape, axes=axes)
    return result


def as_operand(x: Any, dtype: np.dtype[Any]) -> Operand:
    """Return `x` as an array or tensor with elements of `dtype`."""
    if isinstance(x, Tensor):
        if x.dtype == dtype:
            return x
        converted: Operand = apply(cast, x, dtype=dtype_of(dtype))
        return converted
    if isinstance(x, int) and dtype.kind in "iu" and not fits(x, dtype):
        raise LxcError(
            "LXC-E0103", f"the number {x} is too large for its type", expected=str(dtype)
        )
    return np.asarray(x).astype(dtype, copy=False)


def fits(number: int, dtype: np.dtype[Any]) -> bool:
    """Return whether an integer is one of an integer type."""
    limits = np.iinfo(dtype)
    return int(limits.min) <= number <= int(limits.max)


def aligned(*operands: Any, dtype: Any = None) -> list[Operand]:
    """Return operands with one element type and one shape."""
    target = np.dtype(dtype) if dtype is not None else common_type(operands)
    typed = lifted(as_operand(x, target) for x in counted(operands))
    shape = broadcast_shapes(*map(shape_of, typed))
    return [broadcast_operand(x, shape) for x in typed]


def counted(operands: Sequence[Any]) -> Sequence[Any]:
    """Return operands with symbolic sizes as scalars, in the graph of the others."""
    if not any(isinstance(x, Dim | Expression) for x in operands):
        return operands
    tensors = [x for x in operands if isinstance(x, Tensor)]
    if not tensors:
        check_numbers(operands)
    like = max(tensors, key=lambda tensor: tensor.builder.depth)
    return [
        size_number(size(x), like) if isinstance(x, Dim | Expression) else x
        for x in operands
    ]


def as_float(x: Any) -> Operand:
    """Return `x` with float elements; integers become float64, as in NumPy."""
    return as_operand(x, float_type((x,)))


def as_near_float(x: Any) -> Operand:
    """Return `x` with float elements: the narrowest float that holds its integers."""
    return as_operand(x, near_float_type((x,)))
