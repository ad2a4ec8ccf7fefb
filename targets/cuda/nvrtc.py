"""NVRTC: NVIDIA's compiler for cards as a library, without the rest of a toolkit."""

import ctypes
from collections.abc import Sequence
from pathlib import Path

from lxc.errors import LxcError
from lxc.targets.cuda.architectures import Architecture


class Nvrtc:
    """The library, mapped; several threads may compile at once."""

    def __init__(self, path: Path, flags: Sequence[str]) -> None:
        """Map the library; `flags` are for all that it compiles."""
        self.flags = tuple(flags)
        try:
            self.library = ctypes.CDLL(str(path))
        except OSError as error:
            raise LxcError("LXC-E0310", f"cannot map NVRTC: {error}") from None

    def compile(self, source: str, architecture: Architecture) -> tuple[bytes, str]:
        """Return an image, and what the assembler said."""
        program = ctypes.c_void_p()
        text = source.encode("ascii")
        self.check(
            self.library.nvrtcCreateProgram(
                ctypes.byref(program), text, b"model.cu", 0, None, None
            )
        )
        try:
            options = [f"--gpu-architecture={architecture.name}", *self.flags, "-w"]
            options += [] if architecture.is_text else ["--ptxas-options=-v"]
            words = (ctypes.c_char_p * len(options))(*map(str.encode, options))
            status = self.library.nvrtcCompileProgram(program, len(options), words)
            log = (
                self.result("ProgramLog", program).rstrip(b"\0").decode("utf-8", "replace")
            )
            self.check(status, log)
            if architecture.is_text:
                return self.result("PTX", program).rstrip(b"\0"), log
            return self.result("CUBIN", program), log
        finally:
            self.library.nvrtcDestroyProgram(ctypes.byref(program))

    def result(self, what: str, program: ctypes.c_void_p) -> bytes:
        """Return one of the things that a program has become."""
        size = ctypes.c_size_t()
        self.check(self.library[f"nvrtcGet{what}Size"](program, ctypes.byref(size)))
        place = ctypes.create_string_buffer(size.value)
        self.check(self.library[f"nvrtcGet{what}"](program, place))
        return place.raw

    def check(self, status: int, log: str = "") -> None:
        """Raise for what the library refused."""
        if status == 0:
            return
        told = self.library.nvrtcGetErrorString
        told.restype = ctypes.c_char_p
        said = told(status).decode("ascii", "replace")
        raise LxcError(
            "LXC-E0310", f"NVRTC failed: {said}", actual=log.strip()[-2000:] or None
        )

    def version(self) -> str:
        """Return name and version in one line."""
        return "NVRTC {}.{}".format(*self.numbers())

    def driver(self) -> int:
        """Return the version of CUDA that it is of: 13010 for 13.1."""
        return cuda_of(*self.numbers())

    def numbers(self) -> tuple[int, int]:
        """Return the parts of the version."""
        major, minor = ctypes.c_int(), ctypes.c_int()
        self.check(self.library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)))
        return major.value, minor.value


def cuda_of(major: int, minor: int) -> int:
    """Return a version of CUDA as one number, as drivers say theirs."""
    return 1000 * major + 10 * minor
