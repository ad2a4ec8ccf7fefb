"""The artifact: one file with the code, the signature and, if wanted, values of a model.

`write` makes the bytes of an artifact and `read` opens one. Reading parses only: it lays
out the container again, checks every rule of the manifest and compares names and lengths,
but maps no code. The contents of a member are compared with the digest in the manifest when
the member is first asked for.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zlib import crc32

from lxc.errors import LxcError
from lxc.runtime.container import Entry, damaged, pack, unpack
from lxc.runtime.contents import Contents, FileContents, MemoryContents
from lxc.runtime.files import write_atomically
from lxc.runtime.manifest import (
    LARGEST_MANIFEST,
    Manifest,
    MemberRecord,
    TargetRecord,
    manifest_from_bytes,
)
from lxc.runtime.signature import Signature

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Artifact:
    """An opened artifact: its manifest, and its members on request.

    `name` is what error messages call it. `verified` collects the members whose contents
    have been compared with their digest.
    """

    name: str
    manifest: Manifest
    entries: Mapping[str, Entry] = field(repr=False)
    contents: Contents = field(repr=False)
    verified: set[str] = field(repr=False, default_factory=set)

    @property
    def signature(self) -> Signature:
        """What the model takes and returns."""
        return self.manifest.signature

    @property
    def targets(self) -> tuple[TargetRecord, ...]:
        """The targets that there is code for, the best one last."""
        return self.manifest.targets

    @property
    def size(self) -> int:
        """The length of the whole file."""
        return self.contents.size

    @property
    def sha256(self) -> str:
        """The digest of the whole file."""
        return hashlib.sha256(self.contents.view).hexdigest()

    def __contains__(self, member: str) -> bool:
        """Tell whether there is such a member."""
        return member in self.entries

    def view(self, member: str) -> memoryview:
        """Return the contents of `member` without a copy, after comparing their digest."""
        entry = self.entries[member]
        found = self.contents.view[entry.offset : entry.offset + entry.length]
        if member not in self.verified:
            compare(member, found, self.manifest.members[member])
            self.verified.add(member)
        return found

    def read(self, member: str) -> bytes:
        """Return a copy of `member`, after comparing the digest of this very copy."""
        entry = self.entries[member]
        copy = self.contents.section(entry.offset, entry.length)
        compare(member, copy, self.manifest.members[member])
        return copy

    def length(self, member: str) -> int:
        """Return the length of `member`."""
        return self.entries[member].length

    def verify(self) -> None:
        """Compare the contents of every member with its digest."""
        for member in self.manifest.members:
            self.view(member)

    def with_members(
        self, members: Mapping[str, bytes], options: Mapping[str, Any] | None = None
    ) -> bytes:
        """Return the bytes of an artifact with members and options added or replaced."""
        kept = {name: self.read(name) for name in self.manifest.members}
        told = {**self.manifest.options, **(options or {})}
        return assemble(replace(self.manifest, options=told), {**kept, **members})


def compare(member: str, contents: bytes | memoryview, promised: MemberRecord) -> None:
    """Refuse `contents` that are not those that the manifest recorded."""
    if hashlib.sha256(contents).hexdigest() != promised.sha256:
        raise LxcError(
            "LXC-E0404",
            f"the artifact is damaged: {member} is not what was written",
            hint="copy or compile it again",
        )


def write(
    path: Path | str | None,
    *,
    signature: Signature,
    targets: Sequence[TargetRecord],
    members: Mapping[str, bytes],
    options: Mapping[str, Any] | None = None,
    versions: Mapping[str, Any] | None = None,
    memory: Mapping[str, Any] | None = None,
    force: bool = False,
) -> bytes:
    """Return the bytes of an artifact, and put them into the file `path` if there is one.

    `targets` are in ascending order of preference; `members` has `code/<target>/model.so`
    for each and any other member but the manifest. The result depends on the arguments
    only.
    """
    described = Manifest(
        signature, tuple(targets), {}, options or {}, versions or {}, memory or {}
    )
    encoded = assemble(described, members)
    if path is not None:
        store(Path(path), encoded, force=force)
    return encoded


def assemble(described: Manifest, members: Mapping[str, bytes]) -> bytes:
    """Return the bytes of an artifact with `members` and a manifest that records them."""
    records = {
        name: MemberRecord(hashlib.sha256(contents).hexdigest(), len(contents))
        for name, contents in sorted(members.items())
    }
    manifest = replace(described, members=records).to_bytes()
    manifest_from_bytes(manifest)
    return pack({**members, MANIFEST: manifest})


def store(path: Path, encoded: bytes, *, force: bool = False) -> None:
    """Put the bytes of an artifact into `path` atomically.

    Without `force`, a file that is there and is not an artifact stays as it is.
    """
    if path.is_dir() or (path.exists() and not path.is_file()):
        raise LxcError("LXC-E0408", f"{path} is not a regular file and cannot be replaced")
    if path.exists() and not force and not is_artifact(path):
        raise LxcError(
            "LXC-E0408",
            f"{path} exists and is not an lxc artifact",
            hint="choose another name, or pass force=True (--force) to replace it",
        )
    try:
        write_atomically(path, [encoded])
    except OSError as error:
        raise LxcError("LXC-E0002", f"cannot write {path}: {error.strerror}") from None


def is_artifact(path: Path) -> bool:
    """Tell whether the file `path` is an artifact, of any format, or empty."""
    try:
        return path.stat().st_size == 0 or bool(read(path))
    except LxcError as error:
        return error.code == "LXC-E0403"


def read(source: Path | str | bytes) -> Artifact:
    """Return the artifact in a file, or in bytes, after checking all but the members."""
    if isinstance(source, bytes):
        return parse("the artifact", MemoryContents(source))
    path = Path(source)
    return parse(path.name, FileContents(path))


def parse(name: str, contents: Contents) -> Artifact:
    """Check container and manifest and return the artifact."""
    entries = unpack(contents.section, contents.size)
    entry = entries.pop(MANIFEST, None)
    if entry is None or entry.length > LARGEST_MANIFEST:
        raise damaged("it has no manifest, or one that is too large")
    encoded = contents.section(entry.offset, entry.length)
    if crc32(encoded) != entry.crc:
        raise damaged("its manifest is not what was written")
    manifest = manifest_from_bytes(encoded)
    recorded = {name: record.length for name, record in manifest.members.items()}
    if recorded != {name: entry.length for name, entry in entries.items()}:
        raise damaged("its members are not those that its manifest lists")
    return Artifact(name, manifest, entries, contents)
