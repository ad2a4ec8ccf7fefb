"""The system's C compiler and the tools that come with it."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lxc.errors import LxcError

COMPILERS = ("cc", "gcc", "clang")


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
        named = self.run([self.compiler, f"-print-prog-name={name}"]).strip()
        path = shutil.which(named) or shutil.which(name) or shutil.which(f"llvm-{name}")
        if path is None:
            raise LxcError(
                "LXC-E0301",
                f"the C compiler is there, but {name} is not",
                hint="install binutils (Debian, Ubuntu: apt install binutils)",
            )
        return path

    def version(self) -> str:
        """Return the first line with which the compiler describes itself."""
        return self.run([self.compiler, "--version"]).partition("\n")[0].strip()


def find_toolchain(compiler: str = "cc") -> Toolchain:
    """Return the toolchain of `compiler`; `cc` stands for any C compiler of the system."""
    for candidate in COMPILERS if compiler == "cc" else (compiler,):
        path = shutil.which(candidate)
        if path is not None:
            return Toolchain(path)
    raise LxcError(
        "LXC-E0301",
        f"no C compiler was found (looked for {', '.join(COMPILERS)})"
        if compiler == "cc"
        else f"the C compiler {compiler} was not found",
        hint="install one (Debian, Ubuntu: apt install gcc libc6-dev; "
        "Fedora: dnf install gcc; Alpine: apk add gcc musl-dev)",
    )
