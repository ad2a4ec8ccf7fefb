"""Params in a file are in memory once, whoever has them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn
from lxc.runtime import CompiledModel
from lxc.runtime.memory import is_sealed

ROWS, WIDTH, IDS = 1 << 16, 32, 512
BYTES = 4 * ROWS * WIDTH
CHILD = """
import sys
from pathlib import Path
import numpy as np
import lxc

def anonymous():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon")).split()[1])

model, file = sys.argv[1:]
m = lxc.load(model)
warm = np.zeros((m.signature.params.leaves[0].shape[0], 0), np.float32)
before = anonymous()
params = m.params if file == model else lxc.load_params(file, like=m.params)[0]
bound = m.bind(params, m.state)
for first in range(0, warm.shape[0], 512):
    bound(np.arange(first, first + 512), m.state)
print(anonymous() - before, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the artifact of a large table, and the table in a file."""
    path = tmp_path_factory.mktemp("shared")
    layer = nn.Embedding(ROWS, WIDTH)
    ps, st = lxc.setup(0, layer)
    ids = lxc.TensorSpec((IDS,), "int64")
    m = lxc.compile(layer, ids, ps, st, target="x86-64-v2")
    m.save(path / "table.lxc", params=ps, state=st)
    lxc.save_params(path / "table.safetensors", ps)
    return path


def mapped(process: int, path: Path) -> dict[str, int]:
    """Return how many bytes of a file a process has in memory, by kind."""
    counts = {"Rss": 0, "Pss": 0, "Private_Dirty": 0}
    is_ours = False
    for line in Path(f"/proc/{process}/smaps").read_text().splitlines():
        name, _, rest = line.partition(":")
        if "-" in name:
            is_ours = line.endswith(str(path))
        elif is_ours and name in counts:
            counts[name] += 1024 * int(rest.split()[0])
    return counts


@pytest.mark.parametrize("file", ["table.lxc", "table.safetensors"])
def test_two_processes_have_one_copy_of_a_file(folder: Path, file: str) -> None:
    command = [sys.executable, "-c", CHILD, str(folder / "table.lxc"), str(folder / file)]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    children: list[Any] = [subprocess.Popen(command, **pipes) for _ in range(2)]
    try:
        grown = [int(child.stdout.readline()) * 1024 for child in children]
        found = [mapped(child.pid, folder / file) for child in children]
    finally:
        for child in children:
            child.communicate()
    for counts in found:
        assert counts["Rss"] >= BYTES
        assert counts["Private_Dirty"] == 0
    assert sum(counts["Pss"] for counts in found) < 1.2 * BYTES
    assert max(grown) < BYTES / 4


def test_a_file_that_is_replaced_does_not_change_what_is_loaded(
    folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "p.safetensors"
    like = {"w": np.zeros(4, np.float32)}
    lxc.save_params(path, {"w": np.full(4, 1, np.float32)})
    first, _ = lxc.load_params(path, like)
    lxc.save_params(path, {"w": np.full(4, 2, np.float32)})
    second, _ = lxc.load_params(path, like)
    os.unlink(path)
    assert (first["w"] == 1).all()
    assert (second["w"] == 2).all()


def loaded_again(m: CompiledModel, path: Path) -> CompiledModel:
    ps, st = lxc.setup(0, nn.Dense(6, 5))
    m.save(path, params=ps, state=st)
    return lxc.load(path)


def test_models_bound_to_the_same_file_have_one_prepared_buffer(tmp_path: Path) -> None:
    layer = nn.Dense(6, 5)
    ps, st = lxc.setup(0, layer)
    x = np.ones((2, 6), np.float32)
    made = lxc.compile(layer, x, ps, st, target="x86-64-v2")
    m = loaded_again(made, tmp_path / "m.lxc")
    one, other = m.bind(m.params, m.state), m.bind(m.params, m.state)
    assert one.current.prepared is other.current.prepared
    assert all(map(is_sealed, one.current.prepared.leaves))
    y, _ = m(x, m.params, m.state)
    assert m.engine.preparer.last is one.current.prepared
    other.swap(ps)
    assert one.current.prepared is not other.current.prepared
    assert m.engine.preparer.last is one.current.prepared
    np.testing.assert_array_equal(one(x, st)[0], y)


def test_only_what_nobody_can_write_to_is_sealed(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(3))
    owned = np.arange(3)
    owned.flags.writeable = False
    opened = bytearray(24)
    seen = np.frombuffer(memoryview(opened).toreadonly())
    assert is_sealed(np.frombuffer(bytes(24)))
    assert is_sealed(np.frombuffer(bytes(24))[1:].reshape(2, 1))
    assert is_sealed(np.load(tmp_path / "a.npy", mmap_mode="r"))
    for mode in ("r+", "c"):
        changeable = np.load(tmp_path / "a.npy", mmap_mode=mode)
        changeable.flags.writeable = False
        assert not is_sealed(changeable)
    assert not is_sealed(owned)
    assert not is_sealed(owned[1:])
    assert not is_sealed(seen)
    assert not is_sealed(np.arange(3))
    assert not is_sealed([1, 2])
