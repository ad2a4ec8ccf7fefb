"""The files of a cache: what there is, and what gives way when there is too much."""

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lxc.runtime.files import TEMPORARY_PREFIX

SUFFIX = ".part"
MOST_BYTES = 1_000_000_000
"""What a folder may hold; the entries that nobody used for longest give way."""
SHARED = stat.S_IWGRP | stat.S_IWOTH


def usual_folder() -> Path | None:
    """Return the folder of this user, or None for a user without a home."""
    try:
        return Path.home() / ".cache" / "lxc"
    except RuntimeError:
        return None


@dataclass(frozen=True)
class Entry:
    """One file of a cache: its size, and when it was last used, in seconds since 1970."""

    path: Path
    bytes: int
    used: float


@dataclass(frozen=True)
class Folder:
    """A folder with entries, which other processes may use at the same time."""

    path: Path

    @property
    def refusal(self) -> str | None:
        """Why nothing in the folder can be trusted, or None. Code in it would be run."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        if found.st_uid != os.getuid():
            return f"{self.path} belongs to somebody else"
        if found.st_mode & SHARED:
            return f"others may write to {self.path}"
        return None

    def entries(self) -> list[Entry]:
        """Return what there is, the longest unused first.

        What a killed writer left counts too, so that it gives way like the rest.
        """
        found = []
        partial = self.path.glob(f"{TEMPORARY_PREFIX}*")
        for path in (*self.path.glob(f"*{SUFFIX}"), *partial):
            with suppress(OSError):
                facts = path.stat()
                found.append(Entry(path, facts.st_size, facts.st_mtime))
        return sorted(found, key=lambda entry: (entry.used, entry.path.name))

    def shrink(self, most_bytes: int, unused_since: float = 0.0) -> list[Entry]:
        """Remove entries unused since a time, and the oldest until the rest is small.

        `most_bytes` is what may be left. Return what was removed.
        """
        entries = self.entries()
        left = sum(entry.bytes for entry in entries)
        removed = []
        for entry in entries:
            if entry.used < unused_since or left > most_bytes:
                remove(entry.path)
                removed.append(entry)
                left -= entry.bytes
        return removed


def remove(path: Path) -> None:
    """Remove an entry, if that is possible."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
