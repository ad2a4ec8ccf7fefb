"""Quantised operators, compiled, give the numbers of onnxruntime."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper

import lxc
from lxc.ir.types import Array
from tests.onnx.graphs import FLOAT, by_onnxruntime, model_proto, read

RNG = np.random.default_rng(0)
STEPS = {"x_step": np.float32(0.02), "y_step": np.float32(0.5), "zero": np.int8(-7)}


def node(kind: str, inputs: str, outputs: str, **attributes: Any) -> NodeProto:
    """Return a node whose names stand between spaces."""
    return helper.make_node(kind, inputs.split(), outputs.split(), **attributes)


def signed(*shape: int) -> Array:
    return RNG.integers(-128, 128, shape).astype(np.int8)


def steps(*shape: int) -> Array:
    return RNG.uniform(0.01, 0.03, shape).astype(np.float32)


def compare(
    folder: Path,
    nodes: Sequence[NodeProto],
    shape: tuple[int, ...],
    constants: Mapping[str, Any],
) -> None:
    """Compile a graph of an open batch and compare all its values, as floats."""
    names = [name for one in nodes for name in one.output]
    casts = [node("Cast", name, f"{name}_", to=FLOAT) for name in names]
    outputs = [f"{name}_" for name in names]
    arrays = {name: np.asarray(value) for name, value in constants.items()}
    inputs = {"x": (FLOAT, ["N", *shape])}
    proto = model_proto([*nodes, *casts], inputs, outputs, arrays, opset=21)
    model = read(folder, proto)
    x = RNG.standard_normal((3, *shape)).astype(np.float32)
    wanted = by_onnxruntime(folder / "model.onnx", {"x": x})
    ps, st = lxc.setup(0, model)
    graph = lxc.trace(model, model.inputs(N=(1, 4)), ps, st)
    found = lxc.compile(graph, target="x86-64-v2")(x, ps, st)[0]
    for name, ours, theirs in zip(names, found.values(), wanted, strict=True):
        np.testing.assert_allclose(np.asarray(ours), theirs, 1e-6, 1e-6, err_msg=name)


def test_values_become_whole_numbers_and_back(tmp_path: Path) -> None:
    nodes = [
        node("DynamicQuantizeLinear", "x", "bytes step point"),
        node("DequantizeLinear", "bytes step point", "from_bytes"),
        node("QuantizeLinear", "x row_steps row_zeros", "rows", axis=1),
        node("DequantizeLinear", "rows row_steps row_zeros", "from_rows", axis=1),
        node("QuantizeLinear", "x tiny", "limits"),
        node("QuantizeLinear", "x row_steps", "words", output_dtype=TensorProto.INT16),
    ]
    constants = {"row_steps": steps(8), "row_zeros": signed(8), "tiny": np.float32(1e-3)}
    compare(tmp_path, nodes, (8, 6), constants)


def test_products_of_bytes_are_exact(tmp_path: Path) -> None:
    matrix = "matrix column_steps column_zeros"
    nodes = [
        node("DynamicQuantizeLinear", "x", "bytes step point"),
        node("MatMulInteger", "bytes matrix point column_zeros", "sums"),
        node("QuantizeLinear", "x x_step zero", "fixed"),
        node("QLinearMatMul", f"fixed x_step zero {matrix} y_step zero", "product"),
        node("DequantizeLinear", matrix, "weight", axis=1),
    ]
    constants = {
        **STEPS,
        "matrix": signed(6, 5),
        "column_steps": steps(5),
        "column_zeros": signed(5),
    }
    compare(tmp_path, nodes, (8, 6), constants)


def test_convolutions_of_bytes_are_exact(tmp_path: Path) -> None:
    kernel = "kernel kernel_steps kernel_zeros"
    nodes = [
        node("DynamicQuantizeLinear", "x", "bytes step point"),
        node("ConvInteger", "bytes kernel point", "sums", pads=[1, 1, 1, 1]),
        node("QuantizeLinear", "x x_step zero", "fixed"),
        node(
            "QLinearConv",
            f"fixed x_step zero {kernel} y_step zero bias",
            "convolved",
            pads=[1, 0, 1, 2],
            strides=[2, 1],
        ),
    ]
    constants = {
        **STEPS,
        "kernel": signed(4, 3, 3, 3),
        "kernel_steps": steps(4),
        "kernel_zeros": np.zeros(4, np.int8),
        "bias": RNG.integers(-999, 999, 4).astype(np.int32),
    }
    compare(tmp_path, nodes, (3, 7, 6), constants)
