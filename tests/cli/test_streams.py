"""Streams that are closed, full, or read by nobody."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lxc.commands.screen import print_json
from tests.cli.conftest import Cli

ROOT = Path(__file__).parents[2]


def ended(line: str, folder: Path) -> tuple[int, str, str]:
    """Return the status of a line for bash, and what it printed."""
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        ["bash", "-c", f'lxc() {{ {sys.executable} -m lxc "$@"; }}; {line}'],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=folder,
        timeout=120,
    )
    return done.returncode, done.stdout, done.stderr


def test_closed_streams_change_nothing(net: Path) -> None:
    assert ended("lxc inspect net.lxc >&- 2>&- <&-", net.parent) == (0, "", "")
    assert ended("lxc why nonsense 2>&-", net.parent) == (2, "", "")


def test_a_closed_standard_input_is_an_empty_one(net: Path) -> None:
    status, out, said = ended("lxc run net.lxc --input x=@- <&-", net.parent)
    assert (status, out) == (2, "")
    assert said.startswith("error[LXC-E0002]")


def test_a_full_disk_is_told_once(net: Path) -> None:
    status, _, said = ended("lxc inspect net.lxc > /dev/full", net.parent)
    text = "error[LXC-E0002]: cannot write the output: No space left on device\n"
    assert (status, said) == (2, text)


def test_a_reader_that_leaves_does_not_change_how_a_command_ends(net: Path) -> None:
    other = bytearray(net.read_bytes())
    other[other.index(b"\x7fELF") + 1000] ^= 1
    (net.parent / "other.lxc").write_bytes(bytes(other))
    for words, wanted in (("inspect net.lxc", 0), ("inspect other.lxc 2>&1", 5)):
        line = f"lxc {words} | true; exit ${{PIPESTATUS[0]}}"
        assert ended(line, net.parent) == (wanted, "", "")


def test_names_of_files_do_not_command_a_terminal(
    cli: Cli, net: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where no terminal reads along, click takes such sequences out itself.
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda *_: False)
    name = os.fsdecode(b"\xff\x1b[31m.lxc")
    Path(name).write_bytes(net.read_bytes())
    for words in (
        ("inspect", name),
        ("params", name),
        ("upgrade", name, "-o", f"up{name}"),
        ("cache", "info", "--cache", name[:-4]),
    ):
        printed = cli(*words).out
        assert "\\udcff\\x1b[31m" in printed, words
        assert "\x1b" not in printed


def test_json_has_no_numbers_that_json_lacks(
    cli: Cli, capfd: pytest.CaptureFixture[str]
) -> None:
    print_json({"a": [math.nan, -math.inf, 1.5], "b": {"c": math.inf}, "d": (1, None)})
    text = capfd.readouterr().out
    expected = {"a": ["nan", "-inf", 1.5], "b": {"c": "inf"}, "d": [1, None]}
    assert json.loads(text, parse_constant=pytest.fail) == expected
