"""The command line in a folder with the models of its own tests."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import lxc
from lxc.__main__ import run
from lxc.runtime.cards.machine import Cards
from lxc.runtime.checkpoint import flatten_names, write_checkpoint
from lxc.targets.cuda import compiled
from tests.cli.models import net

MODELS = Path(__file__).parent.parent / "cli" / "models.py"
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
    contents = (path / "net.lxc").read_bytes()
    (path / "short.lxc").write_bytes(contents[:-100])
    place = contents.rindex(b"\x7fELF")
    altered = contents[: place + 500] + b"?" + contents[place + 501 :]
    (path / "altered.lxc").write_bytes(altered)
    (path / "fails.py").write_text("import math\n\nmodel = math.sqrt(-1)\n")
    (path / "wrong.py").write_text("model = (\n")
    (path / "imports.py").write_text("import no_such_package\n")
    (path / "bad.lxir").write_text("graph @m lux {\n  input %x: f32[2]\n  return %y\n}\n")
    (path / "data.lxir").write_text("graph @m lux { data #ab: f32[20] return #ab }\n")
    good = "graph @m lux { input %x: f32[2] %0: f32[2] = exp(%x) return %0 }\n"
    (path / "good.lxir").write_text(good)
    newer = {"format": 2, "measured_on": {}, "records": {}, "settled": []}
    (path / "newer.json").write_text(json.dumps(newer))
    hostile = {**newer, "format": 1, "records": {"\x1b[2J": {}}}
    (path / "hostile.json").write_text(json.dumps(hostile))
    write_hostile_texts(path)
    write_arrays(path)
    return path


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


@pytest.fixture
def failure(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Failure:
    """Return a function that runs a command line and returns status and printed error.

    There is no card, whatever the machine has.
    """
    monkeypatch.chdir(folder)
    monkeypatch.setattr(compiled, "find_cards", lambda _: Cards(0, {}, "no driver"))

    def command(line: str) -> tuple[int, str]:
        capfd.readouterr()
        status = run(line.split())
        printed = capfd.readouterr()
        assert printed.out == ""
        return status, printed.err.replace(f"{folder}/", "")

    return command
