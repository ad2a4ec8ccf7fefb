"""The streams of this process, such that a command can always read and write.

A stream may be closed before a command starts, and whoever reads its output may go away at
any time. Neither is a failure of the command: what it finds decides how it ends.
"""

import io
import os
import sys
from typing import Any

from lxc.errors import LxcError

ENCODING = "utf-8"


class Output(io.FileIO):
    """A file for the output of a command: what nobody can read any more is dropped."""

    is_lost = False

    def write(self, contents: Any, /) -> int:
        """Write, and return how many bytes were taken; raise where there is no space."""
        try:
            if not self.is_lost:
                return super().write(contents) or 0
        except BrokenPipeError:
            self.is_lost = True
        except OSError as problem:
            self.is_lost = True
            raise LxcError(
                "LXC-E0002", f"cannot write the output: {problem.strerror}"
            ) from None
        return memoryview(contents).nbytes


def prepare_streams() -> None:
    """Give this process streams that are open, and do not mind if their readers leave."""
    for number in range(3):
        open_somewhere(number)
    if sys.stdin is None:
        sys.stdin = open(0, encoding=ENCODING, closefd=False)  # noqa: SIM115
    sys.stdout = output(1, sys.stdout)
    sys.stderr = output(2, sys.stderr)


def open_somewhere(number: int) -> None:
    """Let a closed descriptor stand for nothing, so that no file gets its number."""
    try:
        os.fstat(number)
    except OSError:
        # All lower numbers are taken, so this one comes next.
        os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def output(number: int, stream: Any) -> io.TextIOWrapper:
    """Return a stream for the output; characters are written as on `stream`."""
    return io.TextIOWrapper(
        io.BufferedWriter(Output(number, "w", closefd=False)),
        encoding=getattr(stream, "encoding", ENCODING),
        errors="backslashreplace",
        line_buffering=True,
    )
