"""What an installation needs to compile and run a model, checked for real.

The compiler is examined in other processes: a broken TVM fails when it is imported, and may
take its process with it.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from lxc.runtime.cards.machine import find_cards
from lxc.runtime.features import this_machine

PACKAGES = ("numpy", "ml_dtypes", "safetensors", "click", "networkx", "rich")
OLDEST_PYTHON = (3, 11)
COMPILERS = ("cc", "gcc", "clang")
INSTALL_COMPILER = "apt install gcc libc6-dev (Debian, Ubuntu), dnf install gcc (Fedora)"
INSTALL_CARD_COMPILER = "pip install nvidia-cuda-nvrtc"
INSTALL_DRIVER = "apt install nvidia-driver (Debian), or from nvidia.com/drivers"
PROBE = "#include <stdint.h>\n#include <stdlib.h>\nint64_t probe(void) { return 1; }\n"
PATIENCE = 120


@dataclass(frozen=True)
class Finding:
    """What a check found: whether it is fine, what is there, and how to repair it.

    What is `absent` although all is fine is of use for some targets only.
    """

    name: str
    fine: bool
    found: str
    fix: str = ""
    absent: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the fields for `json`."""
        return asdict(self)


def check_python() -> Finding:
    """Check the version of Python."""
    fine = sys.version_info >= OLDEST_PYTHON
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return Finding("Python", fine, platform.python_version(), f"install Python {wanted}")


def check_packages() -> Finding:
    """Check that every package but TVM is there."""
    found: list[str] = []
    missing: list[str] = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    fix = f"pip install {' '.join(missing)}"
    words = [*found, *(f"{name} missing" for name in missing)]
    return Finding("packages", not missing, ", ".join(words), fix)


def check_tvm(targets: subprocess.CompletedProcess[str]) -> Finding:
    """Check that the pair of TVM packages is the one that works; it was imported."""
    found = ", ".join(f"{n} {version_of(n)}" for n in ("apache-tvm", "apache-tvm-ffi"))
    if targets.returncode == 0:
        return Finding("TVM", True, found)
    return Finding("TVM", False, f"{found}: {first_line(targets)}", hint_in(targets.stderr))


def version_of(package: str) -> str:
    """Return the installed version of a package, or a word for none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"


def check_compiler() -> Finding:
    """Check that a C compiler makes a shared library."""
    path = next((found for name in COMPILERS if (found := shutil.which(name))), None)
    if path is None:
        looked = f"none of {', '.join(COMPILERS)}"
        return Finding("C compiler", False, looked, INSTALL_COMPILER)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "probe.c"
        source.write_text(PROBE)
        command = [
            path,
            "-shared",
            "-fPIC",
            "-o",
            str(source.with_suffix(".so")),
            str(source),
        ]
        finished = run_command(command)
    if finished.returncode != 0:
        found = f"{path} fails: {first_line(finished)}"
        return Finding("C compiler", False, found, INSTALL_COMPILER)
    version = run_command([path, "--version"]).stdout.partition("\n")[0]
    return Finding("C compiler", True, f"{version} ({path})")


def check_processor(targets: subprocess.CompletedProcess[str]) -> Finding:
    """Check that code for some target runs on this processor."""
    here = this_machine()
    found = f"{here.architecture} with {len(here.features)} features"
    if targets.returncode != 0:
        return Finding("processor", False, f"{found}, targets unknown", "repair TVM first")
    rows = json.loads(targets.stdout)["targets"]
    names = [row["name"] for row in rows if row["runs"]]
    words = f"{found}, runs {', '.join(names) or 'no target'}"
    fix = "run compiled models on an x86-64 machine with SSE4.2 or newer"
    return Finding("processor", bool(names), words, fix)


def check_card_compilers() -> Finding:
    """Look for the compilers that targets for cards need."""
    finished = run_python("-m", "lxc.commands.card_compilers")
    name, found = "compilers for cards", ", ".join(finished.stdout.splitlines())
    if finished.returncode != 0:
        fix = hint_in(finished.stderr) or "repair TVM first"
        return Finding(name, True, first_line(finished), fix, absent=True)
    if not found:
        words = "neither nvcc nor NVRTC, of which targets for cards need one"
        return Finding(name, True, words, INSTALL_CARD_COMPILER, absent=True)
    return Finding(name, True, found)


def check_cards() -> Finding:
    """Look for cards that compiled models could run on."""
    cards = find_cards(None)
    absent = bool(cards.problem)
    return Finding("cards", True, str(cards), INSTALL_DRIVER if absent else "", absent)


def check_trial() -> Finding:
    """Check that a small model compiles, runs, and gives the right numbers."""
    finished = run_python("-m", "lxc.commands.trial")
    if finished.returncode == 0:
        return Finding("compile and run", True, finished.stdout.strip())
    fix = hint_in(finished.stderr) or "repair what is marked above, then run it again"
    return Finding("compile and run", False, first_line(finished), fix)


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this Python with this lxc, which may be a clone that is not installed."""
    paths = [str(Path(__file__).parents[2]), *os.environ.get("PYTHONPATH", "").split(":")]
    environment = {**os.environ, "PYTHONPATH": ":".join(filter(None, paths))}
    return run_command([sys.executable, "-P", *arguments], environment)


def run_command(
    command: list[str], environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, or until patience ends."""
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"no end within {PATIENCE} s")
    except OSError as error:
        return subprocess.CompletedProcess(command, 1, "", str(error.strerror))


def first_line(finished: subprocess.CompletedProcess[str]) -> str:
    """Return what a failed command said first, or how it ended."""
    said = finished.stderr.strip().partition("\n")[0]
    return said or f"it ended with status {finished.returncode}"


def hint_in(printed: str) -> str:
    """Return the hint of a printed error, or nothing."""
    for line in printed.splitlines():
        if line.strip().startswith("hint:"):
            return line.partition(":")[2].strip()
    return ""


def findings() -> Iterator[Finding]:
    """Yield what each check finds, the quick ones first."""
    yield check_python()
    yield check_packages()
    yield check_compiler()
    targets = run_python("-m", "lxc", "targets", "--json")
    yield check_tvm(targets)
    yield check_processor(targets)
    yield check_card_compilers()
    yield check_cards()
    yield check_trial()
