"""Read an ONNX file and the files beside it that hold its weights.

The file may come from anywhere. Nothing is allocated before its size is known to fit what
the file holds, and weights are read from regular files inside the model's folder only.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from numbers import Number
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError, Message
from onnx import ModelProto, TensorProto

from lxc.errors import LxcError
from lxc.frontend.onnx.inlining import with_functions_in_place
from lxc.frontend.onnx.types import ELEMENTS, element_type, type_name
from lxc.ir.types import Array, DType

LARGEST = 2**31 - 1
"""The most bytes that a message of protobuf has."""
FIELDS: Mapping[DType, tuple[str, np.dtype[Any]]] = {
    DType.F32: ("float_data", np.dtype(np.float32)),
    DType.F64: ("double_data", np.dtype(np.float64)),
    DType.I64: ("int64_data", np.dtype(np.int64)),
    DType.U32: ("uint64_data", np.dtype(np.uint32)),
    DType.U64: ("uint64_data", np.dtype(np.uint64)),
}
"""Where elements stand that are no raw bytes; those of all other types in int32_data."""


def damaged(problem: str, *, actual: str | None = None) -> LxcError:
    """Return the error for a file that cannot be what it says it is."""
    return LxcError("LXC-E0115", problem, actual=actual)


def read_model(path: Path) -> ModelProto:
    """Return the model in a file, with the functions that it defines put in place."""
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise damaged(
                f"{path.name} is larger than a message of protobuf", actual=f"{size} bytes"
            )
        model = onnx.ModelProto.FromString(path.read_bytes())
    except OSError as error:
        raise LxcError("LXC-E0002", f"cannot read {path}: {error.strerror}") from None
    except DecodeError:
        raise damaged(f"{path.name} is not an ONNX model, or it is cut off") from None
    check_texts(model, path.name)
    if not model.ir_version or not model.HasField("graph"):
        raise damaged(f"{path.name} is not an ONNX model: it holds no graph")
    return with_functions_in_place(model, path.name)


def check_texts(message: Message, file: str) -> None:
    """Refuse text that is none: protobuf hands out bytes where it is not UTF-8."""
    for field, value in message.ListFields():
        several = [value] if isinstance(value, Message | str | bytes | Number) else value
        if field.type == field.TYPE_MESSAGE:
            for inner in several:
                check_texts(inner, file)
        elif field.type == field.TYPE_STRING and any(isinstance(t, bytes) for t in several):
            raise damaged(f"a name in {file} is no text", actual=str(list(several)))


@dataclass(frozen=True)
class Tensors:
    """Reads the tensors of a model that lies in a folder."""

    folder: Path

    def array(self, tensor: TensorProto) -> Array:
        """Return the contents of a tensor, or raise if they are not what it says."""
        if tensor.data_type not in ELEMENTS:
            raise LxcError(
                "LXC-E0114",
                f"{tensor.name or 'a tensor'} has elements that lxc has not",
                actual=type_name(tensor.data_type),
            )
        dtype = element_type(tensor.data_type)
        shape = tuple(tensor.dims)
        if any(entry < 0 for entry in shape):
            raise damaged(f"{tensor.name} has a negative size", actual=str(list(shape)))
        if tensor.HasField("segment"):
            raise LxcError("LXC-E0114", f"{tensor.name} is stored in segments")
        count = prod(shape)
        if tensor.data_location == TensorProto.EXTERNAL:
            raw = self.outside(tensor, count * dtype.itemsize)
        elif tensor.HasField("raw_data"):
            raw = tensor.raw_data
        else:
            return listed(tensor, count).reshape(shape)
        if len(raw) != count * dtype.itemsize:
            raise wrong_size(tensor, count * dtype.itemsize, len(raw))
        stored = np.frombuffer(raw, dtype.newbyteorder("<") if dtype.kind != "V" else dtype)
        return stored.astype(dtype, copy=False).reshape(shape)

    def outside(self, tensor: TensorProto, expected: int) -> bytes:
        """Return the bytes of a tensor that another file of the folder holds."""
        facts = {entry.key: entry.value for entry in tensor.external_data}
        path = self.inside(tensor.name, facts.get("location", ""))
        start = number_in(facts.get("offset", "0"), tensor.name)
        length = number_in(facts.get("length", str(expected)), tensor.name)
        if length != expected:
            raise wrong_size(tensor, expected, length)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with open(descriptor, "rb") as stream:
                found = os.fstat(descriptor)
                if not stat.S_ISREG(found.st_mode):
                    raise damaged(f"the weights of {tensor.name} lie in no regular file")
                if found.st_size < start + expected:
                    raise wrong_size(tensor, start + expected, found.st_size)
                stream.seek(start)
                return stream.read(expected)
        except OSError as error:
            raise LxcError(
                "LXC-E0002",
                f"cannot read the weights of {tensor.name}: {error.strerror}",
                actual=str(path),
            ) from None

    def inside(self, name: str, location: str) -> Path:
        """Return the file at a location, which has to lie in the model's folder."""
        folder = self.folder.resolve()
        try:
            path = (folder / location).resolve()
        except (OSError, ValueError, RuntimeError):
            raise damaged(f"the weights of {name} have no place", actual=location) from None
        fits = bool(location) and not Path(location).is_absolute()
        if not fits or not path.is_relative_to(folder) or path == folder:
            raise LxcError(
                "LXC-E0115",
                f"the weights of {name} lie outside of the model's folder",
                expected=f"a file in {folder}",
                actual=location,
            )
        return path


def number_in(text: str, name: str) -> int:
    """Return a number of bytes that a file gives as text."""
    if text.isascii() and text.isdigit() and len(text) < 20:
        return int(text)
    raise damaged(f"the place of the weights of {name} is no number", actual=text)


def wrong_size(tensor: TensorProto, expected: int, actual: int) -> LxcError:
    """Return the error for a tensor with another number of bytes than its shape takes."""
    return LxcError(
        "LXC-E0115",
        f"{tensor.name or 'a tensor'} does not fill its shape",
        expected=f"{expected} bytes for {list(tensor.dims)}",
        actual=f"{actual} bytes",
    )


def listed(tensor: TensorProto, count: int) -> Array:
    """Return elements that are listed as numbers."""
    kind = ELEMENTS[tensor.data_type]
    name, dtype = FIELDS.get(kind, ("int32_data", np.dtype(np.int64)))
    numbers = getattr(tensor, name)
    if len(numbers) != count:
        raise wrong_size(tensor, count * kind.bytes, len(numbers) * kind.bytes)
    stored: Array = np.array(numbers, dtype)
    if kind in (DType.F16, DType.BF16):
        # They are listed by their bits.
        return np.asarray(stored.astype(np.uint16).view(kind.numpy))
    return np.asarray(stored.astype(kind.numpy))
