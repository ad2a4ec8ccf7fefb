"""The compilers for cards: nvcc where it is installed, else NVRTC from a Python package."""

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Protocol

from lxc.errors import LxcError
from lxc.targets.cuda.architectures import Architecture
from lxc.targets.cuda.nvrtc import Nvrtc, cuda_of
from lxc.targets.tool import run_tool

INSTALL_NVRTC = "pip install nvidia-cuda-nvrtc"
INSTALL_DISASSEMBLER = "pip install nvidia-cuda-nvdisasm"
NVRTC_PACKAGES = ("nvidia-cuda-nvrtc", "nvidia-cuda-nvrtc-cu12")
DISASSEMBLER_PACKAGES = ("nvidia-cuda-nvdisasm",)

FLAGS = ("-std=c++17", "-ftz=false", "-prec-div=true", "-prec-sqrt=true", "-fmad=true")
"""Denormals stay, quotients and roots are rounded right, and products that go into sums
become one instruction, as in code for processors.
"""


RELEASE = re.compile(r"\bV(\d+(?:\.\d+)*)")


class DeviceCompiler(Protocol):
    """What makes machine code for cards of CUDA C++."""

    def compile(self, source: str, architecture: Architecture) -> tuple[bytes, str]:
        """Return an image, and what the assembler said."""

    def version(self) -> str:
        """Return name and version in one line."""

    def driver(self) -> int:
        """Return the version of CUDA that it is of: 13010 for 13.1."""


@dataclass(frozen=True)
class Nvcc:
    """NVIDIA's compiler as a program."""

    path: str

    def compile(self, source: str, architecture: Architecture) -> tuple[bytes, str]:
        """Return an image, and what the assembler said."""
        kind = "ptx" if architecture.is_text else "cubin"
        command = [self.path, f"-{kind}", f"-arch={architecture.name}", *FLAGS, "-w"]
        command += [] if architecture.is_text else ["-Xptxas", "-v"]
        with tempfile.TemporaryDirectory(prefix="lxc-cuda-") as folder:
            (Path(folder) / "model.cu").write_text(source, encoding="ascii")
            said = run([*command, "-o", "image", "model.cu"], folder)
            return (Path(folder) / "image").read_bytes(), said

    def version(self) -> str:
        """Return name and version in one line."""
        return f"nvcc {'.'.join(self.numbers())}"

    def driver(self) -> int:
        """Return the version of CUDA that it is of: 13010 for 13.1."""
        major, minor, *_ = map(int, [*self.numbers(), "0"])
        return cuda_of(major, minor)

    def numbers(self) -> list[str]:
        """Return the parts of the version."""
        found = RELEASE.search(run([self.path, "--version"]))
        if found is None:
            raise LxcError("LXC-E0310", "nvcc does not say which version it is")
        return found[1].split(".")


def find_device_compiler(
    programs: str | None = None, packages: Sequence[str] | None = None
) -> DeviceCompiler:
    """Return the compiler for cards that is used; see `device_compilers`."""
    for compiler in device_compilers(programs, packages):
        return compiler
    raise LxcError(
        "LXC-E0309",
        "no compiler for cards was found (looked for nvcc and for NVRTC)",
        hint=f"{INSTALL_NVRTC}, or put the nvcc of a CUDA toolkit on the PATH",
    )


def device_compilers(
    programs: str | None = None, packages: Sequence[str] | None = None
) -> Iterator[DeviceCompiler]:
    """Yield the compilers for cards that there are, of which nvcc comes first.

    `programs` are the folders to look for it, those of PATH by default, and `packages`
    those for packages of Python.
    """
    nvcc = shutil.which("nvcc", path=programs)
    if nvcc is not None:
        yield Nvcc(nvcc)
    library = packaged("libnvrtc.so", NVRTC_PACKAGES, packages)
    if library is not None:
        yield loaded(library)


@cache
def loaded(library: Path) -> Nvrtc:
    """Return NVRTC, mapped once in a process."""
    return Nvrtc(library, FLAGS)


def disassembled(
    image: bytes, programs: str | None = None, packages: Sequence[str] | None = None
) -> str:
    """Return the instructions of an image as text."""
    found = shutil.which("nvdisasm", path=programs)
    path = found or packaged("nvdisasm", DISASSEMBLER_PACKAGES, packages)
    if path is None:
        raise LxcError(
            "LXC-E0309",
            "nvdisasm, which shows the instructions of a card, was not found",
            hint=f"{INSTALL_DISASSEMBLER}, or put that of a CUDA toolkit on the PATH",
        )
    with tempfile.TemporaryDirectory(prefix="lxc-cuda-") as folder:
        (Path(folder) / "model.cubin").write_bytes(image)
        return run([str(path), "--print-code", "model.cubin"], folder)


def packaged(
    start: str, names: Sequence[str], packages: Sequence[str] | None
) -> Path | None:
    """Return a file of one of several packages whose name starts in a way."""
    places = [*(sys.path if packages is None else packages)]
    for name in names:
        for one in metadata.distributions(name=name, path=places):
            for file in one.files or ():
                path = Path(str(one.locate_file(file)))
                if file.name.startswith(start) and path.is_file():
                    return path
    return None


def run(command: Sequence[str], folder: str | None = None) -> str:
    """Run a tool and return all that it said; its failure is a coded error."""
    said = run_tool(command, "LXC-E0310", folder)
    return said.printed + said.beside
