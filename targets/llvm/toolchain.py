"""The system's C compiler and the tools that come with it."""

import os
import platform
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from lxc.errors import LxcError
from lxc.targets.tool import run_tool

COMPILERS = ("cc", "gcc", "clang")
CROSS = re.compile(r"(\w+)-linux-gnu-gcc")
ARCHITECTURES = {"aarch64": "arm64", "x86_64": "amd64"}
"""Debian's names of processors where they are others in the names of its packages."""
INSTALL = (
    "install one (Debian, Ubuntu: apt install gcc libc6-dev; Fedora: dnf install gcc; "
    "Alpine: apk add gcc musl-dev)"
)
ZIG = "ziglang"


@dataclass(frozen=True, slots=True)
class Toolchain:
    """The absolute path of a C compiler, and the words that make it compile for a target.

    There are words if it is zig, which brings the C libraries of many targets.
    """

    compiler: str
    words: tuple[str, ...] = ()

    @property
    def command(self) -> list[str]:
        """The beginning of every command that compiles or links."""
        return [self.compiler, *self.words]

    def stripping(self, source: str, result: str) -> list[str]:
        """Return the command that copies an object without what only a debugger reads."""
        # The objcopy of zig takes no objects.
        if self.words:
            link = [*self.command, "-r", "-nostdlib", "-Wl,--strip-debug"]
            return [*link, "-o", result, source]
        return [*self.tool("objcopy"), "--strip-debug", source, result]

    def run(self, command: Sequence[str], folder: Path | None = None) -> str:
        """Run a tool and return what it printed; its failure is a coded error."""
        hint = "run `lxc doctor` to check the installation of the compiler"
        return run_tool(command, "LXC-E0302", folder, hint).printed

    def tool(self, name: str) -> list[str]:
        """Return the beginning of commands of `ar`, `objcopy` or another tool."""
        if self.words:
            return [self.compiler, name]
        return [tool_path(self, name, os.environ.get("PATH"))]

    def version(self) -> str:
        """Return the first line with which the compiler describes itself."""
        said = self.run([*self.command, "--version"]).partition("\n")[0].strip()
        return f"zig {metadata.version(ZIG)}: {said}" if self.words else said


@cache
def tool_path(toolchain: Toolchain, name: str, places: str | None) -> str:
    """Return where a tool lies: the compiler is asked once in a process."""
    named = toolchain.run([toolchain.compiler, f"-print-prog-name={name}"]).strip()
    found = (shutil.which(one, path=places) for one in (named, name, f"llvm-{name}"))
    path = next(filter(None, found), None)
    if path is None:
        raise LxcError(
            "LXC-E0301",
            f"the C compiler is there, but {name} is not",
            hint="install binutils (Debian, Ubuntu: apt install binutils)",
        )
    return path


def compiler_for(triple: str) -> str:
    """Return the name of the C compiler that makes code for a triple on this machine."""
    architecture = triple.partition("-")[0]
    if architecture == platform.machine():
        return "cc"
    return f"{architecture}-linux-gnu-gcc"


def find_toolchain(compiler: str = "cc") -> Toolchain:
    """Return the toolchain of `compiler`; `cc` stands for any C compiler of the system.

    Where a cross compiler is not installed, zig stands in for it.
    """
    for candidate in COMPILERS if compiler == "cc" else (compiler,):
        path = shutil.which(candidate)
        if path is not None:
            return Toolchain(path)
    if compiler == "cc":
        raise LxcError(
            "LXC-E0301",
            f"no C compiler was found (looked for {', '.join(COMPILERS)})",
            hint=INSTALL,
        )
    cross = CROSS.fullmatch(compiler)
    if cross and (zig := zig_program()):
        return Toolchain(zig, ("cc", "-target", f"{cross.group(1)}-linux-gnu"))
    raise LxcError(
        "LXC-E0301",
        f"the C compiler {compiler} was not found",
        hint=f"install it ({remedy(cross.group(1))})" if cross else INSTALL,
    )


def zig_program() -> str | None:
    """Return the program of the Python package ziglang, None if it is not installed."""
    package = find_spec(ZIG)
    if package is None or package.origin is None:
        return None
    program = Path(package.origin).with_name("zig")
    return str(program) if program.is_file() else None


def remedy(architecture: str) -> str:
    """Return the commands that install what links code for another architecture."""
    gcc = f"gcc-{architecture.replace('_', '-')}-linux-gnu"
    library = f"libc6-dev-{ARCHITECTURES.get(architecture, architecture)}-cross"
    return f"Debian, Ubuntu: apt install {gcc} {library}; anywhere: pip install ziglang"
