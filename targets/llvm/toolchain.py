"""The system's C compiler and the tools that come with it."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lxc.errors import LxcError

COMPILERS = ("cc", "gcc", "clang")
CROSS = re.compile(r"(\w+)-linux-gnu-gcc")
INSTALL = (
    "install one (Debian, Ubuntu: apt install gcc libc6-dev; Fedora: dnf install gcc; "
    "Alpine: apk add gcc musl-dev)"
)


@dataclass(frozen=True, slots=True)
class Toolchain:
    """The absolute path of a C compiler."""

    compiler: str

    def run(self, command: Sequence[str], folder: Path | None = None) -> str:
        """Run a tool and return what it printed; its failure is a coded error."""
        try:
            finished = subprocess.run(
                command,
                cwd=folder,
                env={**os.environ, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )
        except OSError as error:
            raise LxcError(
                "LXC-E0302", f"cannot run {command[0]}: {error.strerror}"
            ) from None
        if finished.returncode != 0:
            said = finished.stderr.decode("utf-8", "replace").strip()
            raise LxcError(
                "LXC-E0302",
                f"{Path(command[0]).name} failed with status {finished.returncode}",
                actual=said[-2000:] or None,
                hint="run `lxc doctor` to check the installation of the compiler",
            )
        return finished.stdout.decode("utf-8", "replace")

    def tool(self, name: str) -> str:
        """Return the path of `readelf` or another tool that belongs to the compiler."""
        return tool_path(self, name, os.environ.get("PATH"))

    def version(self) -> str:
        """Return the first line with which the compiler describes itself."""
        return self.run([self.compiler, "--version"]).partition("\n")[0].strip()


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
    """Return the toolchain of `compiler`; `cc` stands for any C compiler of the system."""
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
    package = f"gcc-{cross.group(1).replace('_', '-')}-linux-gnu" if cross else ""
    raise LxcError(
        "LXC-E0301",
        f"the C compiler {compiler} was not found",
        hint=f"install it (Debian, Ubuntu: apt install {package})" if cross else INSTALL,
    )
