"""inspect, opt, explain, targets, doctor and the command itself."""

import importlib
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from lxc import __version__
from lxc.__main__ import in_one_form, run
from lxc.commands.group import VERBS
from lxc.commands.screen import bytes_text
from lxc.errors import InternalError
from lxc.ir.parser import parse
from lxc.passes import PASSES
from lxc.runtime.artifact import read
from lxc.targets import TARGETS
from tests.cli.conftest import NET, Cli


def test_inspect_shows_every_buffer(cli: Cli, net: Path) -> None:
    printed = cli("inspect", "net.lxc", "--kernels").out
    artifact = read(net)
    for group in artifact.signature.groups.values():
        for leaf in group.leaves:
            assert leaf.name in printed
    assert artifact.sha256 in printed
    assert "N=1..8" in printed
    assert "kernels of x86-64-v3" in printed
    assert "dot_general" in printed


def test_inspect_gives_json(cli: Cli, net: Path) -> None:
    said = cli("inspect", "net.lxc", "--json").json
    artifact = read(net)
    assert said["signature"] == artifact.signature.to_json()
    assert [target["name"] for target in said["targets"]] == ["x86-64-v2", "x86-64-v3"]
    assert said["targets"][0]["arena_bytes"] == artifact.targets[0].arena_bytes
    assert said["versions"]["lxc"] == __version__
    assert set(said["members"]) == set(artifact.manifest.members)


def test_inspect_notices_damage_in_any_member(cli: Cli, net: Path) -> None:
    contents = bytearray(net.read_bytes())
    contents[contents.index(b"\x7fELF") + 1000] ^= 1
    net.write_bytes(bytes(contents))
    assert "LXC-E0404" in cli("inspect", "net.lxc", status=5).err


TEXT = "graph @m lux { input %x: f32[2] %0: f32[2] = noop(%x) return %0 }"


def test_opt_runs_passes_on_text(cli: Cli) -> None:
    Path("m.lxir").write_text(TEXT)
    result = cli("opt", "m.lxir", "--passes", "remove-noops").out
    assert "noop" not in result
    assert str(parse(result)) == result


def test_opt_runs_a_pipeline_and_says_how_long_it_took(cli: Cli) -> None:
    Path("m.lxir").write_text(TEXT)
    result = cli("opt", "m.lxir", "--pipeline", "layer", "-v")
    assert "remove-noops: " in result.err
    assert "noop" not in result.out
    said = cli("opt", "m.lxir", "--pipeline", "layer", "--json").json
    changed = {step["pass"] for step in said["steps"] if step["changed"]}
    assert "remove-noops" in changed


def test_opt_reads_the_standard_input(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("m.lxir").write_text(TEXT)
    with Path("m.lxir").open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert "noop" not in cli("opt", "-", "--passes", "remove-noops").out


def test_opt_lists_every_pass(cli: Cli) -> None:
    printed = cli("opt", "--list").out
    said = cli("opt", "--list", "--json").json
    assert set(said["passes"]) == set(PASSES)
    for name in PASSES:
        assert name in printed


def test_opt_only_checks_if_asked(cli: Cli) -> None:
    Path("m.lxir").write_text(TEXT)
    assert cli("opt", "m.lxir", "--verify").out == ""
    Path("m.lxir").write_text(TEXT.replace("f32[2] return", "f32[3] return"))
    Path("bad.lxir").write_text("graph @m lux { input @x: f32[2] return @x }")
    assert "invariant 1" in cli("opt", "bad.lxir", "--verify", status=3).err


def test_opt_dumps_every_stage(cli: Cli) -> None:
    Path("m.lxir").write_text(TEXT)
    cli("opt", "m.lxir", "--passes", "flatten-chains,remove-noops", "--dump", "d")
    assert len(list(Path("d").iterdir())) == 3


@pytest.mark.parametrize("one", ["fuse", "plan-memory", "canonicalise"])
def test_opt_names_op_and_layer_of_what_a_pass_cannot_take(cli: Cli, one: str) -> None:
    tree = "tree {" + ", ".join(f"layer_{number}: none" for number in range(60)) + "}"
    Path("m.lxir").write_text(
        f'graph @m lux {{ input %x: f32[2] %0: f32[2] = chain(%x) {{kind = "Chain", '
        f"tree_in = {tree}}} (%1: f32[2]) {{ yield %1 }} at head, body return %0 }}"
    )
    printed = cli("opt", "m.lxir", "--passes", one, status=3).err
    assert "LXC-E0204" in printed
    (actual,) = (line for line in printed.splitlines() if "actual:" in line)
    assert actual.endswith("chain in head, body")
    assert len(actual) < 80


def test_explain_says_the_same_from_artifact_and_source(cli: Cli, net: Path) -> None:
    stored = cli("explain", "net.lxc", "--target", "x86-64-v3").out
    fresh = cli("explain", *NET, "--target", "x86-64-v3").out
    assert stored == fresh
    assert "layer_1 packed_dot" in stored
    entries = cli("explain", "net.lxc", "--json").json
    assert {entry["fused"] for entry in entries} <= {True, False}
    assert len(entries) == len(stored.splitlines())


def test_explain_names_what_no_generator_shapes(cli: Cli) -> None:
    given = ("models.py:lookup", "--input", "x=i32[5]", "--target", "x86-64-v3")
    lines = cli("explain", *given).out.splitlines()
    (generic,) = (line for line in lines if line.startswith("generic"))
    assert "layer_1 gather f32[5, 4]: no generator: its loops go over" in generic
    (entry,) = (
        entry
        for entry in cli("explain", *given, "--json").json
        if not entry["fused"] and entry["about"] == "generator"
    )
    assert entry["consumer"] == "gather"


def test_explain_says_that_there_was_nothing_to_decide(cli: Cli) -> None:
    given = ("models.py:alone", "--input", "x=f32[5]")
    assert "nothing to decide" in cli("explain", *given).out
    assert cli("explain", *given, "--json").json == []


def test_targets_are_listed_with_what_is_missing(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = cli("targets").out
    rows = cli("targets", "--json").json["targets"]
    assert {row["name"] for row in rows} >= set(TARGETS)
    assert all(name in printed for name in TARGETS)
    here = platform.machine()
    assert all(row["links"] for row in rows if row["triple"].startswith(here))
    assert "has never run on one" in printed
    assert "code for Arm and RISC-V: built; code of this lxc has run in an emu" in printed
    assert cli("targets", "--json").json["aliases"]["rpi4"] == ["cortex-a72"]
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("lxc.targets.llvm.toolchain.find_spec", lambda name: None)
    (fix,) = (line for line in cli("targets").out.splitlines() if "cortex-a72, " in line)
    assert fix.startswith("to link aarch64-linux, ")
    assert "apt install gcc-aarch64-linux-gnu libc6-dev-arm64-cross" in fix
    assert "pip install ziglang" in fix
    for row in cli("targets", "--json").json["targets"]:
        architecture = row["triple"].partition("-")[0]
        cross = f"{architecture}-linux-gnu-gcc"
        first, *others = row["link_lacks"]
        assert first == ("a C compiler" if architecture == here else cross)
        # NVRTC is found without PATH where its package is installed.
        assert others in ([], ["a compiler for cards"] if row["images"] else [])
        assert len(row["link_fixes"]) == len(row["link_lacks"])


def test_doctor_finds_this_installation_in_order(cli: Cli) -> None:
    entries = cli("doctor", "--json").json
    assert [entry["name"] for entry in entries if not entry["fine"]] == []
    assert "compile and run" in [entry["name"] for entry in entries]
    (compilers,) = (one for one in entries if one["name"] == "compilers for cards")
    assert re.search(r"nvcc \d+\.\d|NVRTC \d|neither nvcc nor NVRTC", compilers["found"])


def test_doctor_names_the_fix_for_what_is_missing(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    printed = cli("doctor", status=4).out
    assert "FAIL  C compiler" in printed
    assert "fix: apt install gcc" in printed
    assert "FAIL  compile and run" in printed
    assert "ok    TVM" in printed


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_help_with_an_example_and_json(cli: Cli, name: str) -> None:
    printed = cli(name, "--help").out
    assert f"Example:\n    lxc {name}" in printed
    assert "--json" in printed
    command: Any = importlib.import_module(f"lxc.commands.{name}").command
    assert isinstance(command, click.Command)


def test_the_help_page_lists_every_verb(cli: Cli) -> None:
    assert cli().out == cli("--help").out
    for name, words in VERBS.items():
        assert f"{name}" in cli("--help").out
        assert words in cli("--help").out


def test_the_version_is_that_of_the_package(cli: Cli) -> None:
    assert cli("--version").out == f"lxc {__version__}\n"


def test_help_does_not_import_the_compiler() -> None:
    code = (
        "import sys; from lxc.__main__ import run; run(['--help']); "
        "print([n for n in ('tvm', 'networkx', 'numpy') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_an_unexpected_failure_is_a_fault_of_lxc(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, net: Path
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("no such luck")

    monkeypatch.setattr("lxc.commands.inspect.read", fail)
    printed = cli("inspect", "net.lxc", status=70).err
    assert "internal error" in printed
    assert "no such luck" in printed
    assert "Traceback" not in printed
    assert "Traceback" in cli("inspect", "net.lxc", "-vv", status=70).err


def test_an_interruption_has_its_own_status(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, net: Path
) -> None:
    def stop(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lxc.commands.inspect.read", stop)
    assert cli("inspect", "net.lxc", status=130).err.split() == ["interrupted"]


def test_want_of_memory_is_a_want_of_resources() -> None:
    error = in_one_form(MemoryError())
    assert not isinstance(error, InternalError)
    assert (error.code, error.exit_status) == ("LXC-E0601", 7)


def test_a_reader_that_goes_away_is_no_error(net: Path) -> None:
    command = f"{sys.executable} -m lxc inspect net.lxc --json | head -c 10"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin"},
        cwd=net.parent,
    )
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KB"),
        (54528, "54.5 KB"),
        (3 * 10**12, "3.0 TB"),
    ],
)
def test_bytes_are_told_for_people(count: int, text: str) -> None:
    assert bytes_text(count) == text


def test_run_is_what_the_installed_command_calls() -> None:
    assert run(["--version"]) == 0


def test_why_explains_a_code_however_it_is_written(cli: Cli) -> None:
    printed = cli("why", "LXC-E0405").out
    assert printed == cli("why", "e0405").out == cli("why", "0405").out
    assert "lxc upgrade --target" in " ".join(printed.split())
    said = cli("why", "LXC-E0405", "--json").json
    assert (said["code"], said["exit_status"]) == ("LXC-E0405", 5)
    assert said["means"]
