"""The card of a machine that has one: `python -m pytest tests/targets -m gpu -s`.

What other machines run emulated runs here on the card, compiled by NVIDIA's compiler and
launched by NVIDIA's driver: in processes of their own, where no other driver is.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lxc.targets import TARGETS

ROOT = Path(__file__).parent.parent.parent
FIND = """
from lxc.runtime.cards.machine import find_cards
print(*find_cards(None).capabilities.values())
"""
HAS_CARD = any(Path("/dev").glob("nvidia[0-9]*"))
SANITIZER = shutil.which("compute-sanitizer")
PROCESSES = max(4, min(16, os.cpu_count() or 4))
MOST_SECONDS = 1800
FORMS = ("tests/cards/test_forms.py", "-m", "slow or not slow")
"""Models of the sizes that cards have forms for."""
SUITES = {"ops": ("tests/ops",), "conformance": ("tests/conformance",), "forms": FORMS}
WATCHED = (
    "tests/ops/test_reductions.py",
    "tests/ops/test_gather.py",
    "tests/conformance/test_attention.py",
    "tests/conformance/test_layer_norm.py",
    "tests/conformance/test_recurrence.py",
)
"""Tests that take few launches each: watched code is slow."""

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not HAS_CARD, reason="no card of NVIDIA is here (/dev/nvidia0)"),
]


@pytest.fixture(scope="module")
def target() -> str:
    """Return the target for the first card, or that for all cards if it is a newer one."""
    found = finished([sys.executable, "-c", FIND])
    name = f"cuda-sm{found.stdout.split()[0]}"
    return name if name in TARGETS else "cuda"


def finished(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command in the checkout to its end; it must succeed."""
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=MOST_SECONDS, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-8000:]
    return done


def run_of(target: str, *paths: str, processes: int) -> list[str]:
    """Return the command that runs tests on the card.

    It goes on after a failure, but not for long: the first one may have cost its process
    the card.
    """
    options = ["--target", target, "--card", "-q", "--maxfail=10", "--tb=short"]
    return [sys.executable, "-m", "pytest", *options, "-n", str(processes), *paths]


@pytest.mark.parametrize("suite", SUITES)
def test_a_card_gives_what_its_emulation_gives(suite: str, target: str) -> None:
    done = finished(run_of(target, *SUITES[suite], processes=PROCESSES))
    print(done.stdout.splitlines()[-1])


@pytest.mark.skipif(SANITIZER is None, reason="compute-sanitizer is not on the PATH")
@pytest.mark.parametrize("tests", [WATCHED, FORMS], ids=["small", "forms"])
@pytest.mark.parametrize("tool", ["memcheck", "racecheck", "synccheck"])
def test_kernels_touch_only_what_is_theirs(
    tool: str, tests: tuple[str, ...], target: str
) -> None:
    # The compilers that tests start use no card.
    only = ["--target-processes", "application-only"]
    watch = [str(SANITIZER), "--tool", tool, *only, "--error-exitcode", "9"]
    done = finished([*watch, *run_of(target, *tests, processes=0)])
    assert "ERROR SUMMARY: 0 errors" in done.stdout or "0 hazards" in done.stdout
