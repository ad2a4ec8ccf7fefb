"""lxc compile --emit c-bundle: a folder for programs in C."""

import hashlib
import subprocess
from pathlib import Path

from tests.cli.conftest import NET, Cli

BUNDLE = (*NET, "--target", "x86-64-v2", "--emit", "c-bundle", "-o", "out", "--name", "net")
FILES = (
    *("CMakeLists.txt", "example.c", "libnet.a", "libnet.so"),
    *("net.h", "net.pc", "net.safetensors"),
)


def test_a_folder_is_written_and_may_be_written_again(cli: Cli) -> None:
    said = cli("compile", *BUNDLE, "--json", "--seed", "3").json
    assert (said["bundle"], said["target"], said["mode"]) == ("out", "x86-64-v2", "test")
    assert said["params"] == "drawn with seed 3"
    found = sorted(path.name for path in Path("out").iterdir())
    assert found == sorted(said["files"]) == sorted(FILES)
    for name, facts in said["files"].items():
        content = (Path("out") / name).read_bytes()
        assert facts["bytes"] == len(content)
        assert facts["sha256"] == hashlib.sha256(content).hexdigest()
    link = ("libnet.a", "-pthread", "-lm", "-ldl", "-o", "example")
    subprocess.run(["cc", "example.c", *link], cwd="out", check=True)
    subprocess.run(["./example"], cwd="out", check=True, stdout=subprocess.DEVNULL)
    for option in ("--bundle-params", "--params"):
        printed = cli("compile", *BUNDLE, option, "embed").out
        assert "libnet.so (" in printed
        assert "net.safetensors" not in printed
    failed = cli(
        "compile", *BUNDLE, "--bundle-params", "embed", "--params", "none", status=2
    )
    assert "cannot read none" in failed.err


def test_a_folder_with_other_files_is_written_if_one_insists(cli: Cli) -> None:
    Path("out").mkdir()
    Path("out/note.txt").write_text("mine")
    cli("compile", *BUNDLE, "--bundle-params", "none", status=5)
    cli("compile", *BUNDLE, "--bundle-params", "none", "--force")
    assert Path("out/note.txt").read_text() == "mine"
    assert Path("out/libnet.so").stat().st_size > 10_000


def test_code_of_a_bundle_is_taken_from_the_cache(cli: Cli) -> None:
    kept = (*BUNDLE, "--cache", "kept", "-v")
    assert "not in the cache" in cli("compile", *kept).err
    fresh = {path.name: path.read_bytes() for path in Path("out").iterdir()}
    assert "is from the cache" in cli("compile", *kept, "--bundle-params", "none").err
    assert "is from the cache" in cli("compile", *kept).err
    again = {path.name: path.read_bytes() for path in Path("out").iterdir()}
    assert again == fresh
    said = cli("compile", *NET, "--target", "x86-64-v2", "-o", "net.lxc", *kept[-3:]).err
    assert "not in the cache" in said
    assert cli("compile", *kept, "--mode", "train").err.count("not in the cache") == 1
