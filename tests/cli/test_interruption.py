"""Ctrl-C in the middle of compiling leaves nothing unfinished behind."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import lxc
from tests.cli.conftest import MODELS, NET

PROGRAM = """
import signal, sys
from lxc.__main__ import run
signal.signal(signal.SIGINT, signal.default_int_handler)
print("ready", flush=True)
status = run(sys.argv[1:])
print("done", flush=True)
sys.exit(status)
"""


@pytest.mark.parametrize("delay", [0.1, 0.5, 0.9, 2.0])
def test_an_interrupted_compilation_leaves_no_part_of_a_file(
    tmp_path: Path, delay: float
) -> None:
    shutil.copy(MODELS, tmp_path)
    arguments = ["compile", *NET, "-o", "net.lxc"]
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=tmp_path,
        env={"PYTHONPATH": str(MODELS.parents[2]), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        rest, printed = process.communicate(timeout=60)
    left = {path.name for path in tmp_path.iterdir()} - {"models.py", "__pycache__"}
    if rest.endswith("done\n") and process.returncode in (0, -signal.SIGINT):
        # It was faster than the signal, which may have found Python shutting down.
        assert left == {"net.lxc"}
        return
    assert process.returncode == 130
    assert printed.split() == ["interrupted"]
    if left:
        # The signal came between the last step, which puts the whole file in its place, and
        # the end of the program.
        assert left == {"net.lxc"}
        lxc.load(tmp_path / "net.lxc")
