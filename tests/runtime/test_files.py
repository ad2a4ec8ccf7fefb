"""Artifacts on their way to the disk."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lxc.errors import LxcError
from lxc.runtime import artifact, files
from tests.runtime.changed import refused

Toy = Any


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

    monkeypatch.setattr("os.replace", fail)
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
