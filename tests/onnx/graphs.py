"""Small ONNX files, made for a test."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import NodeProto, TensorProto, helper, numpy_helper

from lxc.frontend.onnx.model import OnnxModel
from lxc.frontend.onnx.reader import load_onnx
from lxc.ir.types import Array

Shape = Sequence[Any]
FLOAT = int(TensorProto.FLOAT)
INT64 = int(TensorProto.INT64)


def model_proto(
    nodes: Sequence[NodeProto],
    inputs: Mapping[str, tuple[int, Shape]],
    outputs: Sequence[str],
    constants: Mapping[str, Array] | None = None,
    opset: int = 20,
) -> Any:
    """Return a model; inputs are element type and shape by name."""
    stored = [numpy_helper.from_array(a, n) for n, a in (constants or {}).items()]
    given = [
        helper.make_tensor_value_info(name, kind, shape)
        for name, (kind, shape) in inputs.items()
    ]
    made = [helper.make_tensor_value_info(name, FLOAT, None) for name in outputs]
    graph = helper.make_graph(list(nodes), "graph", given, made, stored)
    versions = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=versions, ir_version=9)


def read(folder: Path, proto: Any) -> OnnxModel:
    """Return a model after a way through a file."""
    path = folder / "model.onnx"
    onnx.save(proto, path)
    return load_onnx(path)


def by_onnxruntime(path: Path, inputs: Mapping[str, Array]) -> list[Array]:
    """Return what onnxruntime computes."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return [np.asarray(y) for y in session.run(None, dict(inputs))]


def argument(model: OnnxModel, inputs: Mapping[str, Array]) -> Any:
    """Return inputs by the file's names as the model takes them."""
    given = {entry.key: inputs[entry.name] for entry in model.program.inputs}
    return next(iter(given.values())) if len(given) == 1 else given
