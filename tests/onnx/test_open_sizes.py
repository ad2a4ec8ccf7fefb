"""Parts of constants that an open size says, as embeddings of positions take them."""

from pathlib import Path

import numpy as np
import pytest
from onnx import helper

import lxc
from lxc.errors import LxcError
from lxc.ir.evaluate import evaluate
from lxc.tree import flatten
from tests.onnx.graphs import FLOAT, INT64, by_onnxruntime, model_proto, read

TABLE = np.random.default_rng(0).standard_normal((12, 4)).astype(np.float32)
NODES = [
    helper.make_node("Shape", ["words"], ["time"], start=1),
    helper.make_node("Slice", ["numbers", "zero", "time", "one"], ["places"], name="cut"),
    helper.make_node("Gather", ["table", "places"], ["found"]),
    helper.make_node("Gather", ["table", "words"], ["own"]),
    helper.make_node("Neg", ["time"], ["back"]),
    helper.make_node("Slice", ["numbers", "back", "far", "one"], ["late"]),
    helper.make_node("Gather", ["table", "late"], ["last"]),
    helper.make_node("Sum", ["own", "found", "last"], ["y"]),
]
CONSTANTS = {
    "numbers": np.arange(10)[None],
    "zero": np.array([0]),
    "one": np.array([1]),
    "far": np.array([2**63 - 1]),
    "table": TABLE,
}
PROTO = model_proto(NODES, {"words": (INT64, ["batch", "time"])}, ["y"], CONSTANTS)


def test_an_open_size_says_which_part_of_a_constant_is_taken(tmp_path: Path) -> None:
    model = read(tmp_path, PROTO)
    ps, st = lxc.setup(0, model)
    graph = lxc.trace(model, model.inputs(batch=(1, 4), time=(1, 10)), ps, st)
    for shape in ((2, 3), (1, 10)):
        words = np.arange(np.prod(shape)).reshape(shape) % 12
        (wanted,) = by_onnxruntime(tmp_path / "model.onnx", {"words": words})
        (found,), _ = evaluate(graph, [words], flatten(ps)[0])
        np.testing.assert_allclose(found, wanted, 1e-6)


def test_a_part_that_may_be_larger_than_the_constant_is_refused(tmp_path: Path) -> None:
    model = read(tmp_path, PROTO)
    with pytest.raises(LxcError, match="cut") as error:
        lxc.trace(model, model.inputs(batch=2, time=(1, 11)), *lxc.setup(0, model))
    assert error.value.code == "LXC-E0103"
    assert "10" in str(error.value)
    print(error.value)


def test_frames_of_an_open_length_are_split_into_groups(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["wave", "kernel"], ["frames"], strides=[2]),
        helper.make_node("Reshape", ["frames", "groups"], ["split"]),
        helper.make_node("Shape", ["frames"], ["count"], start=2),
        helper.make_node("Concat", ["rest", "two", "count"], ["rows"], axis=0),
        helper.make_node("Reshape", ["split", "rows"], ["y"]),
    ]
    kernel = np.random.default_rng(0).standard_normal((6, 1, 4)).astype(np.float32)
    constants = {
        "kernel": kernel,
        "groups": np.array([0, 3, -1]),
        "rest": np.array([-1]),
        "two": np.array([2]),
    }
    inputs = {"wave": (FLOAT, ["batch", 1, "samples"])}
    model = read(tmp_path, model_proto(nodes, inputs, ["y"], constants))
    ps, st = lxc.setup(0, model)
    graph = lxc.trace(model, model.inputs(batch=(1, 4), samples=(4, 20)), ps, st)
    for shape in ((2, 1, 9), (1, 1, 20)):
        wave = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
        (wanted,) = by_onnxruntime(tmp_path / "model.onnx", {"wave": wave})
        (found,), _ = evaluate(graph, [wave], flatten(ps)[0])
        np.testing.assert_allclose(found, wanted, 1e-5, 1e-6)


@pytest.mark.parametrize("rows", [0, (0, 4)])
def test_a_size_that_is_kept_may_be_zero(
    tmp_path: Path, rows: int | tuple[int, int]
) -> None:
    node = helper.make_node("Reshape", ["x", "shape"], ["y"])
    constants = {"shape": np.array([0, -1, 3])}
    proto = model_proto([node], {"x": (FLOAT, ["rows", 2, 9])}, ["y"], constants)
    model = read(tmp_path, proto)
    graph = lxc.trace(model, model.inputs(rows=rows), *lxc.setup(0, model))
    (found,), _ = evaluate(graph, [np.zeros((0, 2, 9), np.float32)])
    assert found.shape == (0, 6, 3)
