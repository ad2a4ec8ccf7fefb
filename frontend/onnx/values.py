"""What the names of an ONNX graph stand for while it is traced.

A value is a NumPy array where its contents are known, a traced tensor where they are not,
and None where an optional one is missing. Shapes of tensors with symbolic sizes are known
as well: arrays of Python objects that hold ints and sizes.
"""

from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias

import numpy as np

from lxc.errors import LxcError
from lxc.ir import functions as ops
from lxc.ir.dim import Expression, Size, size
from lxc.ir.functions.counting import size_number
from lxc.ir.tensor import Tensor, lifted
from lxc.ir.types import Array

KNOWN = "known"
"""Marks an operator's input that shapes or settings follow from: it has to be an array."""

Known: TypeAlias = Annotated[Any, KNOWN]


def is_sizes(value: object) -> bool:
    """Return whether a value is an array of sizes of which some may be symbolic."""
    return isinstance(value, np.ndarray) and value.dtype == object


def settled(value: Any) -> Any:
    """Return an array of sizes, or one size, as int64 where all of them are numbers."""
    if isinstance(value, int | Expression):
        entry, value = value, np.empty((), object)
        value[()] = entry
    if not is_sizes(value):
        return value
    if all(isinstance(entry, int) for entry in value.flat):
        return value.astype(np.int64)
    return value


def sizes_array(shape: Sequence[Size]) -> Array:
    """Return a shape as a vector of int64, or of sizes if some are symbolic."""
    vector = np.empty(len(shape), object)
    vector[:] = [size(entry) for entry in shape]
    known: Array = settled(vector)
    return known


def entries(value: Any) -> tuple[Size, ...]:
    """Return the elements of a known array of integers as sizes."""
    return tuple(size(entry) for entry in np.asarray(value).ravel().tolist())


def whole_numbers(value: Any, what: str) -> tuple[int, ...]:
    """Return the elements of a known array of integers, none of which may be symbolic."""
    found = entries(value)
    return tuple(number(entry, what) for entry in found)


def number(entry: Size, what: str) -> int:
    """Return a size that has to be a number, or raise."""
    if isinstance(entry, int):
        return entry
    raise LxcError(
        "LXC-E0114",
        f"{what} has to be a number when the model is imported",
        actual=str(entry),
        hint="fix the dimension with --input, or with the shape that is traced",
    )


def as_tensor(value: Any, like: Tensor) -> Any:
    """Return an array, also one of sizes, as a tensor of the model of another one."""
    if is_sizes(value):
        parts = [size_number(size(entry), like) for entry in value.ravel().tolist()]
        value = ops.reshape(ops.stack(parts), value.shape)
    return lifted((value, like))[0]
