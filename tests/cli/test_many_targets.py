"""One artifact for many machines: values once, and the best code that fits."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import lxc
from lxc import nn
from lxc.compilation import artifact_of
from lxc.runtime import CompiledModel
from lxc.runtime.artifact import read
from lxc.runtime.features import Machine, choose, this_machine
from lxc.targets import TARGETS
from tests.cli.conftest import Cli
from tests.emulation.machines import lacking

ROOT = Path(__file__).parent.parent.parent
NAMES = ("x86-64-v2", "x86-64-v4", "aarch64-linux", "neoverse-v1", "riscv64-linux")
LAYER = nn.Chain(nn.Dense(12, 20, nn.tanh), nn.Dense(20, 5))
X = np.random.default_rng(3).standard_normal((3, 12), np.float32)

UNLINKED = sorted(
    {lack for name in NAMES for lack in TARGETS[name].back_end.lacks_to_link(TARGETS[name])}
)
UNRUN = sorted({lack for name in NAMES for lack in lacking(TARGETS[name])})


def without(lacks: list[str]) -> pytest.MarkDecorator:
    """Return the mark of tests that fail where this machine lacks something."""
    reason = f"this machine lacks {', '.join(lacks)}"
    return pytest.mark.xfail(bool(lacks), reason=reason, strict=True)


CROSS = without(UNLINKED)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    ps, st = lxc.setup(0, LAYER)
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 8), 12), "f32")
    path = tmp_path_factory.mktemp("many") / "many.lxc"
    encoded = artifact_of(lxc.trace(LAYER, spec, ps, st), NAMES, name="many")
    CompiledModel(read(encoded), at_once=False).save(path, params=ps, state=st)
    return path


def machine(name: str) -> Machine:
    """Return a machine with this C library that has what a target needs, and no more."""
    target = TARGETS[name]
    return Machine(target.architecture, frozenset(target.features), this_machine().glibc)


@CROSS
def test_every_machine_takes_the_best_code_that_it_runs(saved: Path) -> None:
    artifact = read(saved)
    assert [name for name in artifact.manifest.members if "params" in name] == [
        "params.safetensors"
    ]
    for name in NAMES:
        assert choose(artifact.targets, machine(name)).name == name
    fitting = {
        "x86-64-v3": "x86-64-v2",
        "cortex-a72": "aarch64-linux",
        "neoverse-v2": "neoverse-v1",
        "riscv64-linux-v": "riscv64-linux",
    }
    for name, wanted in fitting.items():
        assert choose(artifact.targets, machine(name)).name == wanted


@CROSS
def test_a_lower_level_is_taken_with_the_reason(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = machine("x86-64-v2")
    monkeypatch.setattr("lxc.runtime.model.this_machine", lambda: old)
    model = lxc.load(saved)
    assert model.target.name == "x86-64-v2"
    assert model.choice.startswith("x86-64-v2; not x86-64-v4 (needs avx, ")
    assert "aarch64-linux (needs aarch64)" in model.choice
    assert "neoverse-v1 (needs aarch64)" in model.choice
    assert lxc.load(saved, target="x86-64-v2").choice == "x86-64-v2"


@without(UNRUN)
@pytest.mark.parametrize("name", ["aarch64-linux", "neoverse-v1", "riscv64-linux"])
def test_code_for_another_processor_runs_with_the_same_values(
    saved: Path, name: str
) -> None:
    here, there = lxc.load(saved), lxc.load(saved, target=name)
    assert there.target.name == name
    expected, _ = here(X, here.params, here.state)
    actual, _ = there(X, there.params, there.state)
    np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-6)


@CROSS
def test_inspect_says_which_code_runs_here(cli: Cli, saved: Path) -> None:
    printed = cli("inspect", str(saved)).out
    assert "no: needs aarch64" in printed
    for name in ("aarch64-linux", "neoverse-v1", "riscv64-linux"):
        assert f"{name}: built; code of this lxc has run in an emulator" in printed
    assert "x86-64-v2: built" not in printed
    described = cli("inspect", str(saved), "--json").json["targets"]
    rows = {row["name"]: row for row in described}
    assert rows["x86-64-v2"]["runs_here"] is True
    assert rows["riscv64-linux"]["runs_here"] is False
    assert rows["riscv64-linux"]["needs"] == "needs riscv64"


def test_run_says_which_code_it_takes_and_why(
    cli: Cli, net: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = cli("run", "net.lxc", "--input", "x=rand(1)", "--dim", "N=2")
    assert "code for" not in quiet.err
    old = machine("x86-64-v2")
    monkeypatch.setattr("lxc.runtime.model.this_machine", lambda: old)
    said = cli("run", "net.lxc", "--input", "x=rand(1)", "--dim", "N=2", "-v")
    assert "code for x86-64-v2; not x86-64-v3 (needs avx, " in said.err
    assert "outputs (x86-64-v2)" in said.out


@CROSS
def test_the_commands_of_the_page_do_what_it_says(
    cli: Cli, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("examples").symlink_to(ROOT / "examples")
    page = (ROOT / "docs" / "cross-compile.md").read_text("utf-8")
    (shell,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    said = [cli(*shlex.split(line)[1:]) for line in shell.splitlines()]
    assert "targets:  x86-64-v2, x86-64-v4, cortex-a72, riscv64-linux" in said[0].out
    assert "riscv64-linux: built" in said[1].out
    assert "code for x86-64-v" in said[2].err
    (python,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(python, {})
    assert "riscv64-linux (needs riscv64)" in capfd.readouterr().out
