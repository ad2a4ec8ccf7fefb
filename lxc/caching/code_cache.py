"""A folder with compiled code, found again by everything that it depends on.

The name of an entry has a short digest for each thing that the code was made from, which
tells why something is not there, and a whole one for all of them together. The contents
guard themselves: what is damaged is a miss. Any number of processes may use one folder,
since a file appears whole or not at all. Nothing here fails a compile: what cannot be read
is a miss, and what cannot be written is not kept.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import eq
from pathlib import Path

from lxc.caching.folder import MOST_BYTES, SUFFIX, Folder, remove
from lxc.caching.sources import compiler_digest
from lxc.errors import LxcError
from lxc.runtime.files import write_atomically
from lxc.targets.part import Part, digest, part_from

SHORT = 8


def quiet(line: str) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class CodeCache:
    """Compiled code in a folder, at most `most_bytes` of it; `say` hears of each use."""

    path: Path
    most_bytes: int = MOST_BYTES
    say: Callable[[str], None] = field(default=quiet, compare=False)

    @property
    def folder(self) -> Folder:
        """The files."""
        return Folder(self.path)

    def find(self, wanted: Mapping[str, str]) -> Part | None:
        """Return what was kept for exactly this, if anything was."""
        if refusal := self.folder.refusal:
            self.say(f"the cache is not used: {refusal}")
            return None
        path = self.path_of(wanted)
        try:
            part = part_from(path.read_bytes())
            os.utime(path)
        except FileNotFoundError:
            self.say(f"not in the cache: {self.reason(wanted)}")
            return None
        except (LxcError, OSError, ValueError, LookupError):
            self.say("not in the cache: the entry is damaged")
            remove(path)
            return None
        self.say(f"code for {part.record.name} is from the cache")
        return part

    def keep(self, wanted: Mapping[str, str], part: Part) -> None:
        """Keep a part, and let go of old ones where there are too many bytes."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.folder.refusal:
                return
            write_atomically(self.path_of(wanted), [part.to_bytes()])
        except OSError as problem:
            self.say(f"the cache is not written: {problem.strerror}")
            return
        self.folder.shrink(self.most_bytes)

    def path_of(self, wanted: Mapping[str, str]) -> Path:
        """Return where the code for something is kept."""
        named = (f"{name}={value}" for name, value in sorted(wanted.items()))
        whole = digest(compiler_digest(), *named)
        return self.path / "-".join([*short_names(wanted), f"{whole}{SUFFIX}"])

    def reason(self, wanted: Mapping[str, str]) -> str:
        """Return what is different from the entry that is most alike."""
        names = short_names(wanted)
        known = [entry.path.name.split("-") for entry in self.folder.entries()]
        if not known:
            return "it is empty"
        nearest = max(known, key=lambda name: sum(map(eq, name, names)))
        triples = zip(sorted(wanted), names, nearest, strict=False)
        others = [f"another {what}" for what, new, old in triples if new != old]
        return ", ".join(others) or "lxc itself has changed"


def short_names(wanted: Mapping[str, str]) -> list[str]:
    """Return a short digest of each thing, in one order."""
    return [value[:SHORT] for _, value in sorted(wanted.items())]
