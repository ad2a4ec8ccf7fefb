"""Programs that compile, link or show code: how they are run."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lxc.errors import LxcError


@dataclass(frozen=True)
class Said:
    """What a program printed, and what it said beside that."""

    printed: str
    beside: str


def run_tool(
    command: Sequence[str],
    code: str,
    folder: Path | str | None = None,
    hint: str | None = None,
) -> Said:
    """Run a program and return what it said; its failure is an error of a code."""
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
        raise LxcError(code, f"cannot run {command[0]}: {error.strerror}") from None
    said = Said(
        finished.stdout.decode("utf-8", "replace"),
        finished.stderr.decode("utf-8", "replace"),
    )
    if finished.returncode != 0:
        raise LxcError(
            code,
            f"{Path(command[0]).name} failed with status {finished.returncode}",
            actual=f"{said.printed}{said.beside}".strip()[-2000:] or None,
            hint=hint,
        )
    return said
