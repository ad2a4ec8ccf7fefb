"""Find the model that SOURCE names: in Python, in an ONNX file, or in IR text."""

import importlib
import importlib.util
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import lxc
from lxc.errors import InternalError, LxcError
from lxc.frontend.layer import Layer
from lxc.ir.graph import Graph
from lxc.ir.parser import parse_graph
from lxc.tracing import is_kaun

LIBRARIES = ("click", "ml_dtypes", "networkx", "numpy", "rich", "safetensors", "tvm")
PACKAGE = Path(__file__).parent.parent
FORMS = "file.py:name, package.module:name, file.onnx or file.lxir"


def load_source(source: str) -> Any:
    """Return the graph, or the layer of either family, that SOURCE names."""
    if source.endswith(".lxir"):
        return graph_in(Path(source))
    if source.endswith(".onnx"):
        # Asked for here only, because the package onnx may be missing.
        return lxc.load_onnx(Path(source))
    place, mark, name = source.rpartition(":")
    if not (mark and place and name):
        raise LxcError(
            "LXC-E0003",
            f"{source!r} does not name a model",
            expected=FORMS,
            hint=f"{source}:model, if the model is called model there",
        )
    with users_code(source):
        module = module_at(place)
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise LxcError(
                "LXC-E0003", f"{place} has no {name}", hint=names_hint(module, name)
            )
        found = getattr(found, part)
    if not is_model(found) and callable(found):
        with users_code(source):
            found = called(found, source)
    if not is_model(found):
        raise LxcError(
            "LXC-E0003",
            f"{source} is not a model",
            expected="a layer, or a function without arguments that returns one",
            actual=type(found).__name__,
        )
    return found


def graph_in(path: Path) -> Graph:
    """Return the graph in a file of IR text."""
    graph = parse_graph(read_text(path))
    if graph.data:
        raise LxcError(
            "LXC-E0003",
            f"{path} needs constants whose contents IR text does not hold",
            actual=", ".join(value.name for value in graph.data),
            hint="compile the Python source of the model instead",
        )
    return graph


def read_text(path: Path) -> str:
    """Return the text in a file."""
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise LxcError("LXC-E0002", f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise LxcError("LXC-E0002", f"{path} is not a text file") from None


def is_model(value: Any) -> bool:
    """Return whether something is a layer of one of the families."""
    if isinstance(value, type | ModuleType):
        return False
    return isinstance(value, Layer) or is_kaun(value)


def called(function: Any, source: str) -> Any:
    """Return what a function without arguments returns."""
    try:
        return function()
    except TypeError as problem:
        if problem.__traceback__ and problem.__traceback__.tb_next is None:
            raise LxcError(
                "LXC-E0003",
                f"{source} cannot be called without arguments",
                expected="a layer, or a function without arguments that returns one",
                actual=str(problem),
            ) from None
        raise


def module_at(place: str) -> ModuleType:
    """Import a module by its file or by its name; both see their own folder."""
    path = Path(place)
    if not place.endswith(".py"):
        with importable_from(Path.cwd()):
            try:
                return importlib.import_module(place)
            except ModuleNotFoundError as problem:
                if problem.name and f"{place}.".startswith(f"{problem.name}."):
                    raise LxcError(
                        "LXC-E0003", f"there is no module {place}", expected=FORMS
                    ) from None
                raise
    if not path.is_file():
        raise LxcError("LXC-E0002", f"cannot read {place}: there is no such file")
    spec = importlib.util.spec_from_file_location(f"model_source_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise LxcError("LXC-E0003", f"{place} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    with importable_from(path.resolve().parent):
        spec.loader.exec_module(module)
    return module


@contextmanager
def importable_from(folder: Path) -> Iterator[None]:
    """Let imports find the modules of `folder` first."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


@contextmanager
def users_code(source: str) -> Iterator[None]:
    """Turn a failure of the user's Python into an error that names its file and line."""
    try:
        yield
    except (LxcError, InternalError):
        raise
    except Exception as problem:
        place = last_line(problem)
        if place is None:
            raise
        raise LxcError(
            "LXC-E0113",
            f"{source} failed: {type(problem).__name__}: {problem}".rstrip(": "),
            actual=place,
        ) from problem


def last_line(problem: Exception) -> str | None:
    """Return the innermost line of the user's own files, if any is involved."""
    if isinstance(problem, SyntaxError):
        return f"{problem.filename}:{problem.lineno}"
    for frame in reversed(traceback.extract_tb(problem.__traceback__)):
        if is_users(frame.filename):
            return f"{frame.filename}:{frame.lineno}: {frame.line}"
    return None


def is_users(file: str) -> bool:
    """Return whether a file is neither lxc's, nor Python's, nor a library's of lxc."""
    if file.startswith("<"):
        return False
    path = Path(file).resolve()
    return not any(path.is_relative_to(folder) for folder in foreign_folders())


def foreign_folders() -> Iterator[Path]:
    """Yield the folders whose lines do not help a user."""
    # The folders of a clone are reached through links.
    for part in ("", "frontend", "ir", "passes", "runtime", "targets"):
        yield (PACKAGE / part).resolve()
    paths = sysconfig.get_paths()
    for installed in {Path(paths["purelib"]), Path(paths["platlib"])}:
        yield from (installed / name for name in LIBRARIES)
    # Installed packages lie in a folder of the standard library's.
    yield from (
        child for child in Path(paths["stdlib"]).iterdir() if child.name != "site-packages"
    )


def names_hint(module: ModuleType, name: str) -> str | None:
    """Return a hint with the models that a module does have."""
    models = [key for key, value in vars(module).items() if is_model(value)]
    return f"it has {', '.join(models)}" if models else None
