"""Types of values: an element type and a shape whose sizes may be symbolic."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from math import prod
from typing import Any, TypeAlias

import ml_dtypes
import numpy as np

from lxc.errors import LxcError
from lxc.ir.dim import Dim, Expression, Size, bounds, size

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Shape: TypeAlias = tuple[Size, ...]


class DType(Enum):
    """An element type; the value is its name in IR text."""

    BOOL = "bool"
    I8 = "i8"
    I16 = "i16"
    I32 = "i32"
    I64 = "i64"
    U8 = "u8"
    U16 = "u16"
    U32 = "u32"
    U64 = "u64"
    F16 = "f16"
    BF16 = "bf16"
    F32 = "f32"
    F64 = "f64"

    def __str__(self) -> str:
        """Print the name that IR text uses."""
        return self.value

    @property
    def numpy(self) -> np.dtype[Any]:
        """The NumPy type with the same elements."""
        return NUMPY_TYPES[self]

    @property
    def bytes(self) -> int:
        """The size of one element in bytes."""
        return self.numpy.itemsize

    @property
    def is_float(self) -> bool:
        """Whether elements are floating-point numbers."""
        return self in FLOATS

    @property
    def is_integer(self) -> bool:
        """Whether elements are integers; a bool is not one."""
        return not self.is_float and self is not DType.BOOL


LARGEST = 2**63 - 1
"""The most that a size or a number of bytes can be: compiled code counts in 64 bits."""

FLOATS = frozenset({DType.F16, DType.BF16, DType.F32, DType.F64})
NUMPY_TYPES: dict[DType, np.dtype[Any]] = {
    DType.BOOL: np.dtype(np.bool_),
    DType.I8: np.dtype(np.int8),
    DType.I16: np.dtype(np.int16),
    DType.I32: np.dtype(np.int32),
    DType.I64: np.dtype(np.int64),
    DType.U8: np.dtype(np.uint8),
    DType.U16: np.dtype(np.uint16),
    DType.U32: np.dtype(np.uint32),
    DType.U64: np.dtype(np.uint64),
    DType.F16: np.dtype(np.float16),
    DType.BF16: np.dtype(ml_dtypes.bfloat16),
    DType.F32: np.dtype(np.float32),
    DType.F64: np.dtype(np.float64),
}
FROM_NUMPY = {numpy_type: dtype for dtype, numpy_type in NUMPY_TYPES.items()}


def dtype_of(value: Any) -> DType:
    """Return the element type that `value` names: a `DType`, its name or a NumPy type."""
    if isinstance(value, DType):
        return value
    try:
        if isinstance(value, str) and value in DType._value2member_map_:
            return DType(value)
        return FROM_NUMPY[np.dtype(value)]
    except (KeyError, TypeError):
        raise LxcError(
            "LXC-E0103",
            f"{value!s} is not an element type that lxc has",
            hint=f"one of {', '.join(str(dtype) for dtype in DType)}",
        ) from None


@dataclass(frozen=True)
class TensorType:
    """Elements of one type in a shape; `str` gives the IR syntax, `f32[8, 128]`."""

    dtype: DType
    shape: Shape

    def __post_init__(self) -> None:
        """Take a bare dimension for the size that it stands for."""
        if any(isinstance(entry, Dim) for entry in self.shape):
            object.__setattr__(self, "shape", tuple(size(entry) for entry in self.shape))

    def __str__(self) -> str:
        """Print the form that IR text parses."""
        return f"{self.dtype}{shape_text(self.shape)}"

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def element_count(self) -> Size:
        """The number of elements, symbolic if an axis is."""
        return count_elements(self.shape)

    @property
    def max_bytes(self) -> int:
        """The size in bytes when every dimension is at its upper bound."""
        return bounds(self.element_count)[1] * self.dtype.bytes

    @property
    def size_fault(self) -> str | None:
        """What makes tensors of this type impossible to hold, or None."""
        most = [bounds(entry)[1] for entry in self.shape]
        # A symbolic size may have negative values that a run refuses.
        if any(isinstance(entry, int) and entry < 0 for entry in self.shape):
            return f"{self} has a negative size"
        if max(most, default=0) > LARGEST:
            return f"{self} has a size that 64 bits cannot hold"
        if prod(entry for entry in most if entry) * self.dtype.bytes > LARGEST:
            return f"{self} takes more bytes than 64 bits can count"
        return None

    def with_shape(self, shape: Shape) -> "TensorType":
        """Return the type with another shape."""
        return TensorType(self.dtype, shape)

    def with_dtype(self, dtype: DType) -> "TensorType":
        """Return the type with other elements."""
        return TensorType(dtype, self.shape)


def shape_text(shape: Sequence[Any]) -> str:
    """Return a shape as IR text and messages show it: `[8, N, 2]`."""
    return f"[{', '.join(map(str, shape))}]"


def count_elements(shape: Sequence[Size]) -> Size:
    """Return the product of the sizes in `shape`."""
    total: Size = prod(entry for entry in shape if isinstance(entry, int))
    for entry in shape:
        if isinstance(entry, Expression):
            total = entry * total
    return total


def type_of_array(array: Array) -> TensorType:
    """Return the type of a NumPy array."""
    return TensorType(dtype_of(array.dtype), array.shape)


@dataclass(frozen=True)
class TensorSpec:
    """Stand for an array when tracing: only its shape and element type matter.

    `shape` may hold `Dim`s and expressions of them; `dtype` is a NumPy type or an IR name.
    """

    shape: tuple[int | Dim | Expression, ...]
    dtype: Any = np.float32

    @property
    def type(self) -> TensorType:
        """The type that the spec describes."""
        shape = tuple(size(entry) for entry in self.shape)
        described = TensorType(dtype_of(self.dtype), shape)
        if described.size_fault:
            raise LxcError("LXC-E0103", described.size_fault)
        return described
