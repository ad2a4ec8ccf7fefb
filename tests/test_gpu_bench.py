"""The benchmark of cards knows its cases, and compiles them without a card."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import gpu
import lxc
from cpu_suite.cases import decoder
from cpu_suite.torch_models import module_of
from gpu_suite import own, players
from gpu_suite.building import write_artifact
from gpu_suite.cases import TASKS, Task, chosen
from gpu_suite.match import error_of, parts_here
from gpu_suite.rival import exact, rival
from gpu_suite.verdict import Verdict
from lxc.runtime.artifact import read
from tests.emulation.machines import cards


def bench(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """Run the benchmark."""
    monkeypatch.setattr(sys, "argv", ["gpu.py", *arguments])
    gpu.main()


def test_the_list_shows_every_case_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bench(monkeypatch, "--list")
    names = capsys.readouterr().out.splitlines()
    assert names == [task.name for task in TASKS]
    assert len({task.file for task in TASKS}) == len(names)


@pytest.mark.parametrize(
    "arguments", [("--case", "no such case"), ("--against", "tensorflow")]
)
def test_an_unknown_case_or_contender_is_refused(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, str],
) -> None:
    with pytest.raises(SystemExit):
        bench(monkeypatch, *arguments)
    assert arguments[1] in capsys.readouterr().err


def test_every_case_is_measured_once_before_whole_models_are_again() -> None:
    """A run ends before all compilations of torch are done."""
    names = [task.case.name for task in TASKS]
    models = [name for name in names if not name.startswith(("gemm/", "op/"))]
    assert len({*models}) == len({*models[: len(models) // 3]}) == 9
    assert {task.precision for task in TASKS[: len(names) - 2 * 9]} >= {"bf16", "float32"}
    assert all(len(task.rivals) == 2 for task in TASKS)
    (small,), (large,) = chosen(["mlp b1 bf16"]), chosen(["bert b32 s512 bf16"])
    assert small.rivals_of(["each"]) == ("torch", "compile-graph")
    assert large.rivals_of(["each"]) == ("torch", "compile")
    assert large.rivals_of(["compile-graph"]) == ("compile-graph",)


def test_parts_of_networks_are_compared_with_the_limits_of_the_card() -> None:
    limits = {"copy_gbs": 4000.0, "float32": 50.0, "bf16": 800.0}
    (gemm,), (relu,), (mlp,) = map(
        chosen, (["gemm/8192 bf16"], ["op/relu"], ["mlp b1 bf16"])
    )
    time = 2 * 8192**3 / 400e12
    assert Verdict("", {"lxc": time}).share(gemm.work, limits) == pytest.approx(0.5)
    time = 2 * 4 * 8192**2 / 3e12
    assert Verdict("", {"lxc": time}).share(relu.work, limits) == pytest.approx(0.75)
    assert Verdict("", {"lxc": time}).share(mlp.work, limits) is None
    assert Verdict("", {"torch": time}).share(relu.work, limits) is None


def test_patterns_choose_cases_by_name_or_part() -> None:
    assert [task.name for task in chosen(["mlp b1 bf16"])] == ["model/mlp b1 bf16"]
    assert chosen([]) == list(TASKS)


def test_every_case_has_parts_of_lxc() -> None:
    (task,) = chosen(["model/mlp b1 float32"])
    parts = parts_here(task)
    assert parts.inputs.shape == (1, 784)
    assert not parts.kept


def test_it_compiles_without_a_card(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (task,) = chosen(["model/mlp b1 float32"])
    options = ["--case", task.name, "--target", "cuda-sm90"]
    bench(monkeypatch, "--build", str(tmp_path), *options)
    artifact = read(tmp_path / task.file)
    assert [target.name for target in artifact.targets] == ["cuda-sm90"]
    assert "params.safetensors" not in artifact


def test_without_a_card_it_says_what_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(SystemExit, match="torch sees no card here: --build"):
        bench(monkeypatch, "--case", "model/mlp b1")


@pytest.mark.parametrize(
    ("lacks", "arguments", "said"),
    [("torch", (), "torch is not installed"), ("tvm", (), "give --artifacts")],
)
def test_what_is_not_installed_is_said(
    monkeypatch: pytest.MonkeyPatch, lacks: str, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.setattr(gpu, "find_spec", lambda name: None if name == lacks else name)
    with pytest.raises(SystemExit, match=said):
        bench(monkeypatch, "--case", "model/mlp b1", *arguments)


PLAYER = """
import json, os, sys, time

def tell(**reply):
    print(json.dumps(reply), flush=True)

tell(status="ok", card="a card", torch=os.environ["PYTHONPATH"].split(os.pathsep)[0])
for line in sys.stdin:
    asked = json.loads(line)
    if asked["do"] == "limits":
        tell(roofline={"copy_gbs": 1})
        continue
    tell(begin="torch")
    tell(begin="lxc")
    if asked["case"].endswith("float32"):
        os._exit(3)
    if asked["case"].endswith("tf32"):
        time.sleep(60)
    problems = {"lxc": "wrong"} if "b32" in asked["case"] else {}
    done = {"seconds": {"lxc": 1.0, "torch": 2.0}, "errors": {"lxc": 0.0, "torch": 0.0}}
    tell(**done, problems=problems, is_usable="b32" not in asked["case"])
"""


def test_a_task_that_takes_the_card_away_ends_only_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One process ends, one waits for ever, one has lost the card; the others go on."""
    (tmp_path / "player.py").write_text(PLAYER)
    monkeypatch.setattr(players, "SCRIPT", tmp_path / "player.py")
    options = ["--artifacts", str(tmp_path), "--step", "1", "--json"]
    cases = ["--case", "*resnet50 b1 *", "resnet50 b32 bf16", "bert b1 s128 bf16"]
    bench(monkeypatch, *options, str(tmp_path / "found.json"), *cases)
    found = json.loads((tmp_path / "found.json").read_text())
    assert (found["card"], found["torch"]) == ("a card", str(Path(__file__).parent.parent))
    said = {one["name"].removeprefix("model/"): one for one in found["cases"]}
    ended, waits = said["resnet50 b1 float32"], said["resnet50 b1 tf32"]
    assert "exit status 3" in ended["problems"]["lxc"]
    assert waits["problems"] == {"lxc": "no answer in 1 s"}
    assert (ended["ratio"], waits["ratio"]) == (None, None)
    assert said["resnet50 b32 bf16"]["problems"] == {"lxc": "wrong"}
    for name in ("resnet50 b1 bf16", "bert b1 s128 bf16"):
        assert (said[name]["ratio"], said[name]["problems"]) == (2.0, {})
    assert "resnet50 b1 tf32: lxc: no answer in 1 s" in capsys.readouterr().out


def test_cases_are_measured_where_the_limits_of_the_card_are_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = PLAYER.replace('tell(roofline={"copy_gbs": 1})', "os._exit(3)")
    (tmp_path / "player.py").write_text(lost)
    monkeypatch.setattr(players, "SCRIPT", tmp_path / "player.py")
    options = ["--artifacts", str(tmp_path), "--json", str(tmp_path / "found.json")]
    bench(monkeypatch, *options, "--case", "gemm/512 bf16")
    found = json.loads((tmp_path / "found.json").read_text())
    assert (found["card"], found["roofline"]) == ("a card", {})
    assert "exit status 3" in found["roofline_problem"]
    (case,) = found["cases"]
    assert (case["ratio"], case["of_limit"]) == (2.0, None)
    assert "exit status 3" in capsys.readouterr().out


def test_a_rival_has_weights_as_its_library_wants_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The weights of a cell are in one piece, or they are put there in every call."""
    (task,) = chosen(["lstm T512 B1 H256 float32"])
    module = module_of(task.case)
    (cell,) = (one for one in module.modules() if isinstance(one, torch.nn.RNNBase))
    flattened: list[object] = []
    monkeypatch.setattr(
        torch.nn.RNNBase, "flatten_parameters", lambda self: flattened.append(self)
    )
    rival("torch", task, module, [])
    (copied,) = flattened
    assert isinstance(copied, torch.nn.LSTM)
    assert copied is not cell


def test_what_there_is_no_time_for_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "player.py").write_text(PLAYER)
    monkeypatch.setattr(players, "SCRIPT", tmp_path / "player.py")
    options = ["--artifacts", str(tmp_path), "--seconds", "0"]
    bench(monkeypatch, *options, "--case", "bert b1 s128 bf16")
    assert "no time was left for model/bert b1 s128 bf16" in capsys.readouterr().out


@dataclass(frozen=True)
class CardTorch:
    """As much of torch on a card as the calls of lxc need, with arrays of an engine."""

    engine: Any
    float32, contiguous_format = torch.float32, torch.contiguous_format

    @property
    def cuda(self) -> Any:
        """Return the part for cards."""
        return self

    def current_stream(self) -> Any:
        """Return the default stream."""
        return SimpleNamespace(cuda_stream=0)

    def from_numpy(self, array: Any) -> Any:
        """Return what can be moved to the card."""
        return SimpleNamespace(cuda=lambda: self.engine.to_machine(array))

    def empty_like(self, like: torch.Tensor, dtype: Any, memory_format: Any) -> Any:
        """Return memory on the card, whatever order the elements of `like` have."""
        assert (dtype, memory_format) == (torch.float32, self.contiguous_format)
        return self.engine.to_machine(np.full(like.shape, 7, np.float32))


def test_calls_on_fixed_memory_give_what_torch_gives(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Outputs, and state that is updated where it lies."""
    task = Task(decoder(1, 32, 2, 50, 16), "float32")
    module = module_of(task.case)
    expected = exact(module, [torch.from_numpy(x) for x in task.case.arrays().values()])
    with cards():
        path = write_artifact(task, tmp_path, "cuda")
        monkeypatch.setattr(own, "torch", CardTorch(lxc.load(path).engine))
        call, outputs = own.placed(path, parts_here(task), expected)
        call()
        found = [np.asarray(one) for one in outputs()]
    assert len(found) == len(expected) > 1
    for y, want in zip(found, expected, strict=True):
        np.testing.assert_allclose(y, want.numpy(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("wrong", [[1.0, float("nan")], [1.0, 2.0, 3.0], [1.0, 4.0]])
def test_wrong_outputs_are_seen(
    wrong: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    expected = [torch.tensor([1.0, 2.0], dtype=torch.float64)]
    assert error_of([torch.tensor([1.0, 2.0])], expected) == 0
    assert error_of([torch.tensor(wrong)], expected) >= 1
