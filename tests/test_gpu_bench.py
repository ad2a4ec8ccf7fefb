"""The benchmark of cards knows its cases, and compiles them without a card."""

import sys
from pathlib import Path

import pytest
import torch

import gpu
from gpu_suite.cases import TASKS, chosen
from gpu_suite.match import error_of, parts_here
from lxc.runtime.artifact import read


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
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="--build"):
        bench(monkeypatch, "--case", "model/mlp b1")


@pytest.mark.parametrize("wrong", [[1.0, float("nan")], [1.0, 2.0, 3.0], [1.0, 4.0]])
def test_wrong_outputs_are_seen(
    wrong: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    expected = [torch.tensor([1.0, 2.0], dtype=torch.float64)]
    assert error_of([torch.tensor([1.0, 2.0])], expected) == 0
    assert error_of([torch.tensor(wrong)], expected) >= 1
