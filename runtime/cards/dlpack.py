"""DLPack on both sides: capsules for our arrays, and views of what others hand over.

A capsule holds a struct with a function that gives the array back. Who takes a capsule
renames it, and calls that function later; a capsule that nobody took calls it itself.
"""

import ctypes
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import ml_dtypes
import numpy as np

CUDA, CUDA_MANAGED = 2, 13
VERSION = (1, 1)
READ_ONLY = 1
PLAIN, VERSIONED = b"dltensor", b"dltensor_versioned"
CODES: Mapping[str, int] = {"i": 0, "u": 1, "f": 2, "b": 6}
BFLOAT16 = 4
KINDS = {code: kind for kind, code in CODES.items()}


class Device(ctypes.Structure):
    """`DLDevice`."""

    _fields_ = (("type", ctypes.c_int32), ("id", ctypes.c_int32))


class DataType(ctypes.Structure):
    """`DLDataType`."""

    _fields_ = (
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
    )


class Tensor(ctypes.Structure):
    """`DLTensor`."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device", Device),
        ("ndim", ctypes.c_int32),
        ("dtype", DataType),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    )


class ManagedTensor(ctypes.Structure):
    """`DLManagedTensor`, for consumers that know no versions."""

    _fields_ = (
        ("tensor", Tensor),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
    )


class VersionedTensor(ctypes.Structure):
    """`DLManagedTensorVersioned`."""

    _fields_ = (
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("tensor", Tensor),
    )


STRUCTS = {PLAIN: ManagedTensor, VERSIONED: VersionedTensor}

# Functions of Python, with types of our own: those of ctypes.pythonapi belong to everybody.
PYTHON = ctypes.PyDLL(None)
IS_VALID = PYTHON["PyCapsule_IsValid"]
IS_VALID.restype, IS_VALID.argtypes = ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p]
POINTER = PYTHON["PyCapsule_GetPointer"]
POINTER.restype, POINTER.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p]


class Lendable(Protocol):
    """What a capsule is made of."""

    address: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class Loan:
    """An array that NumPy takes for one of the host, so that it makes the capsule.

    What drops a capsule may have an error under way, which a function of Python would lose:
    those of NumPy are in C. It knows no bfloat16, so elements are numbers of their size.
    """

    def __init__(self, array: Lendable) -> None:
        """Describe an array, which lives as long as this object."""
        self.array = array
        self.__array_interface__ = {
            "version": 3,
            "shape": array.shape,
            "typestr": f"|u{array.dtype.itemsize}",
            "data": (array.address, False),
        }


def strides_of(shape: tuple[int, ...]) -> list[int]:
    """Return the steps of the axes of a contiguous array, in elements."""
    steps, step = [], 1
    for length in reversed(shape):
        steps.append(step)
        step *= length
    return steps[::-1]


def code_of(dtype: np.dtype[Any]) -> int:
    """Return DLPack's code for a kind of elements."""
    return BFLOAT16 if dtype == ml_dtypes.bfloat16 else CODES[dtype.kind]


def capsule(array: Lendable, card: int, max_version: tuple[int, int] | None) -> Any:
    """Return a capsule with an array, versioned for those who ask for that."""
    shown = np.asarray(Loan(array))
    made: Any = None
    if max_version is not None and max_version[0] >= 1:
        with suppress(TypeError):  # of a NumPy from before there were versions
            made = shown.__dlpack__(max_version=VERSION)
    if made is None:
        made = shown.__dlpack__()
    tensor = struct_in(made).tensor
    tensor.device = Device(CUDA, card)
    tensor.dtype.code = code_of(array.dtype)
    return made


def struct_in(given: Any) -> Any:
    """Return the struct in a capsule, which stays the owner of it."""
    for name, kind in STRUCTS.items():
        if IS_VALID(id(given), name):
            return kind.from_address(POINTER(id(given), name))
    raise BufferError("this is no capsule of DLPack")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a capsule says of an array."""

    device: tuple[int, int]
    place: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    is_contiguous: bool
    is_read_only: bool


def look_into(given: Any) -> Seen:
    """Return what is in a capsule, which stays the owner of it."""
    struct = struct_in(given)
    if not isinstance(struct, VersionedTensor):
        return seen(struct.tensor)
    if struct.major != VERSION[0]:
        raise BufferError(f"DLPack has version {struct.major}, not {VERSION[0]}")
    return seen(struct.tensor, is_read_only=bool(struct.flags & READ_ONLY))


def seen(tensor: Tensor, *, is_read_only: bool = False) -> Seen:
    """Return what a struct says."""
    shape = tuple(tensor.shape[axis] for axis in range(tensor.ndim))
    steps = strides_of(shape)
    contiguous = not tensor.strides or all(
        tensor.strides[axis] == steps[axis] or length <= 1 or 0 in shape
        for axis, length in enumerate(shape)
    )
    return Seen(
        (tensor.device.type, tensor.device.id),
        (tensor.data or 0) + tensor.byte_offset,
        shape,
        dtype_of(tensor.dtype),
        contiguous,
        is_read_only,
    )


def dtype_of(dtype: DataType) -> np.dtype[Any]:
    """Return NumPy's type for one of DLPack."""
    if (dtype.code, dtype.bits, dtype.lanes) == (BFLOAT16, 16, 1):
        half: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return half
    kind = KINDS.get(dtype.code)
    if kind is None or dtype.lanes != 1 or dtype.bits not in (8, 16, 32, 64):
        raise BufferError(f"elements of code {dtype.code} and {dtype.bits} bits")
    return np.dtype(f"{kind}{dtype.bits // 8}")
