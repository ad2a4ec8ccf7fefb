"""An ONNX file is a SOURCE like any other: its inputs and parameters are its own."""

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

import lxc
from tests.cli.conftest import Cli
from tests.conftest import Golden
from tests.onnx.graphs import FLOAT, by_onnxruntime, model_proto

GOLDEN = Path(__file__).parent.parent / "errors" / "golden"
WEIGHT = np.arange(6, dtype=np.float32).reshape(3, 2) - 2


@pytest.fixture
def source(cli: Cli) -> str:
    """Return the name of a small ONNX file in the folder of the test."""
    nodes = [
        helper.make_node("Gemm", ["features", "head.weight"], ["h"], name="/head/Gemm"),
        helper.make_node("Relu", ["h"], ["scores"], name="/Relu"),
    ]
    inputs = {"features": (FLOAT, ["N", 3])}
    weights = {"head.weight": WEIGHT}
    onnx.save(model_proto(nodes, inputs, ["scores"], weights), "net.onnx")
    return "net.onnx"


def test_a_file_compiles_with_its_own_inputs_and_parameters(cli: Cli, source: str) -> None:
    options = ("--target", "x86-64-v2", "--dim", "N=1..8", "--json")
    made = cli("compile", source, "-o", "net.lxc", *options).json
    assert made["params"] == source
    x = np.random.default_rng(0).standard_normal((3, 3)).astype(np.float32)
    np.save("x.npy", x)
    cli("run", "net.lxc", "--input", "x=@x.npy", "--output", "y=@y.npy")
    (wanted,) = by_onnxruntime(Path(source), {"features": x})
    np.testing.assert_allclose(np.load("y.npy"), wanted, rtol=1e-6)
    cli("verify", "net.lxc")


def test_the_type_of_an_input_and_the_parameters_may_be_others(
    cli: Cli, source: str
) -> None:
    lxc.save_params("other.safetensors", {"head": {"weight": WEIGHT * 2}})
    given = ("--input", "features=f32[4,3]", "--params", "other.safetensors")
    options = ("--target", "x86-64-v2", "--json")
    made = cli("compile", source, "-o", "net.lxc", *given, *options).json
    assert made["params"] == "other.safetensors"
    x = np.ones((4, 3), np.float32)
    np.save("x.npy", x)
    cli("run", "net.lxc", "--input", "x=@x.npy", "--output", "y=@y.npy")
    np.testing.assert_allclose(np.load("y.npy"), np.maximum(x @ WEIGHT * 2, 0))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("onnx-open-dimension", ()),
        ("onnx-unknown-input", ("--input", "y=f32[1,3]")),
        ("onnx-unused-dimension", ("--dim", "N=1..8", "--dim", "M=1..8")),
    ],
)
def test_what_does_not_fit_the_file_is_refused(
    cli: Cli, source: str, golden: Golden, name: str, options: tuple[str, ...]
) -> None:
    found = cli("compile", source, "-o", "net.lxc", *options, status=2)
    golden.compare(GOLDEN / f"{name}.txt", found.err)


def test_without_the_package_the_message_says_what_to_install(
    cli: Cli, source: str, golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("files", "nodes", "reader"):
        monkeypatch.delitem(sys.modules, f"lxc.frontend.onnx.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "onnx", None)
    found = cli("compile", source, "-o", "net.lxc", status=4)
    golden.compare(GOLDEN / "onnx-is-not-installed.txt", found.err)
