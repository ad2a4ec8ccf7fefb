"""Each check of lxc doctor tells what is wrong and how to repair it."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import NoReturn

import pytest

from lxc.commands import checks
from lxc.commands.checks import (
    check_card_compilers,
    check_cards,
    check_compiler,
    check_packages,
    check_processor,
    check_python,
    check_trial,
    check_tvm,
    run_command,
)
from lxc.runtime.cards.machine import Cards


def ended(status: int, out: str = "", err: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess([], status, out, err)


def test_a_wrong_pair_of_tvm_packages_comes_with_the_command_that_repairs_it() -> None:
    said = "error[LXC-E0303]: the wrong ones\n  actual:   x\n  hint:     pip install y==1\n"
    finding = check_tvm(ended(4, err=said))
    assert not finding.fine
    assert "error[LXC-E0303]: the wrong ones" in finding.found
    assert finding.fix == "pip install y==1"


def test_a_crash_without_words_is_told_by_its_status() -> None:
    assert "ended with status -11" in check_tvm(ended(-11)).found


def test_a_processor_that_runs_nothing_is_found() -> None:
    rows = '{"targets": [{"name": "x86-64-v4", "runs": false}]}'
    finding = check_processor(ended(0, rows))
    assert not finding.fine
    assert "runs no target" in finding.found
    assert check_processor(ended(0, rows.replace("false", "true"))).fine
    assert check_processor(ended(1)).fix == "repair TVM first"


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> NoReturn:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    finding = check_packages()
    assert not finding.fine
    assert "rich missing" in finding.found
    assert finding.fix.startswith("pip install numpy ml_dtypes")


def test_an_old_python_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_python().fine
    monkeypatch.setattr(sys, "version_info", (3, 10, 2))
    assert check_python().fix == "install Python 3.11"


def test_a_compiler_that_fails_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert check_compiler().fine
    false = tmp_path / "cc"
    false.write_text("#!/bin/sh\necho stdlib.h is missing >&2\nexit 1\n")
    false.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = check_compiler()
    assert not finding.fine
    assert "stdlib.h is missing" in finding.found


def test_compilers_for_cards_are_named_and_not_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = {"both": ended(0, "nvcc 13.0.48\nNVRTC 13.0\n"), "none": ended(0)}
    hint = "error[LXC-E0310]: cannot map NVRTC\n  hint:     do y\n"
    said["broken"] = ended(1, err=hint)
    found = {}
    for name, one in said.items():
        monkeypatch.setattr(checks, "run_python", lambda *_, one=one: one)
        found[name] = check_card_compilers()
    assert all(one.fine for one in found.values())
    assert (found["both"].found, found["both"].absent) == (
        "nvcc 13.0.48, NVRTC 13.0",
        False,
    )
    assert (found["none"].fix, found["none"].absent) == (
        "pip install nvidia-cuda-nvrtc",
        True,
    )
    assert (found["broken"].fix, found["broken"].absent) == ("do y", True)


def test_cards_are_named_and_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "find_cards", lambda _: Cards(13000, {0: 90}))
    assert check_cards().found == "a driver for CUDA 13.0, card 0 of compute capability 9.0"
    assert not check_cards().absent
    monkeypatch.setattr(checks, "find_cards", lambda _: Cards(0, {}, "no driver"))
    finding = check_cards()
    assert finding.fine
    assert finding.absent
    assert finding.fix.startswith("apt install nvidia-driver")


def test_a_trial_that_fails_shows_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        checks, "run_python", lambda *_: ended(1, err="error: no\n hint: do x")
    )
    finding = check_trial()
    assert (finding.fine, finding.found, finding.fix) == (False, "error: no", "do x")


def test_a_command_that_does_not_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "PATIENCE", 0.1)
    finished = run_command([sys.executable, "-c", "import time; time.sleep(60)"])
    assert finished.returncode == 1
    assert "no end within" in finished.stderr
    assert run_command(["/no/such/program"]).returncode == 1
