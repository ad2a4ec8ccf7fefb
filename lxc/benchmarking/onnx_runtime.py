"""ONNX Runtime with all its graph optimisations, inputs and outputs bound once."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnxruntime

from lxc.benchmarking.contestant import Contestant
from lxc.errors import LxcError
from lxc.runtime.checkpoint import Array


def contestant(
    name: str, path: Path, inputs: Mapping[str, Array], threads: int
) -> Contestant:
    """Return the run of an ONNX file on these inputs, found by name or else by order."""
    try:
        session = session_for(path, threads)
    except Exception as problem:
        raise LxcError(
            "LXC-E0002",
            f"{name} cannot read {path}",
            actual=first_line(problem),
            hint="--onnx names the same model in ONNX's format",
        ) from None
    wanted = [one.name for one in session.get_inputs()]
    if len(wanted) != len(inputs):
        raise LxcError(
            "LXC-E0001",
            f"the model in {path} takes other inputs",
            expected=", ".join(inputs) or "no inputs",
            actual=", ".join(wanted) or "no inputs",
        )
    fed = {key: inputs.get(key, by_order) for key, by_order in paired(wanted, inputs)}
    try:
        bound = BoundSession(session, fed)
    except Exception as problem:
        raise LxcError(
            "LXC-E0001",
            f"{name} does not run {path} on these inputs",
            actual=first_line(problem),
        ) from None
    facts = {"onnx": str(path), "threads": threads, "version": onnxruntime.__version__}
    return Contestant(name, bound.run, bound.outputs, facts)


def paired(wanted: Sequence[str], inputs: Mapping[str, Array]) -> list[tuple[str, Array]]:
    """Return every wanted name with the input at its place."""
    return list(zip(wanted, inputs.values(), strict=True))


def first_line(problem: Exception) -> str:
    """Return what the package says of a failure."""
    return next(iter(str(problem).splitlines()), type(problem).__name__)


def session_for(path: Path, threads: int) -> Any:
    """Return a session with a number of threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"]
    )


class BoundSession:
    """A session with memory for its inputs and outputs."""

    def __init__(self, session: Any, inputs: Mapping[str, Array]) -> None:
        """Run once, and keep the memory of the outputs."""
        self.session, self.binding = session, session.io_binding()
        make = onnxruntime.OrtValue.ortvalue_from_numpy
        self.kept = {name: make(array) for name, array in inputs.items()}
        for name, value in self.kept.items():
            self.binding.bind_ortvalue_input(name, value)
        self.names = [output.name for output in session.get_outputs()]
        for name in self.names:
            self.binding.bind_output(name, "cpu")
        self.run()
        self.values = self.binding.get_outputs()
        for name, value in zip(self.names, self.values, strict=True):
            self.binding.bind_ortvalue_output(name, value)

    def run(self) -> None:
        """Run on the memory that is bound."""
        self.session.run_with_iobinding(self.binding)

    def outputs(self) -> dict[str, Array]:
        """Return the outputs of the last run."""
        return {n: v.numpy() for n, v in zip(self.names, self.values, strict=True)}
