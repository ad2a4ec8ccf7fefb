"""The artifact as a file: its one form, and what is refused."""

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from lxc.errors import LxcError
from lxc.runtime import CompiledModel, artifact, container, files
from lxc.runtime.manifest import canonical

Toy = Any


def refused(call: Callable[[], object]) -> str:
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


def test_any_zip_tool_can_open_an_artifact(toy: Toy) -> None:
    encoded = toy.encode()
    with zipfile.ZipFile(io.BytesIO(encoded)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == sorted(archive.namelist())
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert members_of(encoded)["code/here/model.so"] == toy.library


def test_the_data_of_every_member_is_aligned(toy: Toy) -> None:
    entries = artifact.read(toy.encode()).entries
    assert len(entries) == 3
    assert all(entry.offset % 64 == 0 for entry in entries.values())


def test_members_come_back_as_they_were(toy: Toy) -> None:
    opened = artifact.read(toy.encode())
    for name, contents in toy.members().items():
        assert opened.read(name) == contents
        assert bytes(opened.view(name)) == contents
    assert opened.signature == toy.signature
    assert opened.targets == (toy.target(),)


WRITER = """
import os, sys
from lxc.runtime import artifact
os.umask(int(sys.argv[3]))
opened = artifact.read(sys.argv[1])
members = {name: opened.read(name) for name in reversed(list(opened.manifest.members))}
artifact.write(sys.argv[2], signature=opened.signature, targets=opened.targets,
    members=members, options=opened.manifest.options)
"""


def test_the_bytes_depend_on_the_contents_only(toy_path: Path, tmp_path: Path) -> None:
    for seed, umask in (("0", "18"), ("1", "63"), ("2", "0")):
        output = tmp_path / f"again-{seed}.lxc"
        command = [sys.executable, "-c", WRITER, str(toy_path), str(output), umask]
        environment = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "LC_ALL": "C",
            "TZ": "Asia/Tokyo",
        }
        subprocess.run(command, check=True, env=environment)
        assert output.read_bytes() == toy_path.read_bytes()


def test_large_numbers_take_the_wide_form(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "LIMIT", 1000)
    encoded = toy.encode()
    assert members_of(encoded)["code/here/model.so"] == toy.library
    assert artifact.read(encoded).read("code/here/model.so") == toy.library
    monkeypatch.undo()
    assert refused(lambda: read_all(encoded)) == "LXC-E0401"


def test_every_truncation_is_refused(toy: Toy) -> None:
    encoded = toy.encode()
    for length in [*range(0, len(encoded), 64), *range(len(encoded) - 70, len(encoded))]:
        refused(lambda length=length: read_all(encoded[:length]))  # type: ignore[misc]


def test_every_flipped_byte_outside_the_code_is_refused(toy: Toy) -> None:
    encoded = toy.encode()
    code = artifact.read(encoded).entries["code/here/model.so"]
    inside = range(code.offset, code.offset + code.length)
    places = [place for place in range(len(encoded)) if place not in inside]
    for place in [*places, *inside[:: len(inside) // 200]]:
        changed = bytearray(encoded)
        changed[place] ^= 1 << (place % 8)
        refused(lambda changed=changed: read_all(bytes(changed)))  # type: ignore[misc]


@pytest.mark.parametrize("extra", [b"\0", b"PK", b"#!/bin/sh\n", bytes(64)])
def test_bytes_in_front_or_behind_are_refused(toy: Toy, extra: bytes) -> None:
    encoded = toy.encode()
    assert refused(lambda: read_all(extra + encoded)) == "LXC-E0401"
    assert refused(lambda: read_all(encoded + extra)) == "LXC-E0401"


@pytest.mark.parametrize(
    "contents",
    [b"", b"PK", b"\x7fELF", b"not an artifact" * 100, b"PK\3\4" + bytes(300), bytes(100)],
)
def test_other_files_are_refused(contents: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.lxc"
    path.write_bytes(contents)
    assert refused(lambda: artifact.read(path)) == "LXC-E0401"


def test_a_zip_of_another_writer_is_refused(toy: Toy) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, contents in members_of(toy.encode()).items():
            archive.writestr(name, contents)
    assert refused(lambda: read_all(stream.getvalue())) == "LXC-E0401"


def test_a_compressed_member_is_refused(toy: Toy) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", bytes(10**7))
    assert refused(lambda: read_all(stream.getvalue())) == "LXC-E0401"


HOSTILE_NAMES = [
    "../evil",
    "/etc/passwd",
    "code/../../evil",
    "code/here/../here/model.so",
    "code/there/model.so",
    "code/here/model.so.1",
    "CODE/here/model.so",
    "code/here/Model.so",
    "code\\here\\model.so",
    "code//here/model.so",
    "./code/here/model.so",
    "code/here/model.so/",
    "code/here",
    "params.pickle",
    "params.safetensors ",
    "Manifest.json",
    "ir/traced.lxir\0.txt",
    "check/../params.safetensors",
    "check/",
    "check/a.so",
    "check/A.json",
    "__pycache__/x.pyc",
    "a" * 3000,
    "con",
    "",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_member_that_is_not_on_the_list_is_refused(toy: Toy, name: str) -> None:
    digest = ["0" * 64, 4]
    described = with_manifest(
        toy.encode(), lambda value: value["members"].update({name: digest})
    )
    members = {**members_of(described), name: b"evil"}
    assert refused(lambda: read_all(container.pack(members))) in ("LXC-E0401", "LXC-E0402")
    del members[name]
    refused(lambda: read_all(container.pack(members)))
    hidden = {**members_of(toy.encode()), name: b"evil"}
    assert refused(lambda: read_all(container.pack(hidden))) == "LXC-E0401"


def test_the_same_name_twice_is_refused() -> None:
    sizes = [("a", 2, crc32(b"{}")), ("a", 2, crc32(b"{}"))]
    _, headers, tail = container.frame(sizes)
    encoded = headers[0] + b"{}" + headers[1] + b"{}" + tail
    assert refused(lambda: read_all(encoded)) == "LXC-E0401"


def test_members_in_another_order_are_refused() -> None:
    sizes = [("b", 2, crc32(b"{}")), ("a", 2, crc32(b"{}"))]
    _, headers, tail = container.frame(sizes)
    encoded = headers[0] + b"{}" + headers[1] + b"{}" + tail
    assert refused(lambda: read_all(encoded)) == "LXC-E0401"


def test_a_member_with_another_digest_is_refused_when_it_is_read(toy: Toy) -> None:
    members = {**members_of(toy.encode()), "ir/traced.lxir": b"other"}
    opened = artifact.read(container.pack(members))
    assert refused(lambda: opened.read("ir/traced.lxir")) == "LXC-E0404"
    assert refused(lambda: opened.view("ir/traced.lxir")) == "LXC-E0404"
    assert opened.read("code/here/model.so") == toy.library


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
        toy.encode(), lambda value: value.update(format=2, new_field=[])
    )
    with pytest.raises(LxcError) as caught:
        artifact.read(encoded)
    assert caught.value.code == "LXC-E0403"
    assert caught.value.actual == "format 2"


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


def test_without_a_manifest_a_container_is_no_artifact() -> None:
    encoded = container.pack({"explain.json": b"{}"})
    assert refused(lambda: artifact.read(encoded)) == "LXC-E0401"


def write_toy(toy: Toy, path: Path, **options: Any) -> bytes:
    signature, target = toy.signature, toy.target()
    return artifact.write(
        path, signature=signature, targets=[target], members=toy.members(), **options
    )


def test_a_file_that_is_no_artifact_is_not_replaced(toy: Toy, tmp_path: Path) -> None:
    path = tmp_path / "thesis.txt"
    path.write_text("years of work")
    assert refused(lambda: write_toy(toy, path)) == "LXC-E0408"
    assert path.read_text() == "years of work"
    assert write_toy(toy, path, force=True) == path.read_bytes()
    write_toy(toy, path)


def test_a_folder_is_not_replaced(toy: Toy, tmp_path: Path) -> None:
    assert refused(lambda: write_toy(toy, tmp_path, force=True)) == "LXC-E0408"


def test_a_new_file_has_the_mode_of_the_umask(toy: Toy, tmp_path: Path) -> None:
    path = tmp_path / "toy.lxc"
    before = os.umask(0o027)
    try:
        write_toy(toy, path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_failed_write_leaves_the_old_file_and_no_other(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "toy.lxc"
    old = write_toy(toy, path)

    def fail(source: object, destination: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", fail)
    with pytest.raises(LxcError) as caught:
        write_toy(toy, path)
    assert caught.value.code == "LXC-E0002"
    assert path.read_bytes() == old
    assert [entry.name for entry in tmp_path.iterdir()] == ["toy.lxc"]


def test_the_leftover_of_a_killed_writer_is_removed(toy: Toy, tmp_path: Path) -> None:
    path = tmp_path / "toy.lxc"
    dead = tmp_path / f"{files.TEMPORARY_PREFIX}toy.lxc-4194305-00"
    alive = tmp_path / f"{files.TEMPORARY_PREFIX}toy.lxc-{os.getpid()}-00"
    for leftover in (dead, alive):
        leftover.write_bytes(b"half")
    write_toy(toy, path)
    assert not dead.exists()
    assert alive.exists()


KILLED = """
import sys
from lxc.runtime import artifact
opened = artifact.read(sys.argv[1])
members = {name: opened.read(name) for name in opened.manifest.members}
members["explain.json"] = bytes(2_000_000)
print("ready", flush=True)
while True:
    artifact.write(sys.argv[2], signature=opened.signature, targets=opened.targets,
        members=members)
"""


def test_a_killed_writer_leaves_nothing_or_all(toy_path: Path, tmp_path: Path) -> None:
    output = tmp_path / "killed.lxc"
    for turn in range(6):
        command = [sys.executable, "-c", KILLED, str(toy_path), str(output)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            try:
                writer.wait(0.004 * turn)
            except subprocess.TimeoutExpired:
                writer.kill()
        if output.exists():
            artifact.read(output).verify()
            output.unlink()


def test_a_file_that_shrinks_while_it_is_open_is_refused(toy_path: Path) -> None:
    opened = artifact.read(toy_path)
    os.truncate(toy_path, toy_path.stat().st_size // 2)
    assert refused(lambda: opened.read("ir/traced.lxir")) == "LXC-E0404"


def test_a_fifo_is_refused_without_waiting(tmp_path: Path) -> None:
    path = tmp_path / "pipe.lxc"
    os.mkfifo(path)
    assert refused(lambda: artifact.read(path)) == "LXC-E0401"


def test_code_with_another_digest_is_never_mapped(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = members_of(toy.encode())
    library = bytearray(members["code/here/model.so"])
    library[len(library) // 2] ^= 1
    path = tmp_path / "changed.lxc"
    path.write_bytes(container.pack({**members, "code/here/model.so": bytes(library)}))
    from_file = artifact.read(path)
    mapped: list[object] = []
    monkeypatch.setattr("ctypes.CDLL", lambda *given, **named: mapped.append(given))
    assert refused(lambda: CompiledModel(from_file)) == "LXC-E0404"
    assert mapped == []
