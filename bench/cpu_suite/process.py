"""The caller's side of a contender's process: one request at a time, frozen in between."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parent.parent / "cpu_worker.py"
START_SECONDS = 180.0


class Lost(Exception):
    """The process of a contender is gone, or took too long and was ended."""

    def __init__(self, status: str, detail: str) -> None:
        """Keep the status to report and what is known about the reason."""
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Process:
    """A program that answers lines of JSON; what else it prints goes to a log."""

    def __init__(self, command: list[str], settings: dict[str, str], log: Path) -> None:
        """Start the program, with these variables of the environment beside all others."""
        self.log = log
        with log.open("w") as stream:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                text=True,
                env={**os.environ, **settings},
            )
        self.unread = b""
        self.hello = self.answer(START_SECONDS)

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Return the answer to a request; raises Lost without one after `seconds`."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Lost("failed", self.last_words()) from None
        return self.answer(seconds)

    def answer(self, seconds: float) -> dict[str, Any]:
        """Return the next line of the process."""
        assert self.process.stdout is not None
        place, end = self.process.stdout.fileno(), time.monotonic() + seconds
        while b"\n" not in self.unread:
            there, _, _ = select.select([place], [], [], max(0.0, end - time.monotonic()))
            if not there:
                self.close()
                raise Lost("over time", f"no answer in {seconds:.0f} s")
            read = os.read(place, 1 << 16)
            if not read:
                self.close()
                raise Lost("failed", self.last_words())
            self.unread += read
        line, _, self.unread = self.unread.partition(b"\n")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def last_words(self) -> str:
        """Return how the process ended and the end of what it printed."""
        code = self.process.wait()
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        printed = " ".join(self.log.read_text("utf-8", errors="replace").split())
        return f"the process ended ({how}): {printed[-300:]}"

    def close(self) -> None:
        """End the process."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Worker(Process):
    """A process that holds one contender.

    It is stopped while others run, so that threads that spin when idle disturb nobody.
    """

    def __init__(self, name: str, processors: list[int], log: Path) -> None:
        """Start the process on these processors, a thread for each; read its greeting."""
        self.is_frozen = False
        numbers = ",".join(map(str, processors))
        super().__init__([str(SCRIPT), name, numbers], thread_limits(len(processors)), log)

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Return the answer to a request; raises Lost without one after `seconds`."""
        self.thaw()
        reply = super().ask(request, seconds)
        self.freeze()
        return reply

    def freeze(self) -> None:
        """Stop all threads of the process."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            self.is_frozen = True

    def thaw(self) -> None:
        """Let the threads of the process go on."""
        if self.is_frozen:
            self.process.send_signal(signal.SIGCONT)
            self.is_frozen = False


def thread_limits(threads: int) -> dict[str, str]:
    """Return the settings by which libraries take their number of threads."""
    names = (
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "TVM_NUM_THREADS",
    )
    return {
        **dict.fromkeys(names, str(threads)),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "JAX_PLATFORMS": "cpu",
        "PYTHONWARNINGS": "ignore",
    }
