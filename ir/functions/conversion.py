"""NumPy's functions that convert, copy and fill, and those that say what something is."""

from typing import Any

import numpy as np

from lxc.ir.dim import Size
from lxc.ir.dim import size as normal_size
from lxc.ir.dispatch import implements
from lxc.ir.functions.promotion import as_operand, broadcast_operand, element_type_of
from lxc.ir.ops import logic
from lxc.ir.tensor import Tensor, apply, lifted, shape_of, type_of
from lxc.ir.types import count_elements, dtype_of


@implements(np.ndarray.astype, np.astype)
def astype(x: Any, dtype: Any, *, copy: bool = True) -> Any:
    """Return the elements converted to `dtype`; the same object where nothing changes.

    Floats are rounded to nearest even, or toward zero to an integer. `copy` is for NumPy's
    sake: a result never shares what somebody may write into.
    """
    target = dtype_of(dtype)
    if type_of(x).dtype is target:
        return x
    return apply(logic.cast, x, dtype=target)


@implements(np.copy)
def copy(x: Any) -> Any:
    """Return a copy of an array; a traced tensor is a value and stands for itself."""
    return x if isinstance(x, Tensor) else np.array(x)


@implements(np.full_like)
def full_like(x: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    """Return a tensor full of `fill_value`, of the element type and shape of `x`."""
    target = dtype_of(dtype) if dtype is not None else type_of(x).dtype
    filled = as_operand(fill_value, target.numpy)
    if not isinstance(filled, Tensor):
        _, filled = lifted((x, filled))
    wanted = shape_of(x) if shape is None else shape
    listed = wanted if isinstance(wanted, tuple | list) else (wanted,)
    return broadcast_operand(filled, tuple(normal_size(entry) for entry in listed))


@implements(np.zeros_like, np.empty_like)
def zeros_like(x: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    """Return zeros of the element type and shape of `x`."""
    return full_like(x, 0, dtype, shape=shape)


@implements(np.ones_like)
def ones_like(x: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    """Return ones of the element type and shape of `x`."""
    return full_like(x, 1, dtype, shape=shape)


@implements(np.shape)
def shape(x: Any) -> tuple[Size, ...]:
    """Return the sizes of the axes; those not known before run time are expressions."""
    return shape_of(x)


@implements(np.ndim)
def ndim(x: Any) -> int:
    """Return the number of axes."""
    return len(shape_of(x))


@implements(np.size)
def size(x: Any, axis: int | None = None) -> Size:
    """Return the number of elements, or the size of one axis."""
    sizes = shape_of(x)
    return count_elements(sizes) if axis is None else sizes[axis]


@implements(np.result_type)
def result_type(*operands: Any) -> np.dtype[Any]:
    """Return the element type where tensors, arrays, types and Python numbers meet."""
    parts = [element_type_of(x) if isinstance(x, Tensor) else x for x in operands]
    return np.result_type(*parts)
