"""Files that appear complete or not at all."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

TEMPORARY_PREFIX = ".lxc-partial-"


def write_atomically(path: Path, parts: Iterable[bytes]) -> None:
    """Put `parts` into the file `path` in one step that survives a crash at any moment.

    The bytes go to a new file in the same folder first; the mode of the result follows the
    umask. A process that is killed leaves at most a file with `TEMPORARY_PREFIX`, which the
    next write to the same path removes.
    """
    folder = path.parent
    prefix = f"{TEMPORARY_PREFIX}{path.name[:64]}-"
    remove_leftovers(folder, prefix)
    temporary = folder / f"{prefix}{os.getpid()}-{secrets.token_hex(8)}"
    descriptor = os.open(
        temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666
    )
    try:
        with open(descriptor, "wb") as stream:
            for part in parts:
                stream.write(part)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(folder)


def remove_leftovers(folder: Path, prefix: str) -> None:
    """Remove the partial files of writers of the same path that no longer run."""
    for leftover in folder.glob(f"{prefix.replace('[', '[[]')}*"):
        writer = leftover.name.removeprefix(prefix).partition("-")[0]
        if writer.isdecimal() and not Path("/proc", writer).exists():
            leftover.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the new name in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
