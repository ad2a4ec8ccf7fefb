"""The command line in a folder with the models of its own tests."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lxc
from lxc.__main__ import run
from lxc.passes.records_text import digest_of
from lxc.record_file import read_records
from lxc.runtime.artifact import read, write
from lxc.runtime.cards.machine import Cards
from lxc.runtime.checkpoint import flatten_names, write_checkpoint
from lxc.runtime.manifest import TargetRecord
from lxc.targets.cuda import compiled
from tests.cli.models import net

MODELS = Path(__file__).parent.parent / "cli" / "models.py"
OTHERS = {
    "more-inputs": "input %x: f32[N, 3] input %z: f32[N, 3] tree inputs = (*, *) "
    "%0: f32[N, 3] = add(%x, %z) return %0",
    "other-outputs": "input %x: f32[N, 3] %0: f32[N, 3] = negate(%x) return %0",
    "square": "input %x: f32[N, N] %0: f32[N, N] = negate(%x) return %0",
    "other-lengths": "input %x: f32[N, 4] %0: f32[N, 4] = negate(%x) return %0",
}
"""Graphs that do not take or return what the artifact does."""
TUNED = {"used": "0", "other": "1"}
RECORDS = {"format": 1, "measured_on": {}, "records": {}}
Failure = Callable[[str], tuple[int, str]]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an artifact, arrays and files that are damaged in many ways."""
    path = tmp_path_factory.mktemp("errors")
    shutil.copy(MODELS, path / "models.py")
    source = [f"{path}/models.py:net", "--input", "x=f32[N,3]", "--dim", "N=1..8"]
    made = [*source, "--target", "x86-64-v2", "-o", f"{path}/net.lxc"]
    assert run(["compile", *made]) == 0
    (path / "note.txt").write_text("not an artifact")
    (path / "seven.raw").write_bytes(bytes(7))
    contents = (path / "net.lxc").read_bytes()
    (path / "short.lxc").write_bytes(contents[:-100])
    place = contents.rindex(b"\x7fELF")
    altered = contents[: place + 500] + b"?" + contents[place + 501 :]
    (path / "altered.lxc").write_bytes(altered)
    no_text = read(path / "net.lxc").with_members({"ir/traced.lxir": b"\xff"})
    (path / "no-text.lxc").write_bytes(no_text)
    drawn = "import random\n\nfrom lxc import nn\n\n"
    drawn += (
        "model = nn.Chain(nn.Dense(3, 3), nn.Scale(3), lambda x: x * random.random())\n"
    )
    (path / "drawn.py").write_text(drawn)
    (path / "fails.py").write_text("import math\n\nmodel = math.sqrt(-1)\n")
    (path / "wrong.py").write_text("model = (\n")
    (path / "imports.py").write_text("import no_such_package\n")
    (path / "bad.lxir").write_text("graph @m lux {\n  input %x: f32[2]\n  return %y\n}\n")
    (path / "data.lxir").write_text("graph @m lux { data #ab: f32[20] return #ab }\n")
    good = "graph @m lux { input %x: f32[2] %0: f32[2] = exp(%x) return %0 }\n"
    (path / "good.lxir").write_text(good)
    for name, text in OTHERS.items():
        (path / f"{name}.lxir").write_text(f"graph @m lux {{ dim N: 1..8 {text} }}\n")
        ends = ["--target", "x86-64-v2", "-o", f"{path}/{name}.lxc"]
        assert run(["compile", f"{path}/{name}.lxir", *ends]) == 0
    weighed = "graph @m lux { input %x: f32[2] param @w: f32[2] tree params = {w: *} "
    weighed += "%0: f32[2] = multiply(%x, @w) return %0 }\n"
    (path / "weighed.lxir").write_text(weighed)
    sized = weighed.replace("{ input", "{ dim N: 1..4 input", 1).replace("f32[2]", "f32[N]")
    (path / "open.lxir").write_text(sized)
    (path / "taken").mkdir()
    (path / "taken" / "example.c").write_text("int main(void) { return 0; }\n")
    newer = {"format": 2, "measured_on": {}, "records": {}, "settled": []}
    (path / "newer.json").write_text(json.dumps(newer))
    hostile = {**newer, "format": 1, "records": {"\x1b[2J": {}}}
    (path / "hostile.json").write_text(json.dumps(hostile))
    write_drawn(path, good)
    write_hostile_texts(path)
    write_arrays(path)
    write_artifacts(path)
    return path


def write_artifacts(path: Path) -> None:
    """Write artifacts that can be run, and not be profiled."""
    tuned = {name: {**RECORDS, "settled": [digit * 32]} for name, digit in TUNED.items()}
    for name, records in tuned.items():
        (path / f"{name}.json").write_text(json.dumps(records))
    digest = digest_of(read_records(path / "used.json"))
    net = read(path / "net.lxc")
    (record,) = net.targets
    code = {record.library: net.read(record.library)}
    cards = replace(record, name="cuda-sm80", images=("sm_80",), driver=12000)
    for_cards = {cards.library: net.read(record.library)}
    broken: tuple[tuple[str, TargetRecord, dict[str, bytes], dict[str, Any]], ...] = (
        ("cards", cards, for_cards, {}),
        ("bare", record, code, {}),
        ("odd", record, code, {"exact": "yes"}),
        ("odd-records", record, code, {"records": 7}),
        ("tuned", record, code, {"records": digest}),
    )
    for name, target, members, options in broken:
        write(
            path / f"{name}.lxc",
            signature=net.signature,
            targets=[target],
            members=members,
            options=options,
        )


def write_drawn(path: Path, good: str) -> None:
    """Write a profile of no model here, and text behind its passes."""
    row = {"number": 0, "ops": "sqrt", "layers": [], "result": "f32[7]", "share": 1.0}
    profile = {"target": "x86-64-v2", "kernels": [row], "prepare": []}
    (path / "profile.json").write_text(json.dumps(profile))
    halves = good.replace("@m", "@a", 1) + good.replace("@m", "@b", 1)
    (path / "halves.lxir").write_text(halves)


def write_hostile_texts(path: Path) -> None:
    """Write IR text that nobody means well with."""
    start = "graph @m lux {\n  input %x: f32[2]\n"
    (path / "deep.lxir").write_text(f"{start}  tree outputs = {'[' * 100_000}")
    escape = '  %0: f32[2] = exp(%x) at "\x1b[2J"\n  return %0\n}\n'
    (path / "escape.lxir").write_text(start + escape)
    absurd = start.replace("[2]", "[999999999999999999999, 9999999999]")
    (path / "absurd.lxir").write_text(f"{absurd}  return %x\n}}\n")


def write_arrays(path: Path) -> None:
    """Write arrays and parameters that do not fit the model."""
    np.save(path / "wide.npy", np.zeros((2, 4), np.float32))
    np.save(path / "double.npy", np.zeros((2, 3)))
    np.save(path / "long.npy", np.zeros((9, 3), np.float32))
    np.savez(path / "two.npz", a=np.zeros(1), b=np.zeros(1))
    (path / "empty.npy").write_bytes(b"")
    params = flatten_names(lxc.setup(0, net)[0])
    renamed = {name.replace("weight", "kernel"): array for name, array in params.items()}
    write_checkpoint(path / "renamed.safetensors", renamed)
    misshapen = {name: array.T.copy() for name, array in params.items()}
    write_checkpoint(path / "misshapen.safetensors", misshapen)
    extra = {**params, "layer_9.weight": params["layer_1.weight"]}
    write_checkpoint(path / "extra.safetensors", extra)
    (path / "damaged.safetensors").write_bytes(b"\0" * 20)
    write_foreign_params(path)


def write_foreign_params(path: Path) -> None:
    """Write parameters of others, and maps of names, that are of no use."""
    for ending in ("pt", "h5", "msgpack", "npz"):
        name = "damaged" if ending == "npz" else "weights"
        (path / f"{name}.{ending}").write_bytes(b"?" * 20)
    np.savez(path / "bias.npz", weight=np.ones((2, 2)), bias=np.ones(2))
    attention: dict[str, Any] = {
        "in_proj_weight": np.ones((12, 4)),
        "in_proj_bias": np.ones(12),
        "out_proj.weight": np.ones((4, 4)),
        "out_proj.bias": np.zeros(4),
    }
    np.savez(path / "attention.npz", **attention)
    np.savez(path / "large.npz", small=np.ones(2), large=np.full(2, 1e6))
    (path / "others.py").write_text(
        "from lxc import kaun, nn\n"
        "unbiased = nn.Dense(2, 2, use_bias=False)\n"
        "attention = kaun.multi_head_attention(4, 2)\n"
    )
    (path / "lists.json").write_text('["layer_1"]')
    (path / "unknown.json").write_text('{"first": "layer_0"}')
    (path / "same.json").write_text('{"layer_3": "layer_1"}')


@pytest.fixture
def failure(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Failure:
    """Return a function that runs a command line and returns status and printed error.

    There is no card and no other runtime, whatever the machine has.
    """
    monkeypatch.chdir(folder)
    monkeypatch.delitem(sys.modules, "lxc.benchmarking.onnx_runtime", raising=False)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setattr(compiled, "find_cards", lambda _: Cards(0, {}, "no driver"))

    def command(line: str) -> tuple[int, str]:
        capfd.readouterr()
        status = run(line.split())
        printed = capfd.readouterr()
        assert printed.out == ""
        return status, printed.err.replace(f"{folder}/", "")

    return command
