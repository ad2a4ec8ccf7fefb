"""lxc verify: code against IR, and what lower precision loses."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lxc.commands.model import ModelOptions, TracedModel, traced_model
from lxc.compilation import artifact_of
from lxc.passes import Choices
from lxc.passes.precision import plan_of
from lxc.runtime.artifact import read
from lxc.runtime.checkpoint import write_checkpoint
from lxc.runtime.features import Machine
from tests.cli.conftest import NET, Cli

IR = "ir/traced.lxir"
TARGETS = "x86-64-v2,x86-64-v3"


def altered(path: Path, old: str, new: str) -> None:
    """Replace some text in the IR of an artifact, which must have it."""
    artifact = read(path)
    text = artifact.read(IR).decode()
    assert old in text
    encoded = artifact.with_members({IR: text.replace(old, new, 1).encode()})
    path.write_bytes(encoded)


def results(said: Any) -> dict[str, Any]:
    """Return every result of every target, by both names."""
    return {
        f"{target['name']} {found['name']}": found
        for target in said["targets"]
        for found in target["results"]
    }


def test_code_agrees_with_its_ir_on_every_target(cli: Cli, net: Path) -> None:
    printed = cli("verify", "net.lxc").out
    assert printed.endswith("net.lxc agrees with its IR\n")
    said = cli("verify", "net.lxc", "--json").json
    assert said["agrees"]
    assert said["dimensions"] == {"N": 5}
    assert said["origins"]["params"] == "the artifact"
    found = results(said)
    assert set(found) == {"x86-64-v2 y", "x86-64-v3 y"}
    for one in found.values():
        assert 0 < one["error"] <= one["allowed"] < 1e-4
        assert one["max_ulp"] >= one["ulp_99.9"] >= 0
        assert one["cosine"] == pytest.approx(1, abs=1e-6)
    assert cli("verify", "net.lxc", "--json").json == said


def test_another_constant_in_the_ir_is_noticed(cli: Cli, net: Path) -> None:
    altered(net, "value = [0x0p+0]", "value = [0x1p-8]")
    printed = cli("verify", "net.lxc", status=1).out
    assert "DIFFERS" in printed
    assert printed.endswith("net.lxc differs from its IR: x86-64-v2, x86-64-v3\n")
    said = cli("verify", "net.lxc", "--json", status=1).json
    assert not said["agrees"]


def test_the_code_of_a_changed_model_is_noticed(cli: Cli, net: Path) -> None:
    Path("other.py").write_text(
        "from lxc import nn\n"
        "net = nn.Chain(nn.Dense(3, 4, nn.relu6), nn.BatchNorm(4), nn.Dense(4, 2))\n"
    )
    cli("compile", "other.py:net", *NET[1:], "-o", "b.lxc", "--target", "x86-64-v2")
    text = read(net).read(IR)
    encoded = read(Path("b.lxc")).with_members({IR: text})
    Path("b.lxc").write_bytes(encoded)
    # The two activations are one below 6.
    cli("verify", "b.lxc")
    np.save("x.npy", np.full((2, 3), 50, np.float32))
    printed = cli("verify", "b.lxc", "--input", "x=@x.npy", status=1).out
    assert "DIFFERS" in printed


def test_the_name_of_the_file_may_be_any(cli: Cli, net: Path) -> None:
    cli("compile", *NET, "-o", "my net-2.lxc", "--target", "x86-64-v2")
    cli("verify", "my net-2.lxc")


def test_values_may_come_from_files(cli: Cli, net: Path) -> None:
    artifact = read(net)
    random = np.random.default_rng(1)
    for section in ("params", "state"):
        group = artifact.signature.groups[section]
        arrays = {
            leaf.name: np.abs(random.standard_normal(leaf.shape_at({}))).astype(leaf.dtype)
            for leaf in group.leaves
        }
        write_checkpoint(f"{section}.safetensors", arrays)
    np.save("x.npy", random.standard_normal((7, 3)).astype(np.float32))
    files = ("--params", "params.safetensors", "--state", "state.safetensors")
    said = cli("verify", "net.lxc", *files, "--input", "x=@x.npy", "--json").json
    assert said["dimensions"] == {"N": 7}
    assert said["origins"] == {
        "inputs": "x=@x.npy",
        "params": "params.safetensors",
        "state": "state.safetensors",
    }


@pytest.mark.parametrize("source", ["cell", "layer", "several"])
def test_models_of_both_families_and_with_state_are_verified(cli: Cli, source: str) -> None:
    inputs = ("--input", "x=f32[N,3]", "--dim", "N=1..8", "--target", "x86-64-v3")
    cli("compile", f"models.py:{source}", *inputs, "-o", "m.lxc")
    found = results(cli("verify", "m.lxc", "--json").json)
    assert any(" state " in name for name in found) == (source == "cell")
    assert all(one["agrees"] for one in found.values())


def test_parameters_that_nobody_has_are_drawn(cli: Cli) -> None:
    model = traced()
    encoded = artifact_of(model.graph, "x86-64-v3", name="bare")
    Path("bare.lxc").write_bytes(encoded)
    said = cli("verify", "bare.lxc", "--json").json
    assert said["origins"] == dict.fromkeys(("inputs", "params", "state"), "drawn")
    assert cli("verify", "bare.lxc", "--json").json == said


def traced() -> TracedModel:
    return traced_model(
        ModelOptions("models.py:net", NET[2:3], NET[4:5], "test", 0, None, None), "net"
    )


def test_integers_are_held_against_what_they_cost(cli: Cli) -> None:
    command = ("compile", *NET, "-o", "net.lxc", "--target", TARGETS)
    cli(*command, "--precision", "int8", "--precision", "layer_3=float32")
    said = cli("verify", "net.lxc", "--json").json
    for one in results(said).values():
        assert one["numpy_error"] < 1e-6 < 1e-4 < one["error"] <= one["allowed"]
        assert one["allowed"] < 1.3 * one["error"]
    (layer,) = said["layers"]
    assert (layer["layer"], layer["precision"]) == ("layer_1", "int8")
    assert 0 < layer["error"] <= layer["allowed"] < 0.05
    printed = cli("verify", "net.lxc").out
    assert "lower precision, given exact factors" in printed
    altered(Path("net.lxc"), "value = [0x0p+0]", "value = [0x1p-6]")
    assert "DIFFERS" in cli("verify", "net.lxc", status=1).out


def test_factors_of_half_the_size_are_held_against_their_bound(cli: Cli) -> None:
    command = ("compile", *NET, "-o", "net.lxc", "--target", "x86-64-v3")
    cli(*command, "--precision", "bf16")
    said = cli("verify", "net.lxc", "--json").json
    for one in results(said).values():
        assert 1e-4 < one["error"] <= one["allowed"] == 1.6e-2
    assert [layer["layer"] for layer in said["layers"]] == ["layer_1", "layer_3"]
    for layer in said["layers"]:
        assert layer["precision"] == "bf16"
        assert 0 < layer["error"] <= layer["allowed"] < 1.6e-2


def test_lower_precision_that_nobody_told_of_differs(cli: Cli) -> None:
    model = traced()
    encoded = artifact_of(
        model.graph,
        "x86-64-v3",
        name="net",
        choices=Choices(precision=plan_of("int8")),
        params=model.params,
        state=model.state,
    )
    Path("net.lxc").write_bytes(encoded)
    assert "DIFFERS" in cli("verify", "net.lxc", status=1).out


def test_code_for_other_machines_is_named(
    cli: Cli, net: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = read(net).targets[0].features
    here = Machine("x86_64", frozenset(features), "9.9")
    monkeypatch.setattr("lxc.runtime.model.this_machine", lambda: here)
    printed = cli("verify", "net.lxc").out
    assert "x86-64-v3 was not run" in printed
    assert "x86-64-v2, errors" in printed
    nowhere = Machine("x86_64", frozenset(), "9.9")
    monkeypatch.setattr("lxc.runtime.model.this_machine", lambda: nowhere)
    said = cli("verify", "net.lxc", status=5).err
    assert "LXC-E0405" in said
    assert said.count("can run") == 1
    assert "actual:   x86-64-v2 (needs cx16, " in said
    assert "lxc upgrade" in said


def test_the_ir_must_be_that_of_the_model(cli: Cli, net: Path) -> None:
    other = b"graph @m lux { input %x: f32[2] %0: f32[2] = negate(%x) return %0 }"
    net.write_bytes(read(net).with_members({IR: other}))
    assert "LXC-E0410" in cli("verify", "net.lxc", status=5).err


def test_inspect_and_explain_tell_of_lower_precision(cli: Cli, net: Path) -> None:
    assert "precision: " in cli("inspect", "net.lxc").out
    assert "less than float32" not in cli("inspect", "net.lxc").out
    assert "reduced " not in cli("explain", "net.lxc").out
    words = ("--precision", "int8", "--precision", "layer_3=float32")
    cli("compile", *NET, "-o", "low.lxc", "--target", "x86-64-v3", *words)
    printed = cli("inspect", "low.lxc", "--kernels").out
    assert "less than float32: int8 in kernels of layer_1" in printed
    assert "int8, layer_3=float32" in printed
    kernels = cli("inspect", "low.lxc", "--json").json["targets"][0]["kernels"]
    products = {
        kernel["ops"].partition("+")[0]: kernel["precision"]
        for kernel in kernels
        if "dot" in kernel["ops"]
    }
    assert set(products.values()) == {"int8", "float32"}
    lines = cli("explain", *NET, "--target", "x86-64-v3", *words).out.splitlines()
    told = [line for line in lines if line.startswith(("reduced ", "float32 "))]
    assert told == [
        "reduced  layer_1 @layer_1.weight f32[4, 3] -> layer_1 dot_general f32[N, 4]: "
        "int8: the weight is read as 8-bit integers with one scale per column",
        "float32  layer_3 @layer_3.weight f32[2, 4] -> layer_3 dot_general f32[N, 2]: "
        "float32: the plan keeps this layer in float32",
    ]
