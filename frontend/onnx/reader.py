"""Read an ONNX file as a model.

Initialisers of floats with at least one axis are parameters; all other constants are part
of the model, and so are floats that shapes or settings follow from.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, ValueInfoProto, defs

from lxc.errors import LxcError
from lxc.frontend.onnx.files import Tensors, damaged, read_model
from lxc.frontend.onnx.model import OnnxModel
from lxc.frontend.onnx.names import paths_of, word_of
from lxc.frontend.onnx.nodes import DOMAINS, Nodes
from lxc.frontend.onnx.program import Input, Program, Step
from lxc.frontend.onnx.types import ELEMENTS, element_type, type_name
from lxc.ir.types import Array, dtype_of

OLDEST = 13
"""The first opset that is read: from there on axes and the like are inputs."""


def load_onnx(path: str | Path) -> OnnxModel:
    """Return the model in an ONNX file, a layer whose parameters are those of the file.

    What lxc does not cover is refused with the name, the node and the opset of every such
    operator, all at once. Weights may lie in other files of the model's folder.
    """
    place = Path(path)
    model = read_model(place)
    return OnnxModel(Reading(place, opset_of(model, place.name)).program(model.graph))


def opset_of(model: ModelProto, file: str) -> int:
    """Return the version of ONNX' own operators that a model uses, or 0 if it uses none."""
    versions = [entry.version for entry in model.opset_import if entry.domain in DOMAINS]
    newest = int(defs.onnx_opset_version())
    if len(versions) > 1:
        raise damaged(f"{file} uses two opsets", actual=", ".join(map(str, versions)))
    if not versions:
        return 0
    if not OLDEST <= versions[0] <= newest:
        raise LxcError(
            "LXC-E0114",
            f"{file} uses opset {versions[0]}",
            expected=f"opset {OLDEST} to {newest}, the newest that the package onnx knows",
            hint="onnx.version_converter.convert_version changes it",
        )
    return int(versions[0])


@dataclass
class Reading:
    """What is known of a file while it is read."""

    path: Path
    opset: int
    produced: set[str] = field(default_factory=set)

    def program(self, graph: GraphProto) -> Program:
        """Return a graph as a program, or raise with everything that is not covered."""
        tensors = Tensors(self.path.parent)
        if graph.sparse_initializer:
            raise LxcError("LXC-E0114", f"{self.path.name} holds sparse weights")
        nodes = Nodes(self.opset, tensors)
        used = {name for node in graph.node for name in node.input}
        used |= {value.name for value in graph.output}
        stored = [tensor for tensor in graph.initializer if tensor.name in used]
        arrays = {tensor.name: tensors.array(tensor) for tensor in stored}
        inputs = [value for value in graph.input if value.name not in arrays]
        self.produced = {*arrays, *(value.name for value in inputs)}
        if len(self.produced) != len(stored) + len(inputs):
            raise damaged(f"{self.path.name} names two values alike")
        given = tuple(input_of(value, nodes.faults) for value in inputs)
        steps = self.steps(graph.node, nodes, arrays)
        refuse(self.path.name, nodes.faults)
        outputs = tuple(value.name for value in graph.output)
        self.check(outputs, "the graph")
        if not outputs or len(set(outputs)) != len(outputs):
            raise damaged(f"{self.path.name} has no outputs, or one of them twice")
        check_keys([entry.key for entry in given], self.path.name)
        fixed = needed_known(steps)
        names = [name for name in arrays if is_parameter(arrays[name], name, fixed)]
        return Program(
            self.path.name,
            given,
            outputs,
            steps,
            {name: arrays[name] for name in arrays if name not in names},
            {name: arrays[name] for name in names},
            paths_of(names),
        )

    def steps(
        self, nodes: Iterable[NodeProto], reader: Nodes, arrays: dict[str, Array]
    ) -> tuple[Step, ...]:
        """Return the nodes as steps; constants among them join the arrays."""
        found = []
        for node in nodes:
            self.check(node.input, node.name or node.op_type)
            for name in filter(None, node.output):
                if name in self.produced:
                    raise damaged(f"{self.path.name} computes {name} twice")
                self.produced.add(name)
            if node.op_type == "Constant" and node.domain in DOMAINS:
                array = constant_of(node, reader)
                if array is not None and len(node.output) == 1:
                    arrays[node.output[0]] = array
                continue
            step = reader.step(node)
            if step is not None:
                found.append(step)
        return tuple(found)

    def check(self, names: Sequence[str], where: str) -> None:
        """Refuse values that nothing before has computed."""
        missing = [name for name in names if name and name not in self.produced]
        if missing:
            raise damaged(
                f"{where} reads what nothing before it computes", actual=", ".join(missing)
            )


def constant_of(node: NodeProto, reader: Nodes) -> Array | None:
    """Return what a node of a constant holds, or None where it is at fault."""
    words = {
        "value": None,
        "value_float": np.float32,
        "value_floats": np.float32,
        "value_int": np.int64,
        "value_ints": np.int64,
    }
    given = [a for a in node.attribute if a.name in words]
    if len(given) != 1 or len(node.attribute) != 1:
        kinds = ", ".join(a.name for a in node.attribute) or "nothing"
        label = repr(node.name or f"of {', '.join(node.output)}")[1:-1]
        reader.faults.append(
            f"Constant (opset {reader.opset}), node {label}: a constant of {kinds}"
        )
        return None
    value = reader.value(given[0])
    return np.asarray(value, words[given[0].name])


def input_of(value: ValueInfoProto, faults: list[str]) -> Input:
    """Return an input; one of a type that lxc has not joins the faults."""
    tensor, label = value.type.tensor_type, repr(value.name)[1:-1]
    if not value.type.HasField("tensor_type") or tensor.elem_type not in ELEMENTS:
        kind = type_name(tensor.elem_type) if tensor.elem_type else "no tensor"
        faults.append(f"input {label}: it is {kind}")
        return Input(value.name, word_of(value.name or "x"), np.dtype(np.float32), ())
    if not tensor.HasField("shape"):
        faults.append(f"input {label}: the number of its axes is not known")
    shape: list[int | str] = []
    for axis, entry in enumerate(tensor.shape.dim):
        known = entry.HasField("dim_value") and entry.dim_value >= 0
        name = entry.dim_param or f"{value.name or 'x'}_{axis}"
        shape.append(int(entry.dim_value) if known else word_of(name))
    key = word_of(value.name or "x")
    return Input(value.name, key, element_type(tensor.elem_type), tuple(shape))


def check_keys(keys: Sequence[str], file: str) -> None:
    """Refuse a graph without inputs."""
    if not keys:
        raise LxcError("LXC-E0114", f"{file} has no input: there is nothing to compile")


def needed_known(steps: Sequence[Step]) -> set[str]:
    """Return the values that shapes and settings follow from."""
    needed: set[str] = set()
    for step in reversed(steps):
        if needed & set(step.outputs) and not step.operator.direct:
            needed |= set(step.inputs)
        needed |= {
            name for place, name in enumerate(step.inputs) if step.operator.needs(place)
        }
    return needed


def is_parameter(array: Array, name: str, fixed: set[str]) -> bool:
    """Return whether a constant of the file is a parameter of the model."""
    is_float = dtype_of(array.dtype).is_float
    return is_float and array.ndim > 0 and array.size > 0 and name not in fixed


def refuse(file: str, faults: Sequence[str]) -> None:
    """Raise if there is anything that lxc does not cover."""
    if faults:
        raise LxcError(
            "LXC-E0114",
            f"{file} uses what lxc does not have",
            actual=("\n" + " " * 12).join(faults),
        )
