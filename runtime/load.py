"""Opening a model."""

import re
from pathlib import Path

from lxc.errors import LxcError
from lxc.runtime.artifact import read
from lxc.runtime.model import CompiledModel


def load(
    source: Path | str | bytes,
    *,
    target: str | None = None,
    threads: int | None = None,
    card: int | None = None,
    require_sha256: str | None = None,
) -> CompiledModel:
    """Return the model in an artifact, a file or its bytes, ready to be called.

    The code that fits this machine best is taken, or that for `target`: code for a card if
    there is one that fits, else for the processor. `threads` is the number for calls that
    do not say, `card` the number of the only card that may be used. With `require_sha256`,
    the digest of the whole file must be this one; it is compared before any code is mapped.

    A compiled model is machine code: load only what you would run.
    """
    artifact = read(source)
    if require_sha256 is not None:
        if not re.fullmatch(r"[0-9a-fA-F]{64}", require_sha256):
            raise LxcError("LXC-E0001", "require_sha256 is not a digest of 64 hex digits")
        if artifact.sha256 != require_sha256.lower():
            raise LxcError(
                "LXC-E0404",
                f"{artifact.name} is not the file that was asked for",
                expected=f"SHA-256 {require_sha256.lower()}",
                actual=f"SHA-256 {artifact.sha256}",
            )
    return CompiledModel(artifact, target=target, threads=threads, card=card)
