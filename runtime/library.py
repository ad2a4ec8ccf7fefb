"""The shared library of a model, mapped into this process.

The bytes that are mapped are those whose digest was compared: they go to a new file that
only this user can reach, under a name that no other library of the process has had, because
the dynamic linker would take a library of the same name for the same library. The file is
removed as soon as it is mapped; the library itself stays until the process ends.
"""

import ctypes
import os
import secrets
import tempfile
from pathlib import Path
from typing import TypeVar

from lxc.errors import InternalError, LxcError
from lxc.runtime.artifact import Artifact
from lxc.runtime.manifest import TargetRecord

ABI_VERSION = 1
FOLDERS = ("/dev/shm", "/var/tmp")
Kind = TypeVar("Kind", bound="MappedCode")


EOVERLAP, EKERNEL, EDEVICE, EMEMORY = 5, 7, 8, 9


class MappedCode:
    """The functions that every mapped library has; `run` and `prepare` release the GIL.

    Both take a `ctypes.c_void_p`, which goes through as it is; they convert nothing.
    """

    def __init__(self, handle: ctypes.CDLL, prefix: str) -> None:
        """Look the functions of the model `prefix` up in `handle`."""
        self.prefix = prefix
        self.run = handle[f"{prefix}_run"]
        self.prepare = handle[f"{prefix}_prepare"]
        for function in (self.run, self.prepare):
            function.restype = ctypes.c_int32
        self.last_error = handle[f"{prefix}_last_error"]
        self.last_error.restype = ctypes.c_char_p
        version = handle[f"{prefix}_abi_version"]
        version.restype = ctypes.c_uint32
        if version() != ABI_VERSION:
            raise LxcError(
                "LXC-E0407",
                "the library in the artifact has another interface than this lxc",
                expected=f"version {ABI_VERSION}",
                actual=f"version {version()}",
            )

    def failure(self) -> str:
        """Return the text of the last failure on this thread."""
        text = self.last_error()
        return text.decode("utf-8", "replace") if isinstance(text, bytes) else ""


class Library(MappedCode):
    """The functions of a library for processors: it has a pool of threads too."""

    def __init__(self, handle: ctypes.CDLL, prefix: str) -> None:
        """Look the functions of the model `prefix` up in `handle`."""
        super().__init__(handle, prefix)
        self.pool = handle[f"{prefix}_pool"]
        self.pool.restype = ctypes.c_void_p


def failure(library: MappedCode, code: int) -> Exception:
    """Return the error for a call that did not return 0."""
    said = library.failure()
    if code == EOVERLAP:
        return LxcError(
            "LXC-E0506",
            f"memory of this call overlaps: {said}",
            hint="give every output and every state that comes out memory of its own",
        )
    if code == EKERNEL:
        return LxcError("LXC-E0508", f"the compiled code failed: {said}")
    if code == EDEVICE:
        return LxcError("LXC-E0510", f"the card cannot be used: {said}")
    if code == EMEMORY:
        return LxcError("LXC-E0601", f"there is not enough memory for the card: {said}")
    return InternalError("a call of the compiled code", f"{said} (status {code})")


def map_library(artifact: Artifact, target: TargetRecord) -> Library:
    """Return the library for `target`, a kind of processor."""
    return mapped(artifact, target, Library)


def mapped(artifact: Artifact, target: TargetRecord, kind: type[Kind]) -> Kind:
    """Return the library for `target`, after comparing code and IR with their digests."""
    code = artifact.read(target.library)
    if "ir/traced.lxir" in artifact:
        artifact.read("ir/traced.lxir")
    prefix = artifact.signature.name
    try:
        return kind(map_code(code, prefix), prefix)
    except (OSError, AttributeError) as error:
        raise LxcError(
            "LXC-E0407", f"the code for {target.name} cannot be loaded: {error}"
        ) from None


def map_code(code: bytes, prefix: str) -> ctypes.CDLL:
    """Map `code`, through a folder from which libraries can be mapped."""
    failures = []
    for parent in dict.fromkeys((tempfile.gettempdir(), *FOLDERS)):
        try:
            return map_through(Path(parent), code, prefix)
        except OSError as error:
            failures.append(str(error))
    raise OSError("; ".join(failures))


def map_through(parent: Path, code: bytes, prefix: str) -> ctypes.CDLL:
    """Map `code` through a new file below `parent`."""
    with tempfile.TemporaryDirectory(prefix="lxc-", dir=parent) as folder:
        path = Path(folder) / f"{prefix}-{secrets.token_hex(8)}.so"
        descriptor = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o500
        )
        with open(descriptor, "wb") as stream:
            stream.write(code)
        return ctypes.CDLL(str(path), mode=os.RTLD_LOCAL | os.RTLD_NOW)
