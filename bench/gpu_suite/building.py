"""Compiling the tasks; only this part needs TVM."""

from pathlib import Path

import lxc
from gpu_suite.cases import Task
from gpu_suite.match import parts_here
from lxc.compilation import artifact_of
from lxc.passes.choices import Choices
from lxc.passes.precision import plan_of


def write_artifact(task: Task, folder: Path, target: str) -> Path:
    """Compile a task; its parameters stay outside, so that the file is small."""
    parts = parts_here(task)
    graph = lxc.trace(parts.model, parts.inputs, parts.params, parts.state)
    choices = Choices(precision=plan_of(task.precision))
    path = folder / task.file
    path.write_bytes(artifact_of(graph, target, choices=choices, name="model"))
    return path
