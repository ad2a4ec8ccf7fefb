"""A small model whose compiled code is written by hand in C, as an artifact."""

import json
import platform
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lxc.runtime import CompiledModel, artifact, checkpoint
from lxc.runtime.manifest import TargetRecord
from lxc.runtime.signature import Signature
from lxc.runtime.signature_json import signature_from_json
from lxc.targets.llvm.c_abi import render
from lxc.targets.llvm.link import link_shared, needed_glibc

ENTRIES = Path(__file__).parent / "entries"
ROWS = 64

Trees = tuple[dict[str, Any], dict[str, Any]]


def read_only(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    array.flags.writeable = False
    return array


def toy_trees() -> Trees:
    params = {
        "layer": {
            "bias": read_only(np.arange(4, dtype=np.float32)),
            "weight": read_only(np.array([1, 2, 3, 4], np.float32)),
        }
    }
    state = {
        "norm": {"mean": read_only(np.full(4, 0.5, np.float32)), "training": False},
        "count": read_only(np.array(0, np.int32)),
    }
    return params, state


def toy_signature(name: str = "toy") -> Signature:
    described = json.loads((ENTRIES / "toy.json").read_text())
    return replace(signature_from_json(described), name=name)


def toy_result(params: Any, state: Any, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    scale = 2 * params["layer"]["weight"] + state["norm"]["mean"]
    result: np.ndarray[Any, Any] = x * scale + params["layer"]["bias"]
    return result


@dataclass(frozen=True)
class Toy:
    """The members of the artifact of a toy model, and what it computes."""

    signature: Signature
    library: bytes
    trees: Callable[[], Trees] = toy_trees
    result: Callable[..., np.ndarray[Any, Any]] = toy_result

    def target(self, **changes: Any) -> TargetRecord:
        fields: dict[str, Any] = {
            "name": "here",
            "triple": f"{platform.machine()}-linux-gnu",
            "features": (),
            "prepared_bytes": 16,
            "arena_bytes": ROWS * 16,
            "glibc": needed_glibc(self.library),
        }
        return TargetRecord(**{**fields, **changes})

    def members(self) -> dict[str, bytes]:
        one = {"one": np.ones(4, np.float32)}
        return {
            "code/here/model.so": self.library,
            "data.safetensors": checkpoint.encode(one),
            "ir/traced.lxir": b"graph",
        }

    def encode(self) -> bytes:
        return artifact.write(
            None, signature=self.signature, targets=[self.target()], members=self.members()
        )

    def model(self, **options: Any) -> CompiledModel:
        return CompiledModel(artifact.read(self.encode()), **options)


def compile_object(source: Path, folder: Path, name: str) -> bytes:
    output = folder / f"{name}.o"
    command = ["cc", "-c", "-O2", "-fPIC", f"-DNAME={name}", str(source), "-o", str(output)]
    subprocess.run(command, check=True)
    return output.read_bytes()


@pytest.fixture(scope="session")
def make_toy(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Toy]:
    """Make the toy model under another name."""

    def make(name: str) -> Toy:
        signature = toy_signature(name)
        folder = tmp_path_factory.mktemp("objects")
        code = compile_object(ENTRIES / "toy.c", folder, name)
        sources = render(name, signature, 16, ROWS * 16)
        return Toy(signature, link_shared(code, sources, name))

    return make


@pytest.fixture(scope="session")
def toy(make_toy: Callable[[str], Toy]) -> Toy:
    return make_toy("toy")


@pytest.fixture
def model(toy: Toy) -> CompiledModel:
    return toy.model()


@pytest.fixture
def toy_path(toy: Toy, tmp_path: Path) -> Path:
    path = tmp_path / "toy.lxc"
    path.write_bytes(toy.encode())
    return path
