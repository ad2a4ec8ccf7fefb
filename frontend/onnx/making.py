"""Operators of ONNX that make values from shapes and numbers."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.onnx.operator import Operator, operator_of
from lxc.frontend.onnx.types import element_type
from lxc.frontend.onnx.values import Known, entries, is_sizes, number, sizes_array
from lxc.ir import functions as ops
from lxc.ir.dim import Size, bounds
from lxc.ir.tensor import shape_of, type_of

MOST = 2**28
"""The most elements that an operator makes out of numbers in a file."""


def shape(x: Any, *, start: int = 0, end: int | None = None) -> Any:
    """Return the sizes of x."""
    return sizes_array(shape_of(x)[start:end])


def size(x: Any) -> Any:
    """Return the number of elements of x."""
    return sizes_array([type_of(x).element_count]).reshape(())


def constant_of_shape(shape: Known, *, value: Any = None, like: Any) -> Any:
    """Return a shape filled with one number."""
    filled = np.zeros(1, np.float32) if value is None else np.asarray(value)
    sizes = entries(shape)
    check_elements(sizes)
    traced = None if all(isinstance(entry, int) for entry in sizes) else like
    return ops.full(sizes, filled.reshape(()), filled.dtype, like=traced)


def numbers(start: Known, limit: Known, delta: Known, *, like: Any) -> Any:
    """Return the numbers from one up to another in steps."""
    ends = [np.asarray(end).reshape(()) for end in (start, limit, delta)]
    if any(map(is_sizes, ends)):
        low, high, step = (entries(end)[0] for end in ends)
        first = number(low, "the start of a range")
        return ops.arange(first, high, number(step, "a step"), like=like)
    low, high, step = (end.item() for end in ends)
    check_elements([int(max(np.ceil((high - low) / step), 0)) if step else MOST + 1])
    return np.arange(low, high, step).astype(ends[0].dtype)


def check_elements(sizes: Sequence[Size]) -> None:
    """Refuse shapes out of a file that no memory holds."""
    most = prod(max(bounds(entry)[1], 0) for entry in sizes)
    if most > MOST:
        raise LxcError(
            "LXC-E0114",
            "a constant of the file is too large",
            expected=f"at most {MOST} elements",
            actual=f"{most} elements",
        )


def eye_like(x: Any, *, dtype: int | None = None, k: int = 0) -> Any:
    """Return ones on a diagonal of a matrix in the shape of x, zeros elsewhere."""
    rows, columns = (number(entry, "the size of the matrix") for entry in shape_of(x))
    check_elements((rows, columns))
    kind = x.dtype if dtype is None else element_type(dtype)
    return ops.eye(rows, columns, k, kind)


MAKING: Mapping[str, Operator] = {
    "ConstantOfShape": operator_of(constant_of_shape),
    "EyeLike": operator_of(eye_like, direct=True),
    "Range": operator_of(numbers),
    "Shape": operator_of(shape, direct=True),
    "Size": operator_of(size, direct=True),
}
