"""The artifact as a file: its one form, and what is refused."""

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from lxc.runtime import CompiledModel, artifact, container
from tests.runtime.changed import members_of, read_all, refused, with_manifest

Toy = Any


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


def test_without_a_manifest_a_container_is_no_artifact() -> None:
    encoded = container.pack({"explain.json": b"{}"})
    assert refused(lambda: artifact.read(encoded)) == "LXC-E0401"


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
