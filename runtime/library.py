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

from lxc.errors import LxcError
from lxc.runtime.artifact import Artifact
from lxc.runtime.manifest import TargetRecord

ABI_VERSION = 1
FOLDERS = ("/dev/shm", "/var/tmp")


class Library:
    """The functions of one mapped library; `run` and `prepare` release the GIL.

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
        self.pool = handle[f"{prefix}_pool"]
        self.pool.restype = ctypes.c_void_p
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


def map_library(artifact: Artifact, target: TargetRecord) -> Library:
    """Return the library for `target`, after comparing code and IR with their digests."""
    code = artifact.read(target.library)
    if "ir/traced.lxir" in artifact:
        artifact.read("ir/traced.lxir")
    prefix = artifact.signature.name
    try:
        return Library(map_code(code, prefix), prefix)
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
