"""The bytes of a file that somebody else may change or truncate while it is read.

Sections are copied out with a read call, which can only come up short; a view of the whole
file is mapped on the first request for one.
"""

import mmap
import os
import stat
import weakref
from functools import cached_property
from pathlib import Path
from typing import Protocol

from lxc.errors import LxcError


class Contents(Protocol):
    """Bytes of known length, by copy or by view."""

    @property
    def size(self) -> int:
        """The number of bytes."""

    @property
    def view(self) -> memoryview:
        """All bytes, without a copy."""

    def section(self, offset: int, length: int) -> bytes:
        """Return a copy of some bytes, fewer at the end."""


class MemoryContents:
    """Bytes in memory."""

    def __init__(self, encoded: bytes) -> None:
        """Keep `encoded`."""
        self.view = memoryview(encoded)
        self.size = len(encoded)

    def section(self, offset: int, length: int) -> bytes:
        """Return a copy of some bytes, fewer at the end."""
        return bytes(self.view[offset : offset + length])


class FileContents:
    """Bytes of an open file; another file of the same name does not affect them."""

    def __init__(self, path: Path) -> None:
        """Open `path`, which must be a regular file that is not empty."""
        try:
            self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise LxcError("LXC-E0401", f"cannot read {path}: {error.strerror}") from None
        weakref.finalize(self, os.close, self.descriptor)
        status = os.fstat(self.descriptor)
        self.size = status.st_size
        if not self.size or not stat.S_ISREG(status.st_mode):
            raise LxcError("LXC-E0401", f"{path} is empty or not a regular file")

    @cached_property
    def view(self) -> memoryview:
        """All bytes, mapped."""
        return memoryview(mmap.mmap(self.descriptor, self.size, access=mmap.ACCESS_READ))

    def section(self, offset: int, length: int) -> bytes:
        """Return a copy of some bytes, fewer at the end."""
        parts = []
        while length > 0 and (part := os.pread(self.descriptor, length, offset)):
            parts.append(part)
            offset, length = offset + len(part), length - len(part)
        return b"".join(parts)
