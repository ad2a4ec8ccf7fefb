"""The compiler itself, as a digest: code of another lxc is never taken for its own."""

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from lxc import __version__

PACKAGES = ("lxc.ir", "lxc.passes", "lxc.runtime", "lxc.targets")
"""What compiled code depends on; the layers, by the graph alone."""
KINDS = (".py", ".c", ".h")


@cache
def compiler_digest() -> str:
    """Return the SHA-256 of all files that make code from graphs.

    The version alone would not do: a checkout changes without it.
    """
    found = hashlib.sha256(__version__.encode())
    for package in PACKAGES:
        for path in files_of(package):
            contents = path.read_bytes()
            found.update(f"{package} {path.name} {len(contents)}\n".encode() + contents)
    return found.hexdigest()


def files_of(package: str) -> list[Path]:
    """Return the source files of a package and those in it, in one order everywhere."""
    spec = find_spec(package)
    folders = (spec and spec.submodule_search_locations) or ()
    found = (path for folder in folders for path in Path(folder).rglob("*"))
    return sorted(path for path in found if path.suffix in KINDS and path.is_file())
