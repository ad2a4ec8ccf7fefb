"""Operators in one graph of a symbolic batch, compiled, against onnxruntime."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from onnx import NodeProto, helper

import lxc
from lxc.ir.agreement import agreement, longest_sum
from lxc.ir.evaluate import evaluate
from lxc.ir.types import Array
from lxc.tree import flatten
from tests.onnx.graphs import FLOAT, Shape, by_onnxruntime, model_proto, read

RNG = np.random.default_rng(0)


def floats(*shape: int) -> Array:
    return RNG.standard_normal(shape).astype(np.float32)


def node(kind: str, inputs: str, outputs: str, **attributes: Any) -> NodeProto:
    """Return a node; names stand between spaces, `-` for a missing one."""
    names = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(
        kind, names, outputs.split(), name=f"/net/{outputs}", **attributes
    )


IMAGES = [
    node("ConvTranspose", "x w", "up", strides=[2, 2], output_padding=[1, 1], group=2),
    node("AveragePool", "x", "mean", kernel_shape=[3, 3], pads=[1, 1, 1, 1], ceil_mode=1),
    node("MaxPool", "x", "max", kernel_shape=[2, 2], dilations=[2, 2], strides=[2, 2]),
    node("GlobalLpPool", "x", "norm", p=2),
    node("Resize", "x - scales", "linear", mode="linear"),
    node("Resize", "x - scales", "cubic", mode="cubic"),
    node("Resize", "x - scales", "near", mode="nearest"),
    node("Pad", "x pads", "pad", mode="reflect"),
    node("LRN", "x", "lrn", size=3),
    node("InstanceNormalization", "x one zero", "instance"),
    node("DepthToSpace", "x", "depth", blocksize=2),
    node("Softmax", "x", "soft", axis=1),
    node("Clip", "x low", "clip"),
]
IMAGE_CONSTANTS: dict[str, Array] = {
    "w": floats(4, 3, 3, 3),
    "scales": np.array([1, 1, 2, 1.5], np.float32),
    "pads": np.array([0, 0, 1, 2, 0, 0, 2, 1]),
    "one": floats(4),
    "zero": floats(4),
    "low": np.array(-0.5, np.float32),
}
STEPS = [
    node("GRU", "x gw gr gb lengths", "g gh", hidden_size=5, linear_before_reset=1),
    node(
        "LSTM",
        "x lw lr lb lengths",
        "l lh lc",
        hidden_size=4,
        direction="bidirectional",
    ),
    node("RNN", "x rw rr", "r rh", hidden_size=4, direction="reverse"),
    node("CumSum", "x axis", "sum", exclusive=1, reverse=1),
]
STEP_CONSTANTS: dict[str, Array] = {
    "gw": floats(1, 15, 3),
    "gr": floats(1, 15, 5),
    "gb": floats(1, 30),
    "lw": floats(2, 16, 3),
    "lr": floats(2, 16, 4),
    "lb": floats(2, 32),
    "rw": floats(1, 4, 3),
    "rr": floats(1, 4, 4),
    "axis": np.array(0),
    "lengths": np.array([5, 2], np.int32),
}


ENTRIES = [
    node("TopK", "x three", "best places"),
    node("TopK", "x three", "least where", largest=0),
    node("ScatterElements", "x places least", "moved", axis=1),
    node("Mod", "places two", "twice"),
    node("ScatterElements", "x twice best", "sums", axis=1, reduction="add"),
    node("ScatterElements", "x twice best", "most", axis=1, reduction="max"),
    node("NonZero", "mask", "ones"),
    node("Transpose", "ones", "known"),
    node("ScatterND", "matrix known fill", "filled"),
    node("Add", "x filled", "shifted"),
    node("ReduceMax", "where", "row", keepdims=0),
    node("Reshape", "row column", "point"),
    node("Transpose", "x", "turned", perm=[1, 0]),
    node("Gather", "turned first", "line", axis=0),
    node("ScatterND", "turned point line", "written"),
]
ENTRY_CONSTANTS: dict[str, Array] = {
    "three": np.array([3]),
    "two": np.array(2),
    "mask": np.array([[0, 1, 0, 0, 1, 1]]),
    "matrix": floats(1, 6),
    "fill": floats(3),
    "column": np.array([1, 1]),
    "first": np.array([0]),
}
PLACES = [
    node("Transpose", "x", "turned", perm=[0, 2, 3, 1]),
    node("Slice", "turned first third last", "grid"),
    node("GridSample", "x grid", "linear", mode="linear"),
    node("GridSample", "x grid", "near", mode="nearest", padding_mode="border"),
    node(
        "GridSample",
        "x grid",
        "cubic",
        mode="cubic",
        padding_mode="reflection",
        align_corners=1,
    ),
    node("Gather", "x pair", "channels", axis=1),
    node("ReduceMean", "channels two", "rows", keepdims=0),
    node("Slice", "rows first last two", "theta"),
    node("Shape", "x", "size"),
    node("AffineGrid", "theta size", "mesh"),
    node("Reshape", "x columns", "blocks"),
    node(
        "Col2Im",
        "blocks image block",
        "added",
        pads=[1, 0, 0, 1],
        strides=[2, 1],
        dilations=[1, 2],
    ),
]
PLACE_CONSTANTS: dict[str, Array] = {
    "first": np.array([0]),
    "pair": np.array([0, 1]),
    "third": np.array([2]),
    "two": np.array([2]),
    "last": np.array([3]),
    "columns": np.array([0, 8, 24]),
    "image": np.array([7, 7]),
    "block": np.array([2, 2]),
}
SIGNALS = [
    node("STFT", "x step window length", "frames"),
    node("STFT", "x step - length", "all", onesided=0),
    node("DFT", "x - axis", "half", onesided=1),
    node("DFT", "half twice axis", "back", onesided=1, inverse=1),
    node("DFT", "half - axis", "inverse", inverse=1),
]
SIGNAL_CONSTANTS: dict[str, Array] = {
    "step": np.array(8),
    "window": np.hanning(16).astype(np.float32),
    "length": np.array(16),
    "twice": np.array(32),
    "axis": np.array(1),
}


def compare(
    folder: Path,
    nodes: list[NodeProto],
    shape: Shape,
    x: Array,
    constants: Mapping[str, Array],
    integers: Collection[str] = (),
    **bounds: tuple[int, int],
) -> None:
    """Compile a graph and compare all that is no integer with onnxruntime and itself."""
    outputs = [name for one in nodes for name in one.output if name not in integers]
    model = read(folder, model_proto(nodes, {"x": (FLOAT, shape)}, outputs, constants))
    wanted = by_onnxruntime(folder / "model.onnx", {"x": x})
    ps, st = lxc.setup(0, model)
    graph = lxc.trace(model, model.inputs(**bounds), ps, st)
    compiled = lxc.compile(graph, target="x86-64-v2")(x, ps, st)[0]
    narrow, _ = evaluate(graph, [x], flatten(ps)[0])
    exact, _ = evaluate(graph, [x], flatten(ps)[0], wide=True)
    rows = zip(outputs, wanted, compiled.values(), narrow, exact, strict=True)
    for name, theirs, ours, near, far in rows:
        assert ours.shape == theirs.shape, name
        close = agreement(np.asarray(ours), near, far, longest_sum(graph))
        assert close.holds, f"{name}: {close}"
        np.testing.assert_allclose(theirs, far, 1e-4, 1e-5, err_msg=name)


def test_operators_of_images_compile(tmp_path: Path) -> None:
    shape = ["N", 4, 8, 6]
    compare(tmp_path, IMAGES, shape, floats(2, 4, 8, 6), IMAGE_CONSTANTS, N=(1, 4))


def test_operators_of_sequences_compile(tmp_path: Path) -> None:
    shape = ["T", 2, 3]
    compare(tmp_path, STEPS, shape, floats(5, 2, 3), STEP_CONSTANTS, T=(1, 9))


def test_operators_that_order_and_write_entries_compile(tmp_path: Path) -> None:
    x = floats(3, 6)
    shape, integers = (
        ["N", 6],
        ["places", "where", "twice", "ones", "known", "row", "point"],
    )
    compare(tmp_path, ENTRIES, shape, x, ENTRY_CONSTANTS, integers, N=(1, 4))


def test_operators_that_read_between_cells_compile(tmp_path: Path) -> None:
    shape = ["N", 4, 8, 6]
    compare(
        tmp_path, PLACES, shape, floats(2, 4, 8, 6), PLACE_CONSTANTS, ["size"], N=(1, 4)
    )


def test_operators_of_signals_compile(tmp_path: Path) -> None:
    shape = ["N", 32, 1]
    compare(tmp_path, SIGNALS, shape, floats(2, 32, 1), SIGNAL_CONSTANTS, N=(1, 4))
