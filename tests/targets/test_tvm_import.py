"""TVM comes without torch, which stays as it was for everybody else."""

import subprocess
import sys
from types import ModuleType

from lxc.targets.tvm_packages import without_torch

CODE = """
import sys
import lxc.targets
assert "tvm" in sys.modules and "torch" not in sys.modules
import torch
print(int(torch.ones(3).sum()))
"""


def test_compiling_does_not_import_torch_and_does_not_hinder_it() -> None:
    command = [sys.executable, "-c", CODE]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["3"]


def test_torch_that_was_imported_before_is_left_alone() -> None:
    torch = ModuleType("torch")
    modules: dict[str, ModuleType | None] = {"torch": torch}
    with without_torch(modules):
        assert modules["torch"] is torch
    assert modules["torch"] is torch


def test_torch_is_hidden_only_inside() -> None:
    modules: dict[str, ModuleType | None] = {}
    with without_torch(modules):
        assert modules == {"torch": None}
    assert modules == {}
