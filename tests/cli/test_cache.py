"""lxc compile with a cache, and lxc cache."""

import os
import time
from pathlib import Path

import pytest

from lxc.targets import compile as compiling
from tests.cli.conftest import NET, Cli

MADE = (*NET, "--name", "net", "--target", "x86-64-v2,x86-64-v3")
KEPT = (*MADE, "--cache", "kept", "-v")


@pytest.fixture
def filled(cli: Cli) -> bytes:
    """Return the artifact whose compile filled the folder `kept`."""
    said = cli("compile", *KEPT, "-o", "net.lxc").err
    assert "not in the cache: it is empty" in said
    return Path("net.lxc").read_bytes()


def test_a_second_compile_takes_what_the_first_one_kept(
    cli: Cli, filled: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(compiling, "compile_target")
    said = cli("compile", *KEPT, "-o", "again.lxc").err
    assert "code for x86-64-v2 is from the cache" in said
    assert "code for x86-64-v3 is from the cache" in said
    assert Path("again.lxc").read_bytes() == filled


def test_without_the_cache_the_bytes_are_the_same(cli: Cli, filled: bytes) -> None:
    said = cli("compile", *MADE, "--no-cache", "-v", "-o", "again.lxc").err
    assert "cache" not in said
    assert Path("again.lxc").read_bytes() == filled


def test_code_is_kept_in_the_home_folder_if_no_other_is_named(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    cli("compile", *NET, "--target", "x86-64-v2", "-o", "net.lxc")
    said = cli("cache", "info", "--json").json
    assert said["folder"] == str(tmp_path / "home" / ".cache" / "lxc")
    assert said["entries"] == 1
    assert "1 entry," in cli("cache", "info").out
    assert Path(said["folder"]).stat().st_mode & 0o777 == 0o700


def test_cache_tells_prunes_and_clears(cli: Cli, filled: bytes) -> None:
    here = ("--cache", "kept", "--json")
    info = cli("cache", "info", *here).json
    assert info["entries"] == 2
    assert info["bytes"] == sum(path.stat().st_size for path in Path("kept").iterdir())
    assert "2 entries" in cli("cache", "info", "--cache", "kept").out
    old = next(Path("kept").iterdir())
    month_ago = time.time() - 30 * 86_400
    os.utime(old, (month_ago, month_ago))
    pruned = cli("cache", "prune", "--unused-days", "29", *here).json
    assert (pruned["removed_entries"], pruned["entries"]) == (1, 1)
    assert not old.exists()
    assert cli("cache", "prune", *here).json["removed_entries"] == 0
    assert cli("cache", "prune", "--most-bytes", "10", *here).json["entries"] == 0
    cli("compile", *KEPT, "-o", "net.lxc")
    cleared = cli("cache", "clear", *here).json
    assert (cleared["removed_entries"], cleared["entries"]) == (2, 0)
    assert cli("cache", "info", "--cache", "none", "--json").json["entries"] == 0
