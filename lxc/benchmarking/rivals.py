"""Other runtimes that a model can be compared with; each is imported when it is wanted."""

import importlib
from collections.abc import Mapping
from pathlib import Path

from lxc.benchmarking.contestant import Contestant
from lxc.errors import LxcError
from lxc.runtime.checkpoint import Array

RIVALS = {"onnxruntime": "lxc.benchmarking.onnx_runtime"}
"""The module for each, which has a function `contestant`; the name is the package's too."""


def rival(name: str, path: Path, inputs: Mapping[str, Array], threads: int) -> Contestant:
    """Return the call of the model in a file of a rival's, on the same inputs."""
    try:
        module = importlib.import_module(RIVALS[name])
    except ImportError as problem:
        absent = isinstance(problem, ModuleNotFoundError)
        raise LxcError(
            "LXC-E0306",
            f"lxc bench --vs {name} needs the package {name}, which "
            f"{'is not installed' if absent else 'cannot be imported'}",
            actual=None if absent else str(problem),
            hint=f"pip install {name}",
        ) from None
    made: Contestant = module.contestant(name, path, inputs, threads)
    return made
