"""The pair of TVM packages that works together, and how they are imported."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from types import ModuleType

from lxc.errors import LxcError

PINNED = {"apache-tvm": "0.27.0.post1", "apache-tvm-ffi": "0.1.14.post1"}


def check_versions(installed: Mapping[str, str | None]) -> None:
    """Refuse any other pair of TVM packages: a newer ffi crashes the process."""
    if all(installed.get(name) == version for name, version in PINNED.items()):
        return
    pins = " ".join(f"{name}=={version}" for name, version in PINNED.items())
    found = ", ".join(f"{name} {installed.get(name) or 'missing'}" for name in PINNED)
    raise LxcError(
        "LXC-E0303",
        "the installed TVM packages are not the ones that lxc works with",
        expected=pins.replace(" ", ", ").replace("==", " "),
        actual=found,
        hint=f"pip install {pins}",
    )


def installed_versions() -> dict[str, str | None]:
    """Return the version of each TVM package, None where one is missing."""
    found: dict[str, str | None] = {}
    for name in PINNED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


@contextmanager
def without_torch(modules: dict[str, ModuleType | None]) -> Iterator[None]:
    """Let an import of torch fail in here, unless it was imported before.

    TVM imports torch where it is installed, which takes longer than all else here.
    """
    hidden = "torch" not in modules
    if hidden:
        modules["torch"] = None
    try:
        yield
    finally:
        if hidden:
            del modules["torch"]
