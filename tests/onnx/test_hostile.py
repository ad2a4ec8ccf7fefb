"""An ONNX file may come from anywhere: a bad one gives a coded error, nothing else."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import lxc
from lxc.errors import LxcError
from lxc.frontend.onnx.reader import load_onnx
from tests.conftest import Golden
from tests.onnx.graphs import FLOAT, model_proto, read

GOLDEN = Path(__file__).parent.parent / "errors" / "golden"
WEIGHT = np.arange(6, dtype=np.float32).reshape(2, 3)


def product() -> Any:
    """Return x times a weight."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"], name="product")]
    return model_proto(nodes, {"x": (FLOAT, ["N", 2])}, ["y"], {"w": WEIGHT})


def outside(location: str, **facts: str) -> Any:
    """Return the product with its weight in another file."""
    proto = product()
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **facts}.items():
        tensor.external_data.add(key=key, value=value)
    return proto


def test_weights_may_lie_beside_the_model(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "w.bin").write_bytes(b"1234" + WEIGHT.tobytes() + b"rest")
    model = read(tmp_path, outside("sub/w.bin", offset="4", length="24"))
    ps, st = lxc.setup(0, model)
    np.testing.assert_array_equal(ps["w"], WEIGHT)
    x = np.ones((1, 2), np.float32)
    np.testing.assert_array_equal(model(x, ps, st)[0], x @ WEIGHT)


@pytest.mark.parametrize(
    ("location", "facts"),
    [
        ("../secret.bin", {}),
        ("sub/../../secret.bin", {}),
        ("/etc/passwd", {}),
        ("link.bin", {}),
        ("folder/secret.bin", {}),
        ("", {}),
        (".", {}),
        ("w\0.bin", {}),
        ("short.bin", {}),
        ("fifo", {}),
        ("fine.bin", {"offset": "-4"}),
        ("fine.bin", {"offset": "8"}),
        ("fine.bin", {"offset": "9" * 30}),
        ("fine.bin", {"length": "99999999999"}),
        ("missing.bin", {}),
    ],
)
def test_weights_are_read_inside_of_the_folder_only(
    tmp_path: Path, location: str, facts: dict[str, str]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "secret.bin").write_bytes(WEIGHT.tobytes())
    (home / "link.bin").symlink_to(tmp_path / "secret.bin")
    (home / "folder").symlink_to(tmp_path)
    (home / "short.bin").write_bytes(b"1234")
    (home / "fine.bin").write_bytes(WEIGHT.tobytes())
    os.mkfifo(home / "fifo")
    with pytest.raises(LxcError) as error:
        read(home, outside(location, **facts))
    assert error.value.code in ("LXC-E0002", "LXC-E0115")


def with_dims(*dims: int) -> Any:
    proto = product()
    proto.graph.initializer[0].ClearField("dims")
    proto.graph.initializer[0].dims.extend(dims)
    return proto


def listed_but_short() -> Any:
    proto = with_dims(2**31, 2**31)
    proto.graph.initializer[0].ClearField("raw_data")
    proto.graph.initializer[0].float_data.extend([1.0, 2.0])
    return proto


def computed_twice() -> Any:
    nodes = [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Abs", ["x"], ["y"])]
    return model_proto(nodes, {"x": (FLOAT, ["N"])}, ["y"])


def circular() -> Any:
    nodes = [
        helper.make_node("Add", ["x", "b"], ["a"]),
        helper.make_node("Abs", ["a"], ["b"]),
    ]
    return model_proto(nodes, {"x": (FLOAT, ["N"])}, ["b"])


def without_graph() -> Any:
    return onnx.ModelProto(ir_version=9)


def two_opsets() -> Any:
    proto = product()
    proto.opset_import.add(domain="ai.onnx", version=14)
    return proto


def no_outputs() -> Any:
    proto = product()
    del proto.graph.output[:]
    return proto


def recursive_function() -> Any:
    proto = product()
    call = helper.make_node("Again", ["a"], ["b"], domain="own")
    versions = [helper.make_opsetid("own", 1)]
    proto.functions.append(
        helper.make_function("own", "Again", ["a"], ["b"], [call], versions)
    )
    proto.opset_import.add(domain="own", version=1)
    proto.graph.node.append(helper.make_node("Again", ["y"], ["z"], domain="own"))
    return proto


DAMAGED: list[Callable[[], Any]] = [
    lambda: with_dims(2**40, 2**40),
    lambda: with_dims(-2, -3),
    lambda: with_dims(2, 2),
    listed_but_short,
    computed_twice,
    circular,
    without_graph,
    two_opsets,
    no_outputs,
    recursive_function,
]


@pytest.mark.parametrize("make", DAMAGED)
def test_a_file_that_contradicts_itself_is_refused(
    tmp_path: Path, make: Callable[[], Any]
) -> None:
    with pytest.raises(LxcError) as error:
        read(tmp_path, make())
    assert error.value.code in ("LXC-E0114", "LXC-E0115")


@pytest.mark.parametrize("size", [2**20, 2**62])
def test_constants_that_no_memory_holds_are_refused(tmp_path: Path, size: int) -> None:
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["c"]),
        helper.make_node("Add", ["c", "x"], ["y"]),
    ]
    shape = {"shape": np.array([size, 2**20])}
    model = read(tmp_path, model_proto(nodes, {"x": (FLOAT, [1])}, ["y"], shape))
    with pytest.raises(LxcError, match="too large"):
        lxc.trace(model, model.inputs(), *lxc.setup(0, model))


@pytest.mark.parametrize("kind", ["Tile", "Pad", "OneHot"])
def test_constants_are_measured_before_they_are_computed(tmp_path: Path, kind: str) -> None:
    more = {"Tile": ["many"], "Pad": ["pads"], "OneHot": ["many", "pair"]}[kind]
    constants = {
        "c": np.zeros(4, np.int64),
        "many": np.array([2**40]),
        "pads": np.array([0, 2**40]),
        "pair": np.array([0, 1]),
    }
    nodes = [
        helper.make_node(kind, ["c", *more], ["large"]),
        helper.make_node("ReduceSum", ["large"], ["sum"]),
        helper.make_node("Cast", ["sum"], ["float"], to=FLOAT),
        helper.make_node("Add", ["float", "x"], ["y"]),
    ]
    model = read(tmp_path, model_proto(nodes, {"x": (FLOAT, [1])}, ["y"], constants))
    with pytest.raises(LxcError, match="too large") as error:
        lxc.trace(model, model.inputs(), *lxc.setup(0, model))
    assert error.value.code == "LXC-E0114"


def doubling(levels: int) -> Any:
    """Return a model of 2 ** levels nodes, as functions that call the one below twice."""
    versions = [helper.make_opsetid("", 20), helper.make_opsetid("own", 1)]
    functions = []
    for level in range(levels):
        called, domain = (f"F{level - 1}", "own") if level else ("Relu", "")
        body = [
            helper.make_node(called, ["a"], ["m"], domain=domain),
            helper.make_node(called, ["m"], ["b"], domain=domain),
        ]
        functions.append(
            helper.make_function("own", f"F{level}", ["a"], ["b"], body, versions)
        )
    node = helper.make_node(f"F{levels - 1}", ["x"], ["y"], domain="own")
    proto = model_proto([node], {"x": (FLOAT, [1])}, ["y"])
    proto.functions.extend(functions)
    proto.opset_import.add(domain="own", version=1)
    return proto


def test_functions_that_double_each_other_are_refused(
    tmp_path: Path, golden: Golden
) -> None:
    with pytest.raises(LxcError) as error:
        read(tmp_path, doubling(60))
    golden.compare(GOLDEN / "onnx-functions-without-end.txt", f"{error.value}\n")
    assert len(read(tmp_path, doubling(3)).program.steps) == 8


def test_names_cannot_forge_lines_of_a_message(tmp_path: Path) -> None:
    node = helper.make_node("Nothing", ["x"], ["y"], name="a\nerror: b\x1b[2J")
    with pytest.raises(LxcError, match="Nothing") as error:
        read(tmp_path, model_proto([node], {"x": (FLOAT, [1])}, ["y"]))
    lines = str(error.value).splitlines()
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)


def test_contradictions_of_operands_are_coded_errors(tmp_path: Path) -> None:
    node = helper.make_node("Transpose", ["x"], ["y"], perm=[0, 5], name="turn")
    model = read(tmp_path, model_proto([node], {"x": (FLOAT, [2, 3])}, ["y"]))
    with pytest.raises(LxcError) as error:
        lxc.trace(model, model.inputs(), *lxc.setup(0, model))
    assert "turn (Transpose)" in str(error.value)


def test_every_damaged_byte_is_read_or_refused(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1], name="c"),
        helper.make_node("Reshape", ["c", "s"], ["y"], name="r"),
    ]
    constants = {"w": np.ones((2, 1, 3, 3), np.float32), "s": np.array([0, -1])}
    whole = model_proto(nodes, {"x": (FLOAT, [1, 1, 4, 4])}, ["y"], constants)
    content = whole.SerializeToString()
    rng = np.random.default_rng(0)
    path = tmp_path / "m.onnx"
    for _ in range(400):
        broken = bytearray(content)
        for place in rng.integers(0, len(content), rng.integers(1, 4)):
            broken[place] = rng.integers(0, 256)
        if rng.random() < 0.3:
            del broken[rng.integers(0, len(broken)) :]
        path.write_bytes(broken)
        # Whatever the bytes say: anything but a coded error fails here.
        with suppress(LxcError):
            model = load_onnx(path)
            bounds = dict.fromkeys(model.dimensions, (1, 2))
            lxc.trace(model, model.inputs(**bounds), *lxc.setup(0, model))


def test_a_file_of_other_bytes_is_no_model(tmp_path: Path) -> None:
    for content in (b"", b"not a model", b"PK\x03\x04" * 10, bytes(range(256))):
        (tmp_path / "m.onnx").write_bytes(content)
        with pytest.raises(LxcError) as error:
            load_onnx(tmp_path / "m.onnx")
        assert error.value.code == "LXC-E0115"
    with pytest.raises(LxcError) as error:
        load_onnx(tmp_path / "none.onnx")
    assert error.value.code == "LXC-E0002"
