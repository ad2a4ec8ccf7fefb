"""lxc params: files of parameters listed, renamed, cast and converted."""

import doctest
import json
import re
import shlex
import zipfile
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

import lxc
from tests.cli.conftest import Cli
from tests.cli.models import net as model
from tests.parameters.test_torch import arrays_of, drawn, torch_result

Array = np.ndarray[Any, Any]
ROOT = Path(__file__).parents[2]


def twin() -> torch.nn.Module:
    """Return what models.py:net is in torch."""
    return torch.nn.Sequential(
        torch.nn.Linear(3, 4),
        torch.nn.ReLU(),
        torch.nn.BatchNorm1d(4),
        torch.nn.Linear(4, 2),
    )


@pytest.fixture
def weights(cli: Cli) -> torch.nn.Module:
    """Write torch.safetensors and return the module whose parameters are in there."""
    module = twin()
    save_file(arrays_of(module), "torch.safetensors")
    return module


def test_a_list_names_every_array(cli: Cli, weights: torch.nn.Module) -> None:
    printed = cli("params", "torch.safetensors").out
    for name, array in load_file("torch.safetensors").items():
        (line,) = (line for line in printed.splitlines() if line.split()[:1] == [name])
        assert array.dtype.name in line
        assert str(list(array.shape)) in line
    assert "9 arrays, 43 numbers, 176 B" in printed.splitlines()[-1]


def test_one_array_is_told_as_one(cli: Cli) -> None:
    save_file({"a": np.zeros(3, np.float32)}, "p.safetensors")
    assert "1 array, 3 numbers, 12 B" in cli("params", "p.safetensors").out


def test_json_has_names_types_and_statistics(cli: Cli) -> None:
    values = np.array([[1, np.nan], [-4, 3]], np.float32)
    arrays: Any = {"a": values, "b": np.array([], np.int64), "c": np.array([np.inf])}
    save_file({**arrays, "d": values.astype(ml_dtypes.bfloat16)}, "p.safetensors")
    said = cli("params", "p.safetensors", "--stats", "--json").json
    assert (said["parameters"], said["bytes"]) == (9, 32)
    rows = {row["name"]: row for row in said["arrays"]}
    numbers = {"min": -4.0, "max": 3.0, "mean": 0.0, "not_finite": 1}
    assert rows["a"] == {
        "name": "a",
        "dtype": "float32",
        "shape": [2, 2],
        "bytes": 16,
        **numbers,
    }
    assert rows["d"] == {**rows["a"], "name": "d", "dtype": "bfloat16", "bytes": 8}
    for name, count in (("b", 0), ("c", 1)):
        assert rows[name]["not_finite"] == count
        assert rows[name]["min"] is rows[name]["max"] is rows[name]["mean"] is None
    assert "min" not in cli("params", "p.safetensors", "--json").json["arrays"][0]
    assert "-4" in cli("params", "p.safetensors", "--stats").out


def test_npz_and_artifacts_are_read_too(cli: Cli, net: Path) -> None:
    ps, st = lxc.setup(3, model)
    names: dict[str, Any] = lxc.flat_names(ps)
    np.savez_compressed("p.npz", **names)
    lxc.load("net.lxc").save("both.lxc", params=ps, state=lxc.testmode(st))
    cli("params", "p.npz", "--to", "a.safetensors")
    cli("params", "both.lxc", "--to", "b.safetensors")
    for output, prefix in (("a", ""), ("b", "params.")):
        found = load_file(f"{output}.safetensors")
        for name, array in lxc.flat_names(ps).items():
            np.testing.assert_array_equal(found[prefix + name], array)
    said = cli("params", "both.lxc", "--json").json
    listed = {row["name"] for row in said["arrays"]}
    assert {"params.layer_1.weight", "state.layer_2.running_mean"} <= listed


@pytest.mark.parametrize("like", ["models.py:net", "stated.lxc"])
def test_parameters_of_torch_run_in_an_artifact(
    cli: Cli, net: Path, weights: torch.nn.Module, like: str
) -> None:
    ps, st = lxc.setup(3, model)
    lxc.load("net.lxc").save("stated.lxc", params=ps, state=lxc.testmode(st))
    convert = ("params", "torch.safetensors", "--from", "torch", "--like", like)
    said = cli(*convert, "--to", "ours.safetensors", "--json").json
    assert said["unexpected"] == []
    assert len(said["arrays"]) == 8
    x = drawn(5, 3)
    np.save("x.npy", x)
    files = ("--params", "ours.safetensors", "--state-in", "ours.safetensors")
    cli("run", "net.lxc", "--input", "x=@x.npy", *files, "--output", "y=@y.npy")
    expected = torch_result(weights, x)
    np.testing.assert_allclose(np.load("y.npy"), expected, rtol=2e-5, atol=2e-6)


def test_names_come_from_a_map(cli: Cli, weights: torch.nn.Module) -> None:
    Path("m.json").write_text(
        json.dumps({"in": "0", "norm": "2", "out.kernel": "3.weight"})
    )
    cli("params", "torch.safetensors", "--map", "m.json", "--to", "a.safetensors")
    found = load_file("a.safetensors")
    assert {
        "in.weight",
        "in.bias",
        "norm.running_var",
        "out.kernel",
        "3.bias",
    } <= found.keys()
    Path("m.toml").write_text('layer_1 = "0"\nlayer_2 = "2"\n"layer_3" = "3"\n')
    convert = ("--from", "torch", "--like", "models.py:net", "--map", "m.toml")
    cli("params", "torch.safetensors", *convert, "--to", "b.safetensors")
    theirs = load_file("torch.safetensors")["3.weight"]
    ours = load_file("b.safetensors")["params.layer_3.weight"]
    np.testing.assert_array_equal(ours, theirs)


def test_names_of_ones_own_are_checked_against_a_model(cli: Cli) -> None:
    ps, _ = lxc.setup(3, model)
    lxc.save_params("p.safetensors", ps, rename={"layer_1": "first"})
    refused = cli("params", "p.safetensors", "--like", "models.py:net", status=5)
    assert "layer_1.weight is missing; there is first.weight" in refused.err
    Path("m.json").write_text('{"layer_1": "first"}')
    said = cli("params", "p.safetensors", "--like", "models.py:net", "--map", "m.json")
    assert "layer_1.weight" in said.out


@pytest.mark.parametrize("dtype", ["f16", "bf16", "f32", "f64"])
def test_floats_are_cast(cli: Cli, dtype: str) -> None:
    values = np.array([1.5, -0.25, np.inf, np.nan], np.float32)
    save_file({"w": values, "n": np.array([7])}, "p.safetensors")
    said = cli(
        "params", "p.safetensors", "--cast", dtype, "--to", "q.safetensors", "--json"
    )
    rows = {row["name"]: row["dtype"] for row in said.json["arrays"]}
    names = {"f16": "float16", "bf16": "bfloat16", "f32": "float32", "f64": "float64"}
    assert rows == {"w": names[dtype], "n": "int64"}
    like = {"w": np.zeros(4, np.float32), "n": np.array([0])}
    loaded, _ = lxc.load_params("q.safetensors", like)
    np.testing.assert_array_equal(loaded["w"], values)


def test_a_file_may_be_written_over_itself(cli: Cli) -> None:
    save_file({"w": np.ones(1000, np.float32)}, "p.safetensors")
    cli("params", "p.safetensors", "--cast", "f16", "--to", "p.safetensors")
    assert load_file("p.safetensors")["w"].dtype == np.float16


def test_names_cannot_command_a_terminal(cli: Cli) -> None:
    save_file({"\x1b[2Jw": np.ones(1)}, "p.safetensors")
    printed = cli("params", "p.safetensors")
    assert "\x1b" not in printed.out
    assert "\\x1b[2Jw" in printed.out


def test_the_commands_of_the_documentation_work(cli: Cli) -> None:
    text = (ROOT / "docs" / "parameters.md").read_text("utf-8")
    python = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    examples = doctest.DocTestParser().get_examples("\n".join(python))
    exec("".join(example.source for example in examples), {})
    commands = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = "".join(commands).splitlines()
    assert len(lines) == 7
    for line in lines:
        program, *arguments = shlex.split(line)
        assert program == "lxc"
        cli(*arguments)


def test_npz_files_are_not_trusted(cli: Cli) -> None:
    with zipfile.ZipFile("bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(100 << 20))
    assert "suspiciously compressed" in cli("params", "bomb.npz", status=2).err
    np.savez("objects.npz", a=np.array([{}, []], dtype=object))
    assert "error[LXC-E0002]" in cli("params", "objects.npz", status=2).err
    np.savez("fine.npz", a=np.ones(100))
    contents = Path("fine.npz").read_bytes()
    Path("cut.npz").write_bytes(contents[:200])
    assert "error[LXC-E0002]" in cli("params", "cut.npz", status=2).err
    longer = contents.replace(b"(100,)", b"(999,)")
    Path("longer.npz").write_bytes(longer)
    assert "error[LXC-E0002]" in cli("params", "longer.npz", status=2).err
