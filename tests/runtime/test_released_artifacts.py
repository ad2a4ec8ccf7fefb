"""Artifacts that released versions wrote: read, run, verified and compiled again."""

import lzma
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lxc
from lxc.__main__ import run
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.runtime.artifact import read
from lxc.runtime.manifest import FORMAT
from lxc.tree import flatten
from tests.runtime.released.model import SPEC, model

FOLDER = Path(__file__).parent / "released"
FORMATS = {"0.1.0": 1, "0.2.0": 1, "0.3.0": 1, "0.3.0-cards": 2}
LARGEST = 60_000
X = np.sin(np.arange(90, dtype=np.float32)).reshape(3, 6, 5)


@pytest.fixture(scope="module")
def graph() -> Graph:
    """Return the model of the artifacts, traced by this version."""
    return lxc.trace(model, SPEC, *lxc.setup(0, model))


@pytest.fixture(params=FORMATS)
def released(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return one of the artifacts as it was written."""
    path = tmp_path / f"{request.param}.lxc"
    path.write_bytes(lzma.decompress((FOLDER / f"{path.name}.xz").read_bytes()))
    return path


def test_there_is_an_artifact_of_every_format_and_release() -> None:
    found = {path.name.removesuffix(".lxc.xz"): path for path in FOLDER.glob("*.xz")}
    assert found.keys() == FORMATS.keys()
    assert set(FORMATS.values()) == set(range(1, FORMAT + 1))
    assert lxc.__version__ in found
    assert max(path.stat().st_size for path in found.values()) < LARGEST


def test_every_release_is_read_run_verified_and_upgraded(
    released: Path, graph: Graph, capfd: pytest.CaptureFixture[str]
) -> None:
    artifact = read(released)
    artifact.verify()
    assert artifact.manifest.format == FORMATS[released.stem]
    assert artifact.manifest.versions["lxc"] == released.stem.removesuffix("-cards")
    before = results(released, graph)
    assert run(["verify", str(released)]) == 0, capfd.readouterr().err
    new = released.with_name("new.lxc")
    command = ["upgrade", str(released), "-o", str(new), "--target", "x86-64-v2"]
    assert run(command) == 0, capfd.readouterr().err
    assert read(new).manifest.versions["lxc"] == lxc.__version__
    after = results(new, graph)
    for name, exact in expected(released, graph).items():
        np.testing.assert_allclose(before[name], exact, rtol=0, atol=1e-6, err_msg=name)
        np.testing.assert_allclose(after[name], exact, rtol=0, atol=1e-6, err_msg=name)


def results(path: Path, graph: Graph) -> Mapping[str, Any]:
    """Return what the code of an artifact computes from the values in it."""
    compiled = lxc.load(path, target="x86-64-v2")
    y, state = compiled(X, compiled.params, compiled.state)
    return named(graph, flatten(y)[0], flatten(state)[0])


def expected(path: Path, graph: Graph) -> Mapping[str, Any]:
    """Return what the traced model means, in float64."""
    stored = lxc.load(path, target="x86-64-v2")
    sections = flatten(stored.params)[0], flatten(stored.state)[0]
    return named(graph, *evaluate(graph, [X], *sections, wide=True))


def named(graph: Graph, outputs: Any, state: Any) -> Mapping[str, Any]:
    """Return outputs and state by numbers that say which is which."""
    assert len(outputs) == 2
    assert len(state) == len(graph.state)
    pairs = (("output", outputs), ("state", state))
    return {f"{what} {i}": one for what, all in pairs for i, one in enumerate(all)}
