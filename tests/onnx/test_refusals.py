"""What lxc does not cover is refused at import: all of it at once, with its place."""

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

import lxc
from lxc.errors import LxcError
from lxc.frontend.onnx.reader import load_onnx
from tests.conftest import Golden
from tests.onnx.graphs import FLOAT, INT64, model_proto, read

GOLDEN = Path(__file__).parent.parent / "errors" / "golden"


def test_everything_that_is_not_covered_is_named_at_once(
    tmp_path: Path, golden: Golden
) -> None:
    nodes = [
        helper.make_node("Unique", ["x"], ["best", "places"], name="best"),
        helper.make_node("Fancy", ["best"], ["f"], domain="com.own", name="/own/Fancy"),
        helper.make_node("MaxPool", ["x"], ["p", "i"], kernel_shape=[2], name="pool"),
        helper.make_node("LSTM", ["x", "w", "r"], ["l"], input_forget=1, hidden_size=2),
        helper.make_node("Relu", ["x"], ["y"], slope=1.0),
        helper.make_node("Nothing", ["y"], ["z"], name="n"),
        helper.make_node("Constant", [], ["text"], value_string="words"),
    ]
    weights = np.ones((1, 8, 3), np.float32), np.ones((1, 8, 2), np.float32)
    constants = {"w": weights[0], "r": weights[1]}
    inputs = {
        "x": (FLOAT, [1, 4, 3]),
        "s": (TensorProto.STRING, [1]),
        "u": (TensorProto.FLOAT8E5M2, [1]),
    }
    proto = model_proto(nodes, inputs, ["z"], constants)
    proto.opset_import.add(domain="com.own", version=1)
    with pytest.raises(LxcError) as error:
        read(tmp_path, proto)
    golden.compare(GOLDEN / "onnx-not-covered.txt", f"{error.value}\n")


def test_a_shape_that_only_a_call_knows_is_refused(tmp_path: Path, golden: Golden) -> None:
    node = helper.make_node("Reshape", ["x", "shape"], ["y"], name="/head/Reshape")
    inputs = {"x": (FLOAT, [4]), "shape": (INT64, [2])}
    model = read(tmp_path, model_proto([node], inputs, ["y"]))
    with pytest.raises(LxcError) as error:
        lxc.trace(model, model.inputs(), *lxc.setup(0, model))
    golden.compare(GOLDEN / "onnx-shape-of-a-call.txt", f"{error.value}\n")


@pytest.mark.parametrize("opset", [12, 99])
def test_other_opsets_are_refused(tmp_path: Path, opset: int) -> None:
    node = helper.make_node("Relu", ["x"], ["y"])
    proto = model_proto([node], {"x": (FLOAT, [4])}, ["y"])
    proto.opset_import[0].version = opset
    with pytest.raises(LxcError, match=f"opset {opset}"):
        read(tmp_path, proto)


def test_a_damaged_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden: Golden
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.onnx").write_bytes(b"no model")
    with pytest.raises(LxcError) as error:
        load_onnx("model.onnx")
    golden.compare(GOLDEN / "onnx-damaged.txt", f"{error.value}\n")


def test_dimensions_need_bounds(tmp_path: Path, golden: Golden) -> None:
    node = helper.make_node("Relu", ["x"], ["y"])
    model = read(tmp_path, model_proto([node], {"x": (FLOAT, ["batch", "time"])}, ["y"]))
    with pytest.raises(LxcError) as error:
        model.inputs(batch=(1, 4))
    golden.compare(GOLDEN / "onnx-dimension-without-bounds.txt", f"{error.value}\n")
    with pytest.raises(LxcError, match="no dimension channels"):
        model.inputs(batch=(1, 4), time=3, channels=2)


def test_calls_with_other_inputs_are_refused(tmp_path: Path) -> None:
    node = helper.make_node("Add", ["a", "b"], ["y"])
    inputs = {"a": (FLOAT, ["n"]), "b": (FLOAT, ["n"])}
    model = read(tmp_path, model_proto([node], inputs, ["y"]))
    ps, st = lxc.setup(0, model)
    one = np.ones(2, np.float32)
    np.testing.assert_array_equal(model({"a": one, "b": one}, ps, st)[0], one + one)
    for wrong in (one, {"a": one}, {"a": one, "b": one.astype(np.float64)}):
        with pytest.raises(LxcError) as error:
            model(wrong, ps, st)
        assert error.value.code == "LXC-E0103"
