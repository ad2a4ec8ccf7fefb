"""TF32 from the command line to an emulated card: it is used there, and told of."""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.cli.conftest import cli as cli
from tests.emulation.machines import cards

MODEL = """
import numpy as np
from lxc import nn

net = nn.Chain(nn.Conv((3, 3), 4, 16, nn.relu), nn.GlobalMeanPool(), nn.FlattenLayer(),
               nn.Dense(16, 40, nn.relu), nn.Dense(40, 8))
"""
NET = ("models.py:net", "--input", "x=f32[N,4,9,9]", "--dim", "N=1..8")


def test_a_model_in_tf32_runs_on_a_card_and_says_so(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text(MODEL)
    words = ("--target", "x86-64-v3,cuda", "--precision", "tf32")
    with cards():
        cli("compile", *NET, "-o", "net.lxc", *words, "--precision", "layer_5=float32")
        said = cli("verify", "net.lxc", "--json").json
    lower: dict[str, Any] = {}
    plain: dict[str, Any] = {}
    for target in said["targets"]:
        found = lower if target["name"] == "cuda" else plain
        found.update({one["name"]: one for one in target["results"]})
    assert lower.keys() == plain.keys()
    assert lower
    for name, one in lower.items():
        assert plain[name]["error"] < 1e-6 < 2e-5 < one["error"] <= one["allowed"] == 4e-3
    assert {one["precision"] for one in said["layers"]} == {"tf32"}
    assert [one["layer"] for one in said["layers"]] == ["layer_1", "layer_4"]
    for layer in said["layers"]:
        assert 0 < layer["error"] <= layer["allowed"] < 4e-3
    printed = cli("inspect", "net.lxc").out
    assert "less than float32: tf32 in kernels of layer_1; layer_4" in printed


@pytest.mark.parametrize(
    ("target", "rule"),
    [("cuda-sm90", "reduced"), ("x86-64-v3", "this target has no units for TF32")],
)
def test_explain_says_which_targets_use_it(
    cli: Cli, tmp_path: Path, target: str, rule: str
) -> None:
    (tmp_path / "models.py").write_text(MODEL)
    words = ("--target", target, "--precision", "tf32")
    with cards():
        lines = cli("explain", *NET, *words).out.splitlines()
    told = [line for line in lines if "layer_4.weight" in line and rule in line]
    assert len(told) == 1
