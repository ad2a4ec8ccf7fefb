"""Bundles of two models, made once, and programs around them."""

import runpy
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import lxc
from lxc.bundling import Brought, files_of
from lxc.compilation import tensor_level
from lxc.ir.graph import Graph
from lxc.runtime.checkpoint import Array, flatten_names
from lxc.targets import target_named
from lxc.targets.bundle.code import BundleCode, bundle_code
from tests.bundle.models import kinds_bundle

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"
WARNINGS = ("-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wvla", "-Werror")
STATIC = ("-pthread", "-lm", "-ldl")


@dataclass(frozen=True)
class Traced:
    """A traced model and its values by name."""

    model: Any
    graph: Graph
    ps: Any
    st: Any

    @property
    def params(self) -> Mapping[str, Array]:
        """The parameters by name."""
        return flatten_names(self.ps)

    @property
    def state(self) -> Mapping[str, Array]:
        """The state by name."""
        return flatten_names(self.st)


@pytest.fixture(scope="session")
def digits() -> Traced:
    """Return the digits network for one to 64 images."""
    example = runpy.run_path(str(ROOT / "examples" / "digits" / "model.py"), run_name="m")
    ps, st = example["trained"]()
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 64), 1, 8, 8))
    graph = lxc.trace(example["model"], spec, ps, st, name="digits")
    return Traced(example["model"], graph, ps, st)


Made = Callable[[Brought], Path]


@pytest.fixture(scope="session")
def digits_code(digits: Traced) -> BundleCode:
    """Return the code of the digits network, not yet linked."""
    graph, target = tensor_level(digits.graph), target_named("x86-64-v3")
    return bundle_code(graph, target, name="digits", mode=digits.graph.mode)


@pytest.fixture(scope="session")
def made(
    digits: Traced, digits_code: BundleCode, tmp_path_factory: pytest.TempPathFactory
) -> Made:
    """Return a function that gives the folder of a bundle of the digits network."""
    known: dict[Brought, Path] = {}

    def folder(brought: Brought) -> Path:
        if brought not in known:
            files = files_of(
                digits.graph, digits_code, brought, digits.params, digits.state
            )
            known[brought] = written(files, tmp_path_factory.mktemp(brought))
        return known[brought]

    return folder


@pytest.fixture(scope="session")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the bundle of the model with every element type."""
    return written(kinds_bundle(), tmp_path_factory.mktemp("kinds"))


def written(files: Mapping[str, bytes], folder: Path) -> Path:
    """Write the files of a bundle and return their folder."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def build(folder: Path, source: Path, output: Path, *options: str) -> Path:
    """Compile a C program for the bundle in a folder, which says what to link."""
    command = ["cc", *WARNINGS, f"-I{folder}", str(source), *options, "-o", str(output)]
    subprocess.run(command, cwd=folder, check=True)
    return output


def shared(folder: Path, name: str) -> tuple[str, ...]:
    """Return the options that link a bundle's shared library."""
    return (f"-L{folder}", f"-l{name}", f"-Wl,-rpath,{folder}")


def printed(*command: str | Path, **options: Any) -> str:
    """Return what a program prints that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)
