"""The element types of ONNX that lxc has, by the numbers that files hold."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.ir.types import DType

ELEMENTS: Mapping[int, DType] = {
    1: DType.F32,
    2: DType.U8,
    3: DType.I8,
    4: DType.U16,
    5: DType.I16,
    6: DType.I32,
    7: DType.I64,
    9: DType.BOOL,
    10: DType.F16,
    11: DType.F64,
    12: DType.U32,
    13: DType.U64,
    16: DType.BF16,
}
OTHERS: Mapping[int, str] = {
    8: "strings",
    14: "complex64",
    15: "complex128",
    17: "float8e4m3fn",
    18: "float8e4m3fnuz",
    19: "float8e5m2",
    20: "float8e5m2fnuz",
    21: "uint4",
    22: "int4",
    23: "float4e2m1",
}
"""What messages call the types that lxc has not."""


def element_type(number: int) -> np.dtype[Any]:
    """Return the NumPy type of an element type of ONNX, or raise."""
    if number in ELEMENTS:
        return ELEMENTS[number].numpy
    raise LxcError("LXC-E0114", "lxc has not all element types", actual=type_name(number))


def type_name(number: int) -> str:
    """Return what messages call an element type."""
    if number in ELEMENTS:
        return str(ELEMENTS[number])
    return OTHERS.get(number, f"element type {number}")
