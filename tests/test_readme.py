"""The README's commands are what the continuous integration runs, and its main job runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def command(mark: str) -> str:
    """Return the command below a mark in the README."""
    text = (ROOT / "README.md").read_text()
    found = re.search(rf"<!-- {mark} command -->\n```\n(.+?)\n```", text, re.DOTALL)
    assert found is not None
    return found.group(1)


@pytest.mark.slow
def test_the_main_command_works_in_an_empty_clone(tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "-q", ROOT, tmp_path / "clone"], check=True)
    done = subprocess.run(
        ["bash", "-c", command("main")],
        cwd=tmp_path / "clone",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "accuracy   99.17% of 360 test images" in done.stdout


def test_continuous_integration_runs_the_test_command() -> None:
    shown = subprocess.run(
        ["bash", ROOT / ".ci" / "run", "show"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == command("test").strip()
    assert command("test").endswith("-m pytest -q -n 2")


def test_the_example_classifies_the_digits(tmp_path: Path) -> None:
    script = ROOT / "examples" / "digits" / "classify.py"
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    accuracy = re.search(r"accuracy +([\d.]+)% of 360 .*reference ([\d.]+)%", done.stdout)
    assert accuracy is not None
    assert accuracy.group(1) == accuracy.group(2)
    assert float(accuracy.group(1)) > 98
    assert (tmp_path / "digits.svg").read_text().startswith("<svg")
