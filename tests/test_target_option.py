"""The option that chooses targets counts wherever tests are named on the command line."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_tests_that_are_named_run_on_the_chosen_target_alone() -> None:
    options = ["--target", "cuda", "--collect-only", "-q", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", "tests/ops/test_shapes.py", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "bit_by_bit[cuda]" in done.stdout
    assert "x86-64" not in done.stdout
