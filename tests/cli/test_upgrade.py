"""lxc upgrade: the same model, compiled again."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lxc.commands import tuning
from lxc.runtime.artifact import Artifact, assemble, read
from lxc.runtime.manifest import Manifest
from lxc.tuning.questions import Question
from lxc.tuning.race import Timing
from tests.cli.conftest import NET, Cli


def older(path: Path, **changes: object) -> None:
    """Write the artifact as a former version could have written it."""
    artifact = read(path)
    members = {name: artifact.read(name) for name in artifact.manifest.members}
    fields = {
        name: getattr(artifact.manifest, name) for name in Manifest.__dataclass_fields__
    }
    path.write_bytes(assemble(Manifest(**{**fields, **changes}), members))


def values(artifact: Artifact) -> dict[str, bytes]:
    names = [name for name in artifact.manifest.members if name.endswith(".safetensors")]
    return {name: artifact.read(name) for name in names}


def test_an_upgrade_by_the_same_version_changes_nothing(cli: Cli, net: Path) -> None:
    before = net.read_bytes()
    said = cli("upgrade", "net.lxc", "-o", "new.lxc", "--json").json
    assert Path("new.lxc").read_bytes() == before
    assert said["changes"] == {}
    assert said["targets"] == said["targets_before"] == ["x86-64-v2", "x86-64-v3"]


def test_code_is_made_again_and_values_stay(cli: Cli, net: Path) -> None:
    new = net.read_bytes()
    versions = {**read(net).manifest.versions, "lxc": "0.0.1"}
    older(net, versions=versions)
    printed = cli("upgrade", "net.lxc", "-o", "net.lxc").out
    assert "version of lxc: 0.0.1 -> " in " ".join(printed.split())
    assert net.read_bytes() == new
    cli("verify", "net.lxc")


def test_targets_and_options_can_be_told_and_are_kept(cli: Cli) -> None:
    source = (*NET, "--exact", "--precision", "bf16", "--threads", "1", "--mode", "test")
    cli("compile", *source, "-o", "net.lxc", "--target", "x86-64-v2")
    cli("upgrade", "net.lxc", "-o", "new.lxc", "--target", "x86-64-v3,x86-64-v4")
    old, new = read(Path("net.lxc")), read(Path("new.lxc"))
    assert [target.name for target in new.targets] == ["x86-64-v3", "x86-64-v4"]
    assert new.manifest.options == old.manifest.options
    assert values(new) == values(old) != {}
    both = ("--target", "x86-64-v3,x86-64-v4")
    cli("compile", *source, "--name", "net", "-o", "direct.lxc", *both)
    assert Path("new.lxc").read_bytes() == Path("direct.lxc").read_bytes()


class Second:
    """A bench on which the second option of every kernel is the fastest."""

    def times(self, question: Question, note: Callable[[int], None]) -> dict[str, Timing]:
        times = {option: Timing(3000, 3000) for option in question.answer.options}
        return times | {question.answer.options[1]: Timing(1000, 1000)}


def test_records_are_given_again_or_left_out(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "MachineBench", Second)
    tuned = ("--target", "x86-64-v2", "--tune", "r.json")
    cli("compile", *NET, "-o", "net.lxc", *tuned)
    first = Path("net.lxc").read_bytes()
    cli("upgrade", "net.lxc", "-o", "new.lxc", "--records", "r.json")
    assert Path("new.lxc").read_bytes() == first
    printed = cli("upgrade", "net.lxc", "-o", "new.lxc").out
    assert "option records:" in printed
    assert "-> none" in printed


def test_an_artifact_whose_ir_is_another_models_is_refused(cli: Cli, net: Path) -> None:
    shutil.copy(net, "twin.lxc")
    artifact = read(net)
    graph = artifact.read("ir/traced.lxir").replace(b"f32[N, 3]", b"f32[N, 7]", 1)
    Path("twin.lxc").write_bytes(artifact.with_members({"ir/traced.lxir": graph}))
    assert "LXC-E0" in cli("upgrade", "twin.lxc", "-o", "new.lxc", status=3).err
    assert not Path("new.lxc").exists()
