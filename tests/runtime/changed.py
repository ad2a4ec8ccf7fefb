"""Artifacts with something changed in them, and how they are refused."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from lxc.errors import LxcError
from lxc.runtime import artifact, container
from lxc.runtime.manifest import canonical


def refused(call: Callable[[], object]) -> str:
    """Return the code of the error of a call, which must be one of an artifact."""
    with pytest.raises(LxcError) as caught:
        call()
    assert caught.value.code.startswith("LXC-E04"), caught.value
    return caught.value.code


def read_all(encoded: bytes) -> None:
    artifact.read(encoded).verify()


def members_of(encoded: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(encoded)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_manifest(encoded: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """Return the artifact with another manifest and everything else right."""
    members = members_of(encoded)
    value = json.loads(members["manifest.json"])
    change(value)
    return container.pack({**members, "manifest.json": canonical(value)})
