"""What the manifest of an artifact may say."""

from collections.abc import Callable
from typing import Any

import pytest

from lxc.errors import LxcError
from lxc.runtime import artifact, container
from tests.runtime.changed import read_all, refused, with_manifest

Toy = Any


Change = Callable[[dict[str, Any]], object]
CHANGES: dict[str, Change] = {
    "unknown key": lambda v: v.update(extra=1),
    "missing key": lambda v: v.pop("options"),
    "no format": lambda v: v.pop("format"),
    "format of another type": lambda v: v.update(format="1"),
    "format zero": lambda v: v.update(format=0),
    "no code": lambda v: v["targets"].append({**v["targets"][0], "name": "there"}),
    "target twice": lambda v: v["targets"].append(v["targets"][0]),
    "target outside": lambda v: v["targets"][0].update(name="../x"),
    "negative arena": lambda v: v["targets"][0].update(arena_bytes=-1),
    "huge arena": lambda v: v["targets"][0].update(arena_bytes=2**63),
    "arena as float": lambda v: v["targets"][0].update(arena_bytes=1.0),
    "arena as bool": lambda v: v["targets"][0].update(arena_bytes=True),
    "feature": lambda v: v["targets"][0].update(features=["avx2; rm"]),
    "glibc": lambda v: v["targets"][0].update(glibc="new"),
    "digest": lambda v: v["members"].update({"explain.json": ["x", 1]}),
    "members as list": lambda v: v.update(members=[]),
    "targets as dict": lambda v: v.update(targets={}),
    "name for C": lambda v: v["signature"].update(name='x"; #include'),
    "calling": lambda v: v["signature"].update(calling="cobol"),
    "constants gone": lambda v: v["members"].pop("data.safetensors"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_manifest_that_breaks_a_rule_is_refused(toy: Toy, change: Change) -> None:
    encoded = with_manifest(toy.encode(), lambda value: void(change(value)))
    assert refused(lambda: read_all(encoded)) == "LXC-E0402"


def void(_: object) -> None:
    """Drop a result."""


def test_a_newer_format_is_refused_by_its_number(toy: Toy) -> None:
    encoded = with_manifest(
        toy.encode(), lambda value: value.update(format=3, new_field=[])
    )
    with pytest.raises(LxcError) as caught:
        artifact.read(encoded)
    assert caught.value.code == "LXC-E0403"
    assert caught.value.actual == "format 3"


@pytest.mark.parametrize(
    "encoded",
    [
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b'{"format":1,"format":1}',
        b'{"format":NaN}',
        b"[" * 200_000,
        b'{"format":1,"signature":' + b'{"dict":[["a",' * 50_000,
        b'{"format":' + b"9" * 10_000 + b"}",
    ],
    ids=range(9),
)
def test_a_manifest_that_is_not_json_of_ours_is_refused(encoded: bytes) -> None:
    refused(lambda: artifact.read(container.pack({"manifest.json": encoded})))


def test_a_huge_manifest_is_refused_before_it_is_read() -> None:
    _, headers, tail = container.frame([("manifest.json", 2**33, 0)])

    class Sparse:
        view = memoryview(b"")
        size = len(headers[0]) + 2**33 + len(tail)

        def section(self, offset: int, length: int) -> bytes:
            assert length < 2**20
            end = self.size - len(tail)
            return (headers[0] if offset < end else tail)[offset % end :][:length]

    assert refused(lambda: artifact.parse("huge", Sparse())) == "LXC-E0401"
