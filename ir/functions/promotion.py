"""How operands of different types and shapes meet: NumPy's promotion and broadcasting.

Python numbers take the element type of what they meet; arrays and tensors of different
types meet in NumPy's common type.
"""

from typing import Any

import numpy as np

from lxc.errors import Mismatch
from lxc.ir.dim import Size
from lxc.ir.ops.logic import cast
from lxc.ir.ops.shape import broadcast
from lxc.ir.tensor import Operand, Tensor, apply, lifted, shape_of
from lxc.ir.types import dtype_of, shape_text

Scalar = bool | int | float


def common_type(operands: tuple[Any, ...]) -> np.dtype[Any]:
    """Return the element type where operands meet; Python numbers only lend their kind."""
    typed = [x.dtype for x in operands if isinstance(x, Tensor | np.ndarray | np.generic)]
    numbers = [x for x in operands if isinstance(x, Scalar)]
    if not typed:
        return np.result_type(*(np.asarray(x) for x in operands))
    common = typed[0]
    for dtype in typed[1:]:
        common = common if dtype == common else np.result_type(common, dtype)
    is_float = dtype_of(common).is_float
    if any(isinstance(x, float) for x in numbers) and not is_float:
        return np.dtype(np.float64)
    if common == np.bool_ and any(not isinstance(x, bool) for x in numbers):
        return np.dtype(np.int64)
    return common


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
    return np.asarray(x).astype(dtype, copy=False)


def aligned(*operands: Any, dtype: Any = None) -> list[Operand]:
    """Return operands with one element type and one shape."""
    target = np.dtype(dtype) if dtype is not None else common_type(operands)
    typed = lifted(as_operand(x, target) for x in operands)
    shape = broadcast_shapes(*map(shape_of, typed))
    return [broadcast_operand(x, shape) for x in typed]


def as_float(x: Any) -> Operand:
    """Return `x` with float elements; integers become float64, as in NumPy."""
    dtype = common_type((x,))
    return as_operand(x, dtype if dtype_of(dtype).is_float else np.dtype(np.float64))


def as_near_float(x: Any) -> Operand:
    """Return `x` with float elements: the narrowest float that holds its integers."""
    dtype = common_type((x,))
    if dtype_of(dtype).is_float:
        return as_operand(x, dtype)
    near = {1: np.float16, 2: np.float32}.get(dtype.itemsize, np.float64)
    return as_operand(x, np.dtype(near))
