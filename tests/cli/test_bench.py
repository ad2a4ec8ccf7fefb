"""lxc bench: what is measured, what is said of it, and when it fails."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from lxc.benchmarking.contestant import Contestant
from lxc.benchmarking.measured import Measured, Turn
from lxc.benchmarking.model_calls import KINDS, Manner, model_contestant
from lxc.commands.given_values import values_for
from lxc.runtime.artifact import read
from lxc.runtime.checkpoint import Array, decode
from tests.cli.conftest import Cli

FEW = ("--rounds", "6", "--json")
PERCENTILES = ["min", "p50", "p90", "p95", "p99"]


def test_a_benchmark_says_what_and_where_it_measured(cli: Cli, net: Path) -> None:
    said = cli("bench", "net.lxc", "--dim", "N=4", "--threads", "1", *FEW).json
    (own,) = said["measured"]
    assert own["sha256"] == read(net).sha256
    assert (own["target"], own["call"], own["threads"]) == ("x86-64-v3", "placed", 1)
    assert (said["dimensions"], said["rows_per_call"]) == ({"N": 4}, 4)
    assert own["rows_per_second"] == 4 * own["calls_per_second"]
    times = [own["times"][name] for name in PERCENTILES]
    assert times == sorted(times)
    assert times[0] > 0
    assert own["median"]["low"] <= own["median"]["median"] <= own["median"]["high"]
    assert own["median"]["confidence"] >= 0.95
    assert len(own["rounds"]) == 6
    assert said["compared"] == []
    assert said["machine"]["processors"] == sorted(os.sched_getaffinity(0))
    assert said["versions"]["numpy"] == np.__version__


@pytest.mark.parametrize("source", ["layer", "cell", "several", "sequence"])
def test_every_kind_of_call_of_every_family_gives_the_same(cli: Cli, source: str) -> None:
    shape = "x=f32[N,3]" if source != "sequence" else "x=f32[N,4,3]"
    inputs = ("--input", shape, "--dim", "N=1..8", "--target", "x86-64-v3")
    cli("compile", f"models.py:{source}", *inputs, "-o", "m.lxc")
    path = Path("m.lxc")
    artifact = read(path)
    given = values_for(artifact, (), ("N=3",), {"params": None, "state": None})
    results = {}
    for kind in KINDS:
        one = model_contestant(kind, path, given, Manner(kind, "x86-64-v3", 1))
        assert one.facts["call"] == kind
        results[kind] = {name: array.copy() for name, array in one.outputs().items()}
        one.call()
    names = [leaf.name for leaf in artifact.signature.outputs.leaves]
    for found in results.values():
        assert list(found) == names
        if source != "cell":
            for name in names:
                np.testing.assert_array_equal(found[name], results["generic"][name])
    # A placed call goes on with the state that the one before left.
    if source == "cell":
        np.testing.assert_array_equal(results["bound"]["y"], results["generic"]["y"])
        assert (results["placed"]["y"] != results["generic"]["y"]).any()


def test_an_artifact_can_be_compared_with_itself(cli: Cli, net: Path) -> None:
    said = cli("bench", "net.lxc", "--compare", "net.lxc", *FEW).json
    assert [one["name"] for one in said["measured"]] == ["net.lxc", "net.lxc again"]
    (compared,) = said["compared"]
    assert compared["other"] == "net.lxc again"
    assert compared["outputs_apart"] == 0


def planted(seconds: Mapping[str, float]) -> Callable[..., dict[str, Measured]]:
    """Return what stands for measuring: everyone takes so long."""

    def play(contestants: Sequence[Contestant], *rest: object) -> dict[str, Measured]:
        return {
            one.name: Measured(
                one.name, 2, 3, [Turn(np.full(4, seconds[one.name]), 1.0, 1.0, 0)] * 8
            )
            for one in contestants
        }

    return play


def test_the_verdict_is_told_and_only_a_limit_fails(
    cli: Cli, net: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("bench", "net.lxc", "--compare", "net.lxc")
    for own, word, told in (
        (1.2, "slower", "SLOWER than"),
        (0.5, "faster", "FASTER than"),
        (1.005, "same", "as fast as"),
    ):
        times = {"net.lxc": own * 2e-6, "net.lxc again": 2e-6}
        monkeypatch.setattr("lxc.commands.bench.play", planted(times))
        printed = cli(*words, "--fail-above", "1.2").out
        ratio = f"time ratio {own:.3f}, between {own:.3f} and {own:.3f} with 99% confidence"
        assert f"net.lxc is {told} net.lxc again: {ratio}" in printed
        status = 1 if own > 1.1 else 0
        said = cli(*words, "--fail-above", "1.1", "--json", status=status).json
        assert said["compared"][0]["verdict"] == word


def test_people_read_times_with_their_units(
    cli: Cli, net: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lxc.commands.bench.play", planted({"net.lxc": 1.25e-6}))
    words = ("--input", "x=zeros", "--dim", "N=2", "--call", "bound", "--threads", "1")
    printed = cli("bench", "net.lxc", *words).out
    assert "call:     bound, x86-64-v3, threads: 1\n" in printed
    assert (
        "values:   inputs: x=zeros; params: the artifact; state: the artifact; N=2"
        in printed
    )
    assert "measured: 64 calls in 8 rounds, 2 at a time\n" in printed
    (row,) = (line for line in printed.splitlines() if line.startswith("  net.lxc"))
    assert row.split() == ["net.lxc", *["1.25", "µs"] * 6, "800,000", "1,600,000"]
    median = "net.lxc: median 1.25 µs, between 1.25 µs and 1.25 µs with 99% confidence\n"
    assert median in printed


def test_models_that_do_not_compute_the_same_are_told_of(cli: Cli, net: Path) -> None:
    command = ("compile", "models.py:net", "--input", "x=f32[N,3]", "--dim", "N=1..8")
    cli(*command, "-o", "other.lxc", "--seed", "7", "--target", "x86-64-v3")
    said = cli("bench", "net.lxc", "--compare", "other.lxc", "--threads", "1", *FEW).json
    assert said["compared"][0]["outputs_apart"] > 1e-3
    assert any("does not compute the same" in one for one in said["warnings"])


def onnx_file(path: Path, weights: Mapping[str, Array], **names: str) -> None:
    """Write a dense layer without bias in ONNX's format."""
    x, y = names.get("x", "x"), names.get("y", "y")
    node = helper.make_node("Gemm", [x, "weight", "bias"], [y], transB=1)
    graph = helper.make_graph(
        [node],
        "dense",
        [helper.make_tensor_value_info(x, TensorProto.FLOAT, ["N", 3])],
        [helper.make_tensor_value_info(y, TensorProto.FLOAT, ["N", 5])],
        [numpy_helper.from_array(np.array(one), key) for key, one in weights.items()],
    )
    imports = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=imports, ir_version=8), path)


@pytest.fixture
def dense(cli: Cli) -> dict[str, Array]:
    """Return the weights of dense.lxc, one layer."""
    shape = ("--input", "x=f32[N,3]", "--dim", "N=1..8", "--target", "x86-64-v3")
    cli("compile", "models.py:make", *shape, "-o", "dense.lxc")
    stored = decode(read(Path("dense.lxc")).view("params.safetensors")).arrays
    return {name.rpartition(".")[2]: array for name, array in stored.items()}


def test_onnx_runtime_gets_the_same_inputs(cli: Cli, dense: dict[str, Array]) -> None:
    rival = ("--vs", "onnxruntime", "--onnx", "dense.onnx", "--threads", "1")
    for names in ({}, {"x": "images", "y": "logits"}):
        onnx_file(Path("dense.onnx"), dense, **names)
        said = cli("bench", "dense.lxc", *rival, "--dim", "N=3", *FEW).json
        assert [one["name"] for one in said["measured"]] == ["dense.lxc", "onnxruntime"]
        assert said["measured"][1]["threads"] == 1
        assert 0 <= said["compared"][0]["outputs_apart"] < 1e-5
    onnx_file(Path("dense.onnx"), {**dense, "bias": dense["bias"] + 1})
    said = cli("bench", "dense.lxc", *rival, *FEW).json
    assert any("onnxruntime does not compute the same" in one for one in said["warnings"])


def test_what_onnx_runtime_refuses_is_told_in_one_line(
    cli: Cli, net: Path, dense: dict[str, Array]
) -> None:
    rival = ("--vs", "onnxruntime", "--onnx")
    Path("note.onnx").write_text("no model")
    for name in ("note.onnx", "none.onnx"):
        said = cli("bench", "net.lxc", *rival, name, status=2).err
        assert f"error[LXC-E0002]: onnxruntime cannot read {name}\n  actual:" in said
    onnx_file(Path("dense.onnx"), dense)
    said = cli("bench", "net.lxc", *rival, "dense.onnx", status=2).err
    assert "LXC-E0001" in said
    assert "does not return what net.lxc returns" in said
    cli(
        "compile",
        "models.py:pair",
        "-o",
        "pair.lxc",
        "--target",
        "x86-64-v3",
        "--input",
        "x.0=f32[1,3]",
        "--input",
        "x.1=f32[1,4]",
    )
    said = cli("bench", "pair.lxc", *rival, "dense.onnx", status=2).err
    assert "takes other inputs" in said
    cli(
        "compile",
        "models.py:make",
        "-o",
        "long.lxc",
        "--target",
        "x86-64-v3",
        "--input",
        "x=f32[3]",
    )
    said = cli("bench", "long.lxc", *rival, "dense.onnx", status=2).err
    assert "onnxruntime does not run dense.onnx on these inputs" in said


def test_a_broken_installation_of_a_rival_is_named(
    cli: Cli, net: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("onnxruntime.py").write_text("raise ImportError('a library is missing')\n")
    monkeypatch.syspath_prepend(".")
    for name in ("onnxruntime", "lxc.benchmarking.onnx_runtime"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    said = cli("bench", "net.lxc", "--vs", "onnxruntime", "--onnx", "a.onnx", status=4).err
    assert "which cannot be imported" in said
    assert "a library is missing" in said
