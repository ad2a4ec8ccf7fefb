"""Convolutions called by themselves: channels in plain order, and results out of blocks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

import numpy as np
import pytest

from lxc.ir.agreement import agreement, summed_terms
from lxc.ir.builder import Builder
from lxc.ir.dim import Dim, expression
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.node import Value
from lxc.ir.op import OPS
from lxc.ir.types import Array, DType, Shape, TensorType
from lxc.structure import LEAF, Structure
from tests.targets.backends import Compiled, compiled

MOST = 5
N = Dim("N", 1, MOST)


@dataclass(frozen=True)
class Layer:
    """A convolution with padding and an activation; `pads` has both sides of each axis."""

    inputs: int
    outputs: int
    size: tuple[int, ...]
    taps: tuple[int, ...]
    strides: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    pads: tuple[tuple[int, int], ...] = ()
    groups: int = 1
    adds: bool = False


LAYERS = (
    # One tap: cells are one axis, with vectors that overlap at its end.
    Layer(20, 13, (7, 9), (1, 1)),
    Layer(8, 40, (5, 3), (1, 1), adds=True),
    Layer(12, 6, (19,), (1,), groups=2),
    Layer(5, 3, (2, 3, 5), (1, 1, 1)),
    # The same with so many channels and cells that stretches of cells are copied.
    Layer(96, 50, (59, 47), (1, 1), adds=True),
    # All channels begin at the same place in a line; one sample is read from near, or not.
    Layer(96, 50, (24, 16), (1, 1), adds=True),
    Layer(40, 96, (80, 96), (1, 1)),
    # Few channels in and more of them out.
    Layer(3, 20, (21, 18), (3, 3), pads=((1, 1), (1, 1)), adds=True),
    Layer(3, 24, (30, 29), (7, 7), strides=(2, 2), pads=((3, 3), (3, 2))),
    # Results leave their blocks, and the last block is not full.
    Layer(32, 32, (9, 11), (3, 3), strides=(2, 2), pads=((1, 1), (0, 1)), adds=True),
    Layer(32, 21, (6, 5), (2, 3), dilation=(2, 1), pads=((0, 0), (1, 1))),
    Layer(32, 48, (13,), (3,), strides=(2,), pads=((1, 1),), groups=1),
    # A group at a time, with edges; steps and distances along any axis.
    Layer(6, 6, (10, 21), (3, 3), pads=((1, 1), (1, 1)), groups=6, adds=True),
    Layer(6, 12, (9, 22), (3, 5), strides=(2, 2), pads=((1, 0), (2, 2)), groups=6),
    Layer(12, 12, (8, 17), (3, 3), pads=((2, 1), (0, 3)), groups=3),
    Layer(4, 4, (7, 26), (2, 3), strides=(1, 3), dilation=(1, 2), groups=4),
    Layer(4, 8, (23,), (4,), strides=(2,), pads=((1, 2),), groups=4),
    Layer(4, 4, (3, 5, 18), (3, 1, 3), pads=((1, 1), (0, 0), (1, 1)), groups=2),
    # One result per group: tiles slide down a plane, whose lines several rows read.
    Layer(7, 7, (13, 35), (5, 5), pads=((2, 2), (2, 2)), groups=7, adds=True),
    Layer(5, 5, (14, 19), (3, 3), dilation=(2, 2), pads=((2, 2), (2, 2)), groups=5),
    Layer(5, 5, (12, 33), (3, 2), strides=(1, 2), pads=((1, 1), (0, 1)), groups=5),
    Layer(3, 3, (4, 7, 18), (3, 3, 3), pads=((1, 1), (1, 1), (1, 0)), groups=3),
    # No line is read twice, or there are too many factors.
    Layer(4, 4, (12, 20), (2, 2), strides=(2, 2), groups=4),
    Layer(3, 3, (12, 25), (7, 7), pads=((3, 3), (3, 3)), groups=3),
)


def graph_of(layers: Sequence[Layer]) -> Graph:
    """Return a graph with an input, a kernel and an output per layer."""
    build, inputs, params, outputs = Builder(), [], [], []
    for number, layer in enumerate(layers):
        rank = len(layer.size)
        shape: Shape = (expression(N), layer.inputs, *layer.size)
        inputs.append(Value(TensorType(DType.F32, shape), f"%x.{number}"))
        kernel = (layer.outputs, layer.inputs // layer.groups, *layer.taps)
        params.append(Value(TensorType(DType.F32, kernel), f"@{number}"))
        (found,) = build.add(
            OPS["conv"],
            inputs[-1],
            params[-1],
            strides=layer.strides or (1,) * rank,
            padding=layer.pads or ((0, 0),) * rank,
            lhs_dilation=(1,) * rank,
            rhs_dilation=layer.dilation or (1,) * rank,
            groups=layer.groups,
        )
        outputs.append(finished(build, found) if layer.adds else found)
    return Graph(
        name="plain",
        dims=(N,),
        inputs=tuple(inputs),
        params=tuple(params),
        nodes=tuple(build.nodes),
        outputs=tuple(outputs),
        input_tree=Structure("list", (), (LEAF,) * len(inputs)),
        param_tree=Structure("list", (), (LEAF,) * len(params)),
        state_tree=Structure("list", (), ()),
        output_tree=Structure("list", (), (LEAF,) * len(outputs)),
    )


def finished(build: Builder, x: Value) -> Value:
    """Return max(x + 0.25, 0), which a kernel does to its sums."""
    for name, number in (("add", 0.25), ("maximum", 0.0)):
        scalar = build.array(np.array(number, np.float32))
        (wide,) = build.add(OPS["broadcast"], scalar, shape=x.type.shape, axes=())
        (x,) = build.add(OPS[name], x, wide)
    return x


def arrays(
    samples: int, layers: Sequence[Layer] = LAYERS
) -> tuple[list[Array], list[Array]]:
    """Return inputs, the first samples of the same ones for every number, and kernels."""
    source = np.random.default_rng(3)
    inputs = [source.normal(size=(MOST, one.inputs, *one.size)) for one in layers]
    params = [
        source.normal(size=(one.outputs, one.inputs // one.groups, *one.taps))
        for one in layers
    ]
    return (
        [array[:samples].astype(np.float32) for array in inputs],
        [array.astype(np.float32) for array in params],
    )


SHARED = (
    Layer(48, 48, (40, 41), (3, 3), pads=((1, 1), (1, 1)), groups=48, adds=True),
    Layer(36, 36, (40, 40), (3, 3), pads=((1, 1), (1, 1)), groups=12),
)


@pytest.mark.parametrize("backend", compiled())
def test_threads_stage_groups_in_memory_of_their_own(
    backend: Compiled, tmp_path: Path
) -> None:
    graph = graph_of(SHARED)
    runner = backend.load(graph, tmp_path)
    kernels = runner.model.target.kernels
    staged = [one for one in kernels if one["algorithm"] == "staged_conv by tiles"]
    assert [one["parallel"] for one in staged] == [True] * len(SHARED)
    inputs, params = arrays(MOST, SHARED)
    alone, _ = runner.run(inputs, params)
    for _ in range(20):
        together, _ = runner.run(inputs, params, threads=2)
        for one, two in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("backend", compiled())
def test_threads_copy_stretches_to_memory_of_their_own(
    backend: Compiled, tmp_path: Path
) -> None:
    layer = Layer(97, 53, (59, 49), (1, 1), adds=True)
    runner = backend.load(graph_of([layer]), tmp_path)
    (kernel,) = runner.model.target.kernels
    assert (kernel["algorithm"], kernel["parallel"]) == ("stretched_conv by tiles", True)
    inputs, params = arrays(MOST, [layer])
    ((alone,), _) = runner.run(inputs, params)
    for _ in range(5):
        ((together,), _) = runner.run(inputs, params, threads=2)
        np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("backend", compiled())
def test_plain_convolutions_are_right_whatever_the_batch_and_the_threads(
    backend: Compiled, tmp_path: Path
) -> None:
    graph = graph_of(LAYERS)
    runner = backend.load(graph, tmp_path)
    inputs, params = arrays(MOST)
    whole, _ = runner.run(inputs, params)
    exact, _ = evaluate(graph, inputs, params, (), wide=True)
    narrow, _ = evaluate(graph, inputs, params, ())
    terms = [summed_terms(node) for node in graph.nodes if node.op is OPS["conv"]]
    triples = zip(whole, narrow, exact, strict=True)
    for layer, number, three in zip(LAYERS, terms, triples, strict=True):
        close = agreement(*three, number)
        assert close.holds, (layer, close)
    for samples, threads in ((1, 1), (1, 2), (MOST, 2), (2, 1)):
        few, _ = runner.run(arrays(samples)[0], params, threads=threads)
        for layer, y, part in zip(LAYERS, whole, few, strict=True):
            np.testing.assert_array_equal(part, y[:samples], err_msg=str(layer))
    # By tiles, cells that are no numbers spread to neighbours.
    spoil(inputs, params)
    found, _ = replace(backend, exact=True).load(graph, tmp_path).run(inputs, params)
    reached, _ = evaluate(graph, inputs, params, ())
    for layer, y, want in zip(LAYERS, found, reached, strict=True):
        np.testing.assert_array_equal(np.isnan(y), np.isnan(want), err_msg=str(layer))
        np.testing.assert_array_equal(np.isinf(y), np.isinf(want), err_msg=str(layer))


@pytest.mark.parametrize("backend", compiled())
def test_where_cells_lie_in_memory_changes_no_bit(
    backend: Compiled, tmp_path: Path
) -> None:
    layers = [layer for layer in LAYERS if is_far_in_lines(layer)]
    runner = backend.load(graph_of(layers), tmp_path)
    inputs, params = arrays(2, layers)
    wanted, _ = runner.run([moved(x, 0) for x in inputs], params)
    for cells in (1, 4, 15):
        for threads in (1, 2):
            here = [moved(x, cells) for x in inputs]
            found, _ = runner.run(here, params, threads=threads)
            for layer, y, want in zip(layers, found, wanted, strict=True):
                np.testing.assert_array_equal(y, want, err_msg=f"{layer} from {cells}")


def is_far_in_lines(layer: Layer) -> bool:
    """Return whether channels lie far apart, each at the same place in a line."""
    cells = prod(layer.size)
    return set(layer.taps) == {1} and cells % 16 == 0 and layer.inputs * cells > 32 << 10


def moved(x: Array, cells: int) -> Array:
    """Return a copy of an array that begins so many numbers behind the start of a line."""
    room = np.empty(x.size + 32, np.float32)
    start = (-(room.ctypes.data // 4)) % 16 + cells
    placed = room[start : start + x.size].reshape(x.shape)
    placed[...] = x
    return placed


def spoil(inputs: Sequence[Array], params: Sequence[Array]) -> None:
    """Put numbers that are not finite into some places; zeros of an edge meet them too."""
    for array in inputs:
        array.reshape(-1)[array.size // 2] = np.nan
        array.reshape(-1)[-1] = np.inf
    for array in params:
        array.reshape(-1)[0] = np.inf
