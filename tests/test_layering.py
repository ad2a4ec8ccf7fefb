"""Data flows frontend, ir, passes, targets, runtime; imports go one way only.

The tables below are the diagram. Every import stands at the top of its file, is absolute,
and is allowed by them.
"""

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("ir", "frontend", "passes", "targets", "runtime", "lxc")
SHARED = ("lxc.errors", "lxc.html", "lxc.structure", "lxc.tree")

# What targets write and the runtime reads: the file format and the words for machines.
FORMAT = tuple(
    f"lxc.runtime.{name}"
    for name in (
        *("artifact", "cards.machine", "checkpoint", "container", "extent", "features"),
        *("manifest", "signature"),
    )
)
OURS = {
    "ir": ("lxc.ir",),
    "frontend": ("lxc.frontend", "lxc.ir"),
    "passes": ("lxc.passes", "lxc.ir"),
    "targets": ("lxc.targets", "lxc.passes", "lxc.ir", *FORMAT),
    "runtime": ("lxc.runtime",),
    "lxc": ("lxc",),
}
OTHERS = {
    "ir": {"numpy", "ml_dtypes"},
    "frontend": {"numpy", "onnx", "google"},
    "passes": {"numpy", "networkx"},
    "targets": {"numpy", "tvm", "tvm_ffi"},
    "runtime": {"numpy", "ml_dtypes", "safetensors"},
    "lxc": {"numpy", "click", "rich", "onnxruntime"},
}
# Public names on first use, a verb on its call, the user's own model, another runtime.
BY_NAME = {
    *("lxc/__init__.py", "lxc/benchmarking/rivals.py"),
    *("lxc/commands/group.py", "lxc/commands/source.py"),
}
RIVALS = {"onnxruntime": "lxc/benchmarking/onnx_runtime.py"}
TVM = {"tvm", "tvm_ffi"}
ONNX = {"onnx", "google"}
# What an extra brings is imported by those files only that cannot do without.
ONNX_FILES = {
    f"frontend/onnx/{subject}.py" for subject in ("files", "inlining", "nodes", "reader")
}
TVM_FILES = {
    f"targets/tvm_{subject}.py"
    for subject in ("api", "build", "device", "functions", "grid", "prover", "task_ranges")
}


def files() -> list[Path]:
    """Return every source file, each once."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if not any(p.is_symlink() for p in path.parents))


def names_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and module of every absolute import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield node.lineno, whole if is_module(whole) else str(node.module)


def is_module(name: str) -> bool:
    """Return whether a dotted name is one of our modules."""
    path = place_of(name)
    return path is not None


def place_of(name: str) -> Path | None:
    """Return the file of one of our modules."""
    first, *rest = name.split(".")
    if first != "lxc":
        return None
    start = ROOT if rest and rest[0] in OURS and rest[0] != "lxc" else ROOT / "lxc"
    path = start.joinpath(*rest)
    if path.with_suffix(".py").is_file():
        return path.with_suffix(".py")
    return path / "__init__.py" if (path / "__init__.py").is_file() else None


def faults(folder: str, name: str, text: str) -> list[str]:
    """Return what a file of `folder` does that the diagram forbids."""
    tree = ast.parse(text)
    found = [f"{line}: {problem}" for line, problem in manners(tree, name)]
    for line, module in names_in(tree):
        first = module.partition(".")[0]
        if first == "lxc":
            allowed = (*OURS[folder], *SHARED)
            fine = any(module == one or module.startswith(f"{one}.") for one in allowed)
        else:
            fine = first in OTHERS[folder] or first in sys.stdlib_module_names
            fine = fine and (first not in TVM or name in TVM_FILES)
            fine = fine and (first not in ONNX or name in ONNX_FILES)
            fine = fine and RIVALS.get(first, name) == name
        if not fine:
            found.append(f"{line}: {folder} may not import {module}")
    return found


def manners(tree: ast.Module, name: str) -> Iterator[tuple[int, str]]:
    """Yield imports that hide: lazy, relative, for type checkers only, or by name."""
    for outer in ast.walk(tree):
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for node in ast.walk(outer):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    yield node.lineno, "a lazy import"
        if isinstance(outer, ast.ImportFrom) and outer.level:
            yield outer.lineno, "a relative import"
        word = getattr(outer, "id", getattr(outer, "attr", None))
        if word == "TYPE_CHECKING":
            yield getattr(outer, "lineno", 0), "an import for type checkers only"
        if word in ("import_module", "__import__") and name not in BY_NAME:
            yield getattr(outer, "lineno", 0), "an import by name"


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_what_the_diagram_allows(path: Path) -> None:
    name = path.relative_to(ROOT)
    assert faults(name.parts[0], name.as_posix(), path.read_text("utf-8")) == []


@pytest.mark.parametrize("name", SHARED)
def test_what_everybody_imports_needs_the_standard_library_only(name: str) -> None:
    path = place_of(name)
    assert path is not None
    imported = {module for _, module in names_in(ast.parse(path.read_text("utf-8")))}
    assert {m for m in imported if m.partition(".")[0] not in sys.stdlib_module_names} <= {
        *SHARED
    }


def graph() -> dict[Path, set[Path]]:
    """Return which of our files each of our files imports."""
    edges: dict[Path, set[Path]] = {}
    for path in files():
        modules = {m for _, m in names_in(ast.parse(path.read_text("utf-8")))}
        edges[path] = {found for m in modules if (found := place_of(m)) and found != path}
    return edges


def test_no_imports_go_in_circles() -> None:
    try:
        tuple(TopologicalSorter(graph()).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(str(path.relative_to(ROOT)) for path in error.args[1]))


def test_the_command_line_is_known_to_its_verbs_alone() -> None:
    command_line = ROOT / "lxc" / "commands"
    readers = {
        path.relative_to(ROOT).as_posix()
        for path, imported in graph().items()
        if command_line not in path.parents
        and any(command_line in found.parents for found in imported)
    }
    assert readers == {"lxc/__main__.py"}


@pytest.mark.parametrize("verb", ["run", "inspect", "bench"])
def test_verbs_for_artifacts_need_no_compiler(verb: str) -> None:
    edges = graph()
    reached, waiting = (
        set(),
        [ROOT / "lxc" / "commands" / f"{verb}.py", ROOT / "lxc/__main__.py"],
    )
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            waiting += edges[path]
    folders = {path.relative_to(ROOT).parts[0] for path in reached}
    assert folders == {"lxc", "runtime"}


@pytest.mark.parametrize(
    ("folder", "text", "fault"),
    [
        ("ir", "from lxc.passes import fuse", "ir may not import lxc.passes"),
        ("ir", "import networkx", "ir may not import networkx"),
        ("frontend", "import lxc.targets.target", "frontend may not import lxc.targets"),
        ("frontend", "import onnx", "frontend may not import onnx"),
        ("passes", "from lxc import frontend", "passes may not import lxc.frontend"),
        (
            "targets",
            "from lxc.runtime.model import CompiledModel",
            "targets may not import",
        ),
        ("targets", "import tvm", "targets may not import tvm"),
        ("lxc", "import onnxruntime", "lxc may not import onnxruntime"),
        ("runtime", "from lxc.ir.dim import Dim", "runtime may not import lxc.ir.dim"),
        ("runtime", "import click", "runtime may not import click"),
        ("ir", "def f():\n    import math", "a lazy import"),
        ("ir", "from . import dim", "a relative import"),
        ("ir", "from typing import TYPE_CHECKING\nif TYPE_CHECKING: pass", "type checkers"),
        ("lxc", "import importlib\nimportlib.import_module('json')", "an import by name"),
    ],
)
def test_the_check_finds_what_is_forbidden(folder: str, text: str, fault: str) -> None:
    (found,) = faults(folder, f"{folder}/example.py", text)
    assert fault in found
