"""The folder that `lxc compile --emit c-bundle` writes."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lxc.commands.screen import bytes_text
from lxc.commands.written import Written
from lxc.errors import LxcError
from lxc.runtime.files import write_atomically
from lxc.runtime.signature import identifier

C_BUNDLE = "c-bundle"


def check_folder(folder: Path | None, name: str, *, force: bool) -> None:
    """Refuse a folder that cannot be written, or holds more than an earlier bundle.

    Without `force`, what lies in a folder without the header of the model `name` stays.
    """
    if folder is None:
        raise LxcError("LXC-E0001", "the folder to write is not given", hint="-o net")
    if folder.exists() and not folder.is_dir():
        raise LxcError("LXC-E0408", f"{folder} is a file, and a bundle is a folder")
    header = folder / f"{identifier(name)}.h"
    if folder.is_dir() and any(folder.iterdir()) and not force and not is_ours(header):
        raise LxcError(
            "LXC-E0408",
            f"{folder} holds other files than a bundle of this name",
            hint="choose another folder, or pass --force to write into it",
        )


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder, each as a whole or not at all."""
    try:
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            write_atomically(folder / name, [content])
    except OSError as error:
        raise LxcError("LXC-E0002", f"cannot write {folder}: {error.strerror}") from None


def is_ours(header: Path) -> bool:
    """Tell whether a file is the header of a model."""
    try:
        with header.open("rb") as stream:
            return stream.readline().endswith(b"_LXC_H\n")
    except OSError:
        return False


def written_folder(
    folder: Path, files: Mapping[str, bytes], target: str, mode: str
) -> Written:
    """Return what is to be said of a folder that was written."""
    described: dict[str, Any] = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    }
    return Written(
        {"bundle": str(folder), "files": described, "target": target, "mode": mode},
        [("bundle", folder), ("target", target), ("mode", mode)],
        [f"  {name} ({bytes_text(len(content))})" for name, content in files.items()],
    )
