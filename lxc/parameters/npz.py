"""Arrays in files of `numpy.savez`, without running or expanding anything unasked."""

import zipfile
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np

from lxc.errors import LxcError
from lxc.runtime.checkpoint import Array

UNSUSPICIOUS = 64 << 20
LARGEST_RATIO = 200
"""How many times its stored size a member above `UNSUSPICIOUS` bytes may have."""


def npz_arrays(path: Path) -> dict[str, Array]:
    """Return every array in an npz file, by name."""
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {}
            for member in archive.infolist():
                if member.file_size > max(
                    UNSUSPICIOUS, LARGEST_RATIO * member.compress_size
                ):
                    raise ValueError(f"{member.filename} is suspiciously compressed")
                with archive.open(member) as stream:
                    array = elements_of(stream, header_of(stream, member.file_size))
                arrays[member.filename.removesuffix(".npy")] = array
            return arrays
    except OSError as error:
        raise LxcError("LXC-E0002", f"cannot read {path}: {error.strerror}") from None
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise LxcError("LXC-E0002", f"cannot read {path}: {error}") from None


@dataclass(frozen=True)
class Header:
    """What an array in NumPy's format is; its elements follow."""

    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype[Any]

    @property
    def size(self) -> int:
        """The number of bytes of the elements."""
        return prod(self.shape) * self.dtype.itemsize


def header_of(stream: IO[bytes], length: int) -> Header:
    """Return the header of an array in a stream of `length` bytes, which it must fit."""
    version = np.lib.format.read_magic(stream)
    readers: dict[tuple[int, int], Any] = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise ValueError("its format is not known")
    header = Header(*readers[version](stream))
    if header.dtype.hasobject or header.size > length:
        raise ValueError("its header does not fit its contents")
    return header


def elements_of(stream: IO[bytes], header: Header) -> Array:
    """Return the array whose header was read, as a read-only one."""
    contents = stream.read(header.size)
    if len(contents) < header.size:
        raise ValueError("it ends before its last element")
    array: Array = np.frombuffer(contents, header.dtype)
    return array.reshape(header.shape, order="F" if header.is_fortran else "C")
