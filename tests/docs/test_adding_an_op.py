"""The page about ops says all that one needs: a copy of lxc that follows it has the op."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FENCE = r"```(?:py|text)\n(.*?)^```$"
STEP = re.compile(rf"^<!-- ([^\n]+) -->\n{FENCE}", re.MULTILINE | re.DOTALL)
PLACE = re.compile(r'before "(.+)" in (\S+)')
PACKAGES = ("lxc", "frontend", "ir", "passes", "runtime", "targets")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder with the packages of lxc as they lie in the repository."""
    for name in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, symlinks=True, ignore=ignored)
    return tmp_path


def test_a_copy_that_follows_the_page_has_the_op(copy: Path) -> None:
    steps = STEP.findall((ROOT / "docs" / "add-an-op.md").read_text("utf-8"))
    checks = [text for where, text in steps if where == "run"]
    for where, text in steps:
        if where.startswith("file "):
            (copy / where.removeprefix("file ")).write_text(text, "utf-8")
        elif where != "run":
            insert(copy, where, text)
    assert len(checks) == 1
    done = subprocess.run(
        [sys.executable, "-c", checks[0]],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def insert(folder: Path, where: str, text: str) -> None:
    """Put lines in front of every line of a file that is the one given."""
    found = PLACE.fullmatch(where)
    assert found is not None, where
    path = folder / found[2]
    lines = path.read_text("utf-8").splitlines(keepends=True)
    assert f"{found[1]}\n" in lines, where
    written = [text + line if line == f"{found[1]}\n" else line for line in lines]
    path.write_text("".join(written), "utf-8")
