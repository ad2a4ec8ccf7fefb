"""The benchmark runs from one command, in fair turns, and writes down what it measures."""

import json
import os
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cpu_suite.cases import BY_NAME, CASES, chosen
from cpu_suite.ceilings import Gauge, compiled
from cpu_suite.lxc_models import FAMILIES
from lxc.benchmarking.turns import order, pace_of

ROOT = Path(__file__).parent.parent
CASE = "tiny/affine 32"
Run = tuple[str, Any]
SMALL_CACHES = """
import cpu

cpu.cache_sizes = lambda: {"L1": 32 << 10, "L2": 1 << 20, "L3": 8 << 20}
cpu.main()
"""
"""The benchmark on a machine of small caches. A third one of hundreds of megabytes, as some
servers have, would mean that gigabytes of memory are read four times over."""


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the benchmark."""
    return subprocess.run(
        [sys.executable, "bench/cpu.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_list_shows_every_case_once() -> None:
    done = bench("--list")
    assert done.returncode == 0, done.stderr
    names = done.stdout.splitlines()
    assert names == [case.name for case in CASES]
    assert len(set(names)) == len(names)
    assert sum(name.startswith("tiny/") for name in names) == 20


def test_an_unknown_case_or_contender_is_refused() -> None:
    for arguments in (["--case", "no such case"], ["--against", "tensorflow"]):
        done = bench(*arguments)
        assert done.returncode == 2
        assert arguments[1] in done.stderr


def test_patterns_choose_cases_by_name_or_part() -> None:
    assert [case.name for case in chosen(["model/mlp b1"])] == ["model/mlp b1"]
    assert {case.name for case in chosen(["tiny/mlp*", "b64"])} == {
        "tiny/mlp 4-16-3",
        "tiny/mlp 16-32-32-10",
        "tiny/mlp tanh 8-64-1",
        "tiny/mlp b16 8-32-4",
        "model/mlp b64",
    }


def test_every_family_has_a_model_of_layers() -> None:
    assert {case.family for case in BY_NAME.values()} <= set(FAMILIES)


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_everyone_holds_every_place_equally_often(count: int) -> None:
    names = [f"n{i}" for i in range(count)]
    turns = [order(names, turn) for turn in range(2 * count)]
    assert all(sorted(turn) == names for turn in turns)
    for place in range(count):
        assert set(Counter(turn[place] for turn in turns).values()) == {2}


def test_nobody_always_follows_the_same_neighbour() -> None:
    names = ["a", "b", "c", "d"]
    pairs = {pair for turn in range(8) for pair in pairwise(order(names, turn))}
    assert {("a", "b"), ("b", "a")} <= pairs


def test_slow_contenders_take_fewer_turns_but_always_one() -> None:
    assert pace_of(1e-6, 15).turns == 15
    assert pace_of(2.0, 15).turns < 15
    assert pace_of(500.0, 15).turns == 1


def test_ceilings_are_measured_and_caches_are_faster_than_memory(tmp_path: Path) -> None:
    gauge = Gauge(compiled(tmp_path), tuple(sorted(os.sched_getaffinity(0))[-1:]))
    assert gauge.best(0, 0.01, 3) > 1
    assert gauge.best(16 << 10, 0.01, 3) > gauge.best(256 << 20, 0.01, 3) > 0.1


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run one case against torch, and against a package that cannot be imported."""
    folder = tmp_path_factory.mktemp("run")
    fake = "raise ModuleNotFoundError('No module named onnxruntime')"
    (folder / "onnxruntime.py").write_text(fake)
    path = folder / "result.json"
    against = "torch,onnxruntime,onnxruntime-c"
    arguments = ["--case", CASE, "--against", against, "--rounds", "2"]
    done = subprocess.run(
        [sys.executable, "-c", SMALL_CACHES, *arguments, "--json", str(path)],
        cwd=ROOT / "bench",
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(path.read_text())


def test_one_case_runs_end_to_end_and_is_written_down(run: Run) -> None:
    text, whole = run
    assert CASE in text
    assert set(whole) == {
        "machine",
        "versions",
        "threads",
        "rounds",
        "ceilings",
        "cases",
        "growth",
        "lines",
    }
    assert set(whole["ceilings"]) == {"1", "all"}
    assert set(whole["ceilings"]["1"]["read_gbs"]) == {"L1", "L2", "L3", "DRAM"}
    assert {"processor", "processors", "caches", "load"} <= set(whole["machine"])
    assert whole["versions"]["torch"] != "not installed"
    (case,) = whole["cases"]
    assert case["best_peer"] == "torch"
    assert case["ratio_median"] > 0 < case["ratio_min"]
    assert case["bound"]["seconds"] > 0


def test_every_turn_of_a_contender_is_written_down(run: Run) -> None:
    contenders = run[1]["cases"][0]["contenders"]
    for name in ("lxc", "lxc-c", "torch"):
        assert contenders[name]["status"] == "ok"
        assert len(contenders[name]["seconds"]) == 2
        assert contenders[name]["min"] <= contenders[name]["median"]
        assert contenders[name]["error"] < 1e-6


def test_a_contender_that_is_not_installed_is_listed_and_the_rest_runs(run: Run) -> None:
    text, whole = run
    contender = whole["cases"][0]["contenders"]["onnxruntime"]
    assert contender["status"] == "absent"
    assert contender["seconds"] == []
    assert "onnxruntime absent: No module named onnxruntime" in text
