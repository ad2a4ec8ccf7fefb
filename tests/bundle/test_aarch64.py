"""A bundle for another kind of processor: linked here, run in an emulator."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.bundle.conftest import STATIC, printed, written
from tests.bundle.models import kinds_bundle

COMPILER, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64"


def test_a_bundle_for_arm_passes_its_check(tmp_path: Path) -> None:
    missing = [tool for tool in (COMPILER, EMULATOR) if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    written(kinds_bundle("neoverse-n1"), tmp_path)
    command = [COMPILER, "-static", "example.c", "libkinds.a", *STATIC, "-o", "example"]
    subprocess.run(command, cwd=tmp_path, check=True)
    said = printed(EMULATOR, "-cpu", "max", tmp_path / "example")
    assert "y.i64: 0 2 4 6 8 10" in said.splitlines()
    old = [EMULATOR, "-cpu", "cortex-a57", str(tmp_path / "example")]
    done = subprocess.run(old, capture_output=True, text=True, check=False)
    assert done.stderr == "the check: this processor lacks dotprod\n"
