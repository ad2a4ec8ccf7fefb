"""NVRTC: NVIDIA's compiler for cards as a library, without the rest of a toolkit.

It runs in a process of its own: it looks for a driver, starts it, and ends the process
where what it finds is not NVIDIA's.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lxc.errors import LxcError
from lxc.targets.cuda import nvrtc_process
from lxc.targets.cuda.architectures import Architecture


class Nvrtc:
    """The library; several threads may compile at once."""

    def __init__(self, path: Path, flags: Sequence[str]) -> None:
        """See whether the library can be mapped; `flags` are for all that it compiles."""
        self.path, self.flags = path, tuple(flags)
        told, _ = self.answer(b"")
        self.major, self.minor = map(int, told["version"])

    def compile(self, source: str, architecture: Architecture) -> tuple[bytes, str]:
        """Return an image, and what the assembler said."""
        options = [f"--gpu-architecture={architecture.name}", *self.flags, "-w"]
        options += [] if architecture.is_text else ["--ptxas-options=-v"]
        asked = {"options": options, "kind": "PTX" if architecture.is_text else "CUBIN"}
        told, image = self.answer(f"{json.dumps(asked)}\n{source}".encode("ascii"))
        return image.rstrip(b"\0") if architecture.is_text else image, str(told["log"])

    def answer(self, asked: bytes) -> tuple[dict[str, Any], bytes]:
        """Return what the process of the library told, and the image it made.

        What it refuses, and that it died, are coded errors.
        """
        command = [sys.executable, "-I", "-S", nvrtc_process.__file__, str(self.path)]
        try:
            done = subprocess.run(command, input=asked, capture_output=True, check=False)
        except OSError as error:
            raise LxcError("LXC-E0310", f"cannot run NVRTC: {error.strerror}") from None
        line, _, image = done.stdout.partition(b"\n")
        if done.returncode != 0 or not line:
            said = done.stderr.decode("utf-8", "replace")
            raise failure(f"NVRTC {ending(done.returncode)}", said)
        told: dict[str, Any] = json.loads(line)
        if "unmapped" in told:
            raise LxcError("LXC-E0310", f"cannot map NVRTC: {told['unmapped']}")
        if "refused" in told:
            raise failure(f"NVRTC failed: {told['refused']}", told["log"])
        return told, image

    def version(self) -> str:
        """Return name and version in one line."""
        return f"NVRTC {self.major}.{self.minor}"

    def driver(self) -> int:
        """Return the version of CUDA that it is of: 13010 for 13.1."""
        return cuda_of(self.major, self.minor)


def failure(message: str, said: str) -> LxcError:
    """Return the error for a message and what was said beside it."""
    return LxcError("LXC-E0310", message, actual=said.strip()[-2000:] or None)


def ending(status: int) -> str:
    """Return how a process ended, in words."""
    if status >= 0:
        return f"failed with status {status}"
    return f"was ended by signal {-status} ({signal.strsignal(-status)})"


def cuda_of(major: int, minor: int) -> int:
    """Return a version of CUDA as one number, as drivers say theirs."""
    return 1000 * major + 10 * minor
