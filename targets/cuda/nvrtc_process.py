"""One compilation by NVRTC, as a program that gets the path of the library.

It reads a line of JSON and the source from its standard input, and writes a line of JSON
and the image. It imports nothing but Python's own library, so that it starts at once.
"""

import ctypes
import json
import os
import sys
from collections.abc import Callable, Sequence


class Refused(Exception):
    """What the library said instead of doing it."""


class Library:
    """NVRTC, mapped."""

    def __init__(self, path: str) -> None:
        """Map the library; raise OSError if it is none."""
        self.library = ctypes.CDLL(path)

    def compile(
        self, source: bytes, options: Sequence[str], kind: str
    ) -> tuple[bytes, str]:
        """Return an image, which is a PTX or a CUBIN, and what the assembler said."""
        program = ctypes.c_void_p()
        self.check(
            self.library.nvrtcCreateProgram(
                ctypes.byref(program), source, b"model.cu", 0, None, None
            )
        )
        words = (ctypes.c_char_p * len(options))(*map(str.encode, options))
        status = self.library.nvrtcCompileProgram(program, len(options), words)
        log = self.result("ProgramLog", program).rstrip(b"\0").decode("utf-8", "replace")
        self.check(status, log)
        return self.result(kind, program), log

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
        raise Refused(told(status).decode("ascii", "replace"), log)

    def numbers(self) -> tuple[int, int]:
        """Return the parts of the version."""
        major, minor = ctypes.c_int(), ctypes.c_int()
        self.check(self.library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)))
        return major.value, minor.value


def answer(path: str, read: Callable[[], bytes]) -> tuple[dict[str, object], bytes]:
    """Return what is told of one compilation, and its image."""
    try:
        library = Library(path)
    except OSError as error:
        return {"unmapped": str(error)}, b""
    try:
        asked, _, source = read().partition(b"\n")
        if not asked:
            return {"version": library.numbers()}, b""
        image, log = library.compile(source, **json.loads(asked))
    except Refused as refused:
        said, log = refused.args
        return {"refused": said, "log": log}, b""
    return {"log": log}, image


def main() -> None:
    """Answer on the standard output."""
    # What a library prints there is no part of the answer.
    own = os.dup(1)
    os.dup2(2, 1)
    told, image = answer(sys.argv[1], sys.stdin.buffer.read)
    with open(own, "wb") as stream:
        stream.write(json.dumps(told).encode() + b"\n" + image)


if __name__ == "__main__":
    main()
