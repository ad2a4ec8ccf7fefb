"""A model out of an ONNX file, as a layer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.frontend.layer import Layer
from lxc.frontend.onnx.names import word_of
from lxc.frontend.onnx.program import Input, Program
from lxc.frontend.onnx.steps import run_step
from lxc.frontend.onnx.values import as_tensor
from lxc.ir.dim import Dim
from lxc.ir.tensor import Tensor, innermost, shape_of, type_of
from lxc.ir.types import TensorSpec, dtype_of
from lxc.tree import flatten

Bounds = tuple[int, int] | int


@dataclass(frozen=True, eq=False, repr=False)
class OnnxModel(Layer):
    """The graph of an ONNX file, called as `model(x, ps, st)` like any layer.

    `x` is the only input, or a dict of several; so is the output. Keys are the file's own
    names, with escapes for what no key has (`lxc.frontend.onnx.names`). The parameters of a
    new model are those of the file, whatever the seed; there is no state.
    """

    program: Program

    def __repr__(self) -> str:
        """Show the file that the model comes from."""
        return f"OnnxModel({self.program.file!r})"

    def inputs(self, **bounds: Bounds) -> Any:
        """Return stand-ins of the inputs, as `lxc.trace` and `lxc.compile` take them.

        A dimension that the file leaves open is given by its name: its size, or a pair of
        its smallest and its largest one.
        """
        names = self.dimensions
        missing = [name for name in names if name not in bounds]
        spare = [name for name in bounds if name not in names]
        if missing or spare:
            raise LxcError(
                "LXC-E0001",
                f"the file leaves the size of {', '.join(missing)} open"
                if missing
                else f"the file has no dimension {', '.join(spare)}",
                expected=", ".join(names) or "no dimensions",
                actual=", ".join(bounds) or "no dimensions",
                hint=f"model.inputs({missing[0]}=(1, 64))" if missing else None,
            )
        dims = {name: sized(name, bound) for name, bound in bounds.items()}
        specs = {entry.key: spec_of(entry, dims) for entry in self.program.inputs}
        return next(iter(specs.values())) if len(specs) == 1 else specs

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The names of the dimensions that the file leaves open."""
        shapes = (entry.shape for entry in self.program.inputs)
        names = (size for shape in shapes for size in shape if isinstance(size, str))
        return tuple(dict.fromkeys(names))

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return the parameters of the file."""
        tree: dict[str, Any] = {}
        for name, path in self.program.paths.items():
            *above, last = path.split(".")
            branch = tree
            for key in above:
                branch = branch.setdefault(key, {})
            branch[last] = self.program.parameters[name]
        return tree

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the outputs of the graph."""
        program = self.program
        values: dict[str, Any] = {"": None, **program.constants}
        values.update(given_inputs(program.inputs, x))
        for name, path in program.paths.items():
            branch = ps
            for key in path.split("."):
                branch = branch[key]
            values[name] = branch
        like = traced_one([*flatten(x)[0], *flatten(ps)[0]])
        for step in program.steps:
            operands = [values[name] for name in step.inputs]
            results = run_step(step, operands, like, program.file)
            values.update(zip(step.outputs, results, strict=True))
            values[""] = None
        found = {
            word_of(name): values[name] if like is None else as_tensor(values[name], like)
            for name in program.outputs
        }
        return next(iter(found.values())) if len(found) == 1 else found, st


def sized(name: str, bound: Bounds) -> int | Dim:
    """Return a dimension, or the number that it is fixed to."""
    if isinstance(bound, int):
        return bound
    low, high = bound
    return Dim(name, low, high)


def spec_of(entry: Input, dims: Mapping[str, int | Dim]) -> TensorSpec:
    """Return the stand-in of an input with dimensions in place of their names."""
    shape = (dims[size] if isinstance(size, str) else size for size in entry.shape)
    return TensorSpec(tuple(shape), entry.dtype)


def given_inputs(inputs: tuple[Input, ...], x: Any) -> Iterator[tuple[str, Any]]:
    """Yield name and value of every input, or raise if one does not fit."""
    keys = [entry.key for entry in inputs]
    if not isinstance(x, Mapping):
        if len(keys) != 1:
            raise LxcError(
                "LXC-E0103",
                "the model has several inputs, which are a dict",
                expected=f"{{{', '.join(keys)}}}",
                actual=type(x).__name__,
            )
        x = {keys[0]: x}
    if set(x) != set(keys):
        raise LxcError(
            "LXC-E0103",
            "the inputs are not those of the file",
            expected=", ".join(keys),
            actual=", ".join(map(str, x)),
        )
    for entry in inputs:
        value = x[entry.key]
        value = value if isinstance(value, Tensor) else np.asarray(value)
        fits = value.dtype == entry.dtype and len(shape_of(value)) == len(entry.shape)
        if not fits:
            sizes = ", ".join(map(str, entry.shape))
            raise Mismatch(entry.key, f"{dtype_of(entry.dtype)}[{sizes}]", type_of(value))
        yield entry.name, value


def traced_one(leaves: list[Any]) -> Tensor | None:
    """Return a tensor of the innermost body that is traced, or None."""
    builder = innermost(leaves)
    tensors = (leaf for leaf in leaves if isinstance(leaf, Tensor))
    return next((leaf for leaf in tensors if leaf.builder is builder), None)
