"""The loops in C that time calls from C."""

import ctypes
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")


def loops(folder: Path) -> ctypes.CDLL:
    """Return the library with the loops, compiled into a folder."""
    path = folder / "c_loop.so"
    if not path.exists():
        flags = ["-O2", "-shared", "-fPIC"]
        subprocess.run(["cc", *flags, "-o", str(path), str(SOURCE)], check=True)
    library = ctypes.CDLL(str(path))
    library.time_model.restype = library.time_session.restype = ctypes.c_double
    library.time_model.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
    return library


def checked(seconds: float) -> float:
    """Return the seconds of a loop in which no call failed."""
    if seconds < 0:
        raise RuntimeError("a call from C failed")
    return seconds
