"""A card that is not there: kernels are compiled for this processor, by a C++ compiler.

A library of tests stands in for NVIDIA's driver. It runs one block after the other, unless
they wait for each other, and the threads of a block in turns.
"""

import ctypes
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from unittest.mock import patch

import pytest

from lxc.targets import TARGETS
from lxc.targets.cuda.architectures import SM_90, Architecture
from lxc.targets.cuda.compiled import Cards
from lxc.targets.cuda.device_code import DeviceSource
from lxc.targets.cuda.images import Image
from lxc.targets.nvidia import CARDS
from lxc.targets.target import Target

HERE = Path(__file__).parent
DEVICE = ("device.h", "intrinsics.h")
FLAGS = (
    *("-std=c++17", "-O0", "-w", "-ffp-contract=off", "-fno-strict-aliasing"),
    *("-U_FORTIFY_SOURCE", "-fPIC", "-pthread"),
)
MEETING = re.compile(
    r"\blxc_(barrier|warp_barrier|shuffle\w*|any_lane|load_matrices\w*"
    r"|multiply_(bf16|f16|tf32))\("
)
"""Calls that threads execute together."""

GRID_MEETING = "lxc_grid_barrier("
"""The call that blocks execute together."""

DEFINITION = re.compile(
    r'extern "C" __global__ void __launch_bounds__\(\d+\)\s+(\w+)\([^;{]*\) \{'
)
SHARED = re.compile(r"extern __shared__ [^;]*?\b(\w+)\[\];")
SHARED_BYTES = 227 << 10
"""What a block may have of the largest card."""


@dataclass(frozen=True)
class Emulation:
    """Makes images that are libraries for this processor."""

    def images(
        self, source: DeviceSource, architectures: Sequence[Architecture]
    ) -> tuple[Image, ...]:
        """Return the kernels as the images of cards."""
        content = compiled(program(source.kernels))
        return tuple(Image(one, content) for one in architectures)

    def version(self) -> str:
        """Return what compiles the kernels."""
        return "c++"

    def driver(self) -> int:
        """Return 0: any driver of these tests will do."""
        return 0

    def lacks(self) -> dict[str, str]:
        """Return nothing: a test without a C++ compiler is skipped."""
        return {}


def program(kernels: str) -> str:
    """Return a C++ program with all kernels and what launches each of them."""
    starts = [*DEFINITION.finditer(kernels)]
    ends = [*(start.start() for start in starts[1:]), len(kernels)]
    launchers = []
    for start, end in zip(starts, ends, strict=True):
        meets = int(bool(MEETING.search(kernels, start.end(), end)))
        meets = 2 if GRID_MEETING in kernels[start.end() : end] else meets
        launchers.append(f"LXC_LAUNCHER({start[1]}, {meets})")
    shared = [
        f"alignas(128) thread_local uchar {name}[{SHARED_BYTES}];"
        for name in sorted(set(SHARED.findall(kernels)))
    ]
    return "\n".join([*shared, kernels, *launchers, ""])


def compiled(text: str) -> bytes:
    """Return a C++ program as a library."""
    if shutil.which("c++") is None:
        pytest.skip("kernels for cards are emulated by a C++ compiler: there is no c++")
    with tempfile.TemporaryDirectory(prefix="lxc-card-") as name:
        folder = Path(name)
        (folder / "kernels.cpp").write_text(text, "ascii")
        header = Path(read_already().name) / "device.h"
        command = ["c++", *FLAGS, "-shared", "-include", str(header)]
        command += ["-o", "kernels.so", "kernels.cpp"]
        made = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr[:4000]
        return (folder / "kernels.so").read_bytes()


@cache
def read_already() -> tempfile.TemporaryDirectory[str]:
    """Return a folder with `device.h` as the compiler keeps it, which takes it as read."""
    kept = tempfile.TemporaryDirectory(prefix="lxc-device-")
    folder = Path(kept.name)
    text = "".join((HERE / name).read_text("ascii") for name in DEVICE)
    (folder / "device.h").write_text(text, "ascii")
    command = ["c++", *FLAGS, "-x", "c++-header", "-o", "device.h.gch", "device.h"]
    subprocess.run(command, cwd=folder, check=True)
    return kept


def emulated(target: Target) -> Target:
    """Return a target for cards whose kernels this processor can run."""
    assert isinstance(target.back_end, Cards)
    back_end = replace(target.back_end, architectures=(SM_90,), maker=Emulation())
    return replace(target, back_end=back_end)


@contextmanager
def emulation() -> Iterator[None]:
    """Let what is compiled for cards inside run on this processor."""
    driver()
    with patch.dict(TARGETS, {target.name: emulated(target) for target in CARDS}):
        yield


@cache
def driver() -> ctypes.CDLL:
    """Return the driver, which everything in this process finds from now on."""
    with tempfile.TemporaryDirectory(prefix="lxc-driver-") as folder:
        return ctypes.CDLL(str(built_driver(Path(folder))), mode=ctypes.RTLD_GLOBAL)


def built_driver(folder: Path) -> Path:
    """Return the file of the driver, made in a folder."""
    library = folder / "libcuda.so.1"
    command = ["cc", "-O1", "-fPIC", "-shared", f"-Wl,-soname,{library.name}"]
    subprocess.run([*command, "-o", library, HERE / "driver.c", "-ldl"], check=True)
    return library
