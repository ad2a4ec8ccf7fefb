"""Blocks of lanes change where numbers lie, never what they are."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lxc import nn
from lxc.frontend import setup, trace_layer
from lxc.ir import functions as ops
from lxc.ir.builder import Builder
from lxc.ir.dim import Dim
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.node import Value, walk
from lxc.ir.op import OPS
from lxc.ir.tensor import Tensor
from lxc.ir.types import Array, DType, TensorSpec, TensorType
from lxc.passes import (
    LAYER_PIPELINE,
    PORTABLE,
    TENSOR_PIPELINE,
    Decision,
    Outcome,
    passes_named,
    run_passes,
)
from lxc.structure import LEAF, Structure
from lxc.tree import flatten
from tests.passes.random_convolutions import chains
from tests.passes.test_meaning import SLOW

LANES = pytest.mark.parametrize("lanes", [4, 16])


def assigned(graph: Graph, lanes: int, *more: str) -> Outcome:
    """Return what the passes make of a graph for a machine with some lanes."""
    names = ["explicit-padding", "assign-layouts", *more]
    return run_passes(graph, passes_named(names), machine=replace(PORTABLE, lanes=lanes))


def result(outcome: Outcome) -> Graph:
    assert isinstance(outcome.program, Graph)
    return outcome.program


def drawn(values: Sequence[Value], seed: int) -> list[Array]:
    """Return arrays for header values, with two samples where the number is open."""
    source = np.random.default_rng(seed)
    shapes = [
        [n if isinstance(n, int) else 2 for n in value.type.shape] for value in values
    ]
    return [source.normal(size=shape).astype(np.float32) for shape in shapes]


def assert_equal(old: Sequence[Array], new: Sequence[Array]) -> None:
    """Fail unless results agree up to the order of sums, special values included."""
    for expected, found in zip(old, new, strict=True):
        finite = np.isfinite(expected)
        np.testing.assert_array_equal(found[~finite], expected[~finite])
        scale = float(np.abs(expected[finite]).max(initial=1e-30))
        np.testing.assert_allclose(
            found[finite] / scale, expected[finite] / scale, rtol=1e-7, atol=1e-9
        )


@LANES
@settings(SLOW, max_examples=60)
@given(graph=chains(), special=st.sampled_from([None, np.inf, -np.inf, np.nan]))
def test_chains_of_convolutions_keep_their_meaning(
    lanes: int, graph: Graph, special: float | None
) -> None:
    after = result(assigned(graph, lanes, "eliminate-common", "share-halo"))
    inputs, params = drawn(graph.inputs, 1), drawn(graph.params, 2)
    if special is not None:
        inputs[0].flat[inputs[0].size // 2] = special
    run = partial(evaluate, inputs=inputs, params=params, wide=True)
    assert_equal(run(graph)[0], run(after)[0])
    assert [value.type for value in after.outputs] == [v.type for v in graph.outputs]


@LANES
@settings(SLOW, max_examples=25)
@given(graph=chains())
def test_layouts_are_assigned_once(lanes: int, graph: Graph) -> None:
    once = result(assigned(graph, lanes, "share-halo"))
    again = assigned(once, lanes, "share-halo")
    assert again.program is once


def with_middle(name: str) -> Graph:
    """Return two convolutions of six channels with a function in between."""
    build = Builder()
    x = Value(TensorType(DType.F32, (1, 6, 40)), "%x")
    first = Value(TensorType(DType.F32, (6, 6, 3)), "@first")
    second = Value(TensorType(DType.F32, (8, 6, 3)), "@second")
    vector = Value(TensorType(DType.F32, (6,)), "@vector")

    def conv(value: Value, weight: Value) -> Value:
        ones, none = (1,), ((0, 0),)
        moves: dict[str, Any] = {
            "strides": ones,
            "rhs_dilation": ones,
            "lhs_dilation": ones,
        }
        return build.add(OPS["conv"], value, weight, **moves, padding=none, groups=1)[0]

    y = conv(x, first)
    wide: dict[str, Any] = {"shape": y.type.shape}
    (one,) = build.add(
        OPS["broadcast"], build.array(np.array(1, np.float32)), **wide, axes=()
    )
    (spread,) = build.add(OPS["broadcast"], vector, **wide, axes=(1,))
    (grown,) = build.add(OPS["exp"], build.add(OPS["negate"], y)[0])
    middles = {
        "sigmoid": lambda: build.add(
            OPS["divide"], one, build.add(OPS["add"], grown, one)[0]
        ),
        "reciprocal": lambda: build.add(OPS["divide"], one, y),
        "scale": lambda: build.add(OPS["divide"], y, spread),
        "logarithm": lambda: build.add(OPS["log"], build.add(OPS["absolute"], y)[0]),
        "floor": lambda: build.add(OPS["minimum"], y, one),
    }
    z = conv(middles[name]()[0], second)
    return Graph(
        name="middle",
        inputs=(x,),
        params=(first, second, vector),
        nodes=tuple(build.nodes),
        outputs=(z,),
        param_tree=Structure("tuple", (), (LEAF,) * 3),
    )


@pytest.mark.parametrize("special", [1.0, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["sigmoid", "reciprocal", "scale", "logarithm", "floor"])
def test_lanes_without_a_channel_reach_no_result(name: str, special: float) -> None:
    graph = with_middle(name)
    after = result(assigned(graph, 4))
    assert count(after)["blocked_conv"] == 2
    inputs, params = drawn(graph.inputs, 1), drawn(graph.params, 2)
    inputs[0][0, 0, 20] = special
    run = partial(evaluate, inputs=inputs, params=params, wide=True)
    assert_equal(run(graph)[0], run(after)[0])


def count(graph: Graph) -> Counter[str]:
    """Return how many nodes of each op a graph has."""
    return Counter(node.op.name for node in walk(graph.nodes))


def traced(layer: nn.Layer, *shape: int) -> Graph:
    """Return the tensor-level graph of a layer."""
    graph = trace_layer(layer, TensorSpec(shape), *setup(0, layer))
    names = (*LAYER_PIPELINE, *TENSOR_PIPELINE, "split-phases")
    outcome = run_passes(graph, passes_named(names))
    return result(outcome)


def beside(x: Tensor, y: Tensor) -> Tensor:
    joined: Tensor = ops.concatenate([x, y], 1)
    return joined


def borders(outcome: Outcome) -> list[Decision]:
    return [one for one in outcome.decisions if one.rule == "border"]


def test_a_residual_network_leaves_its_blocks_at_the_end_only() -> None:
    block = nn.Chain(
        nn.Conv((3, 3), 16, 16, nn.relu, pad=1),
        nn.Conv((3, 3), 16, 16, nn.relu, pad=1, groups=16),
        nn.Conv((1, 1), 16, 16),
    )
    model = nn.Chain(
        nn.Conv((3, 3), 3, 16, nn.relu, pad=1),
        nn.MaxPool((3, 3), stride=2, pad=1),
        nn.SkipConnection(block, np.add),
        nn.GlobalMeanPool(),
        nn.FlattenLayer(),
        nn.Dense(16, 4),
    )
    outcome = assigned(traced(model, 2, 3, 16, 16), 8)
    assert [(one.consumer, one.fused) for one in borders(outcome)] == [
        ("dot_general", False)
    ]
    assert count(result(outcome)) >= Counter(blocked_conv=3, depthwise_conv=1)
    assert not count(result(outcome))["conv"]


def test_transposed_convolutions_and_skips_stay_in_blocks() -> None:
    up = nn.Chain(
        nn.Conv((3, 3), 8, 16, nn.relu, pad=1, stride=2),
        nn.ConvTranspose((2, 2), 16, 8, stride=2),
    )
    model = nn.Chain(
        nn.Conv((3, 3), 3, 8, nn.relu, pad=1),
        nn.SkipConnection(up, beside),
        nn.Conv((3, 3), 16, 8, nn.relu, pad=1),
        nn.ConvTranspose((3, 3), 8, 8, stride=2, pad=1),
        nn.Upsample(scale=2),
        nn.Conv((1, 1), 8, 8),
    )
    outcome = assigned(traced(model, 1, 3, 16, 16), 8)
    assert [one.consumer for one in borders(outcome)] == ["result"]
    assert not count(result(outcome))["conv"]


def test_each_convolution_says_why_it_has_its_layout() -> None:
    model = nn.Chain(nn.Conv((3,), 16, 16), nn.Conv((3,), 16, 4, groups=4))
    outcome = assigned(traced(model, 1, 16, 20), 8)
    said = [one for one in outcome.decisions if one.rule != "border"]
    assert [(one.fused, one.layers[1]) for one in said] == [
        (True, "layer_1"),
        (False, "layer_2"),
    ]
    assert "blocks of 8 lanes" in str(said[0])
    assert str(said[0]).startswith("blocked ")
    assert "more channels" in said[1].would_allow


def test_sizes_are_read_without_bringing_a_value_back() -> None:
    build = Builder()
    x = Value(TensorType(DType.F32, (1, 8, 12)), "%x")
    weight = Value(TensorType(DType.F32, (8, 8, 3)), "@w")
    moves: dict[str, Any] = {"strides": (1,), "rhs_dilation": (1,), "lhs_dilation": (1,)}
    (y,) = build.add(OPS["conv"], x, weight, **moves, padding=((0, 0),), groups=1)
    (size,) = build.add(OPS["dim"], y, axis=2)
    (total,) = build.add(OPS["reduce"], y, kind="add", axes=(0, 2))
    graph = Graph(
        name="sizes",
        inputs=(x,),
        params=(weight,),
        nodes=tuple(build.nodes),
        outputs=(size, total),
        param_tree=Structure("tuple", (), (LEAF,)),
        output_tree=Structure("tuple", (), (LEAF, LEAF)),
    )
    outcome = assigned(graph, 4)
    assert all(one.fused for one in borders(outcome))
    inputs, params = drawn(graph.inputs, 1), drawn(graph.params, 2)
    run = partial(evaluate, inputs=inputs, params=params, wide=True)
    assert_equal(run(graph)[0], run(result(outcome))[0])


def test_sizes_may_be_known_at_run_time_only() -> None:
    model = nn.Chain(
        nn.Conv((3, 3), 3, 12, nn.relu, pad=1, stride=2),
        nn.MaxPool((3, 3), stride=2, pad=1),
        nn.SkipConnection(nn.Conv((3, 3), 12, 12, nn.sigmoid, pad=1), np.add),
        nn.ConvTranspose((3, 3), 12, 8, stride=2, pad=1),
        nn.GlobalMeanPool(),
    )
    sizes = (Dim("N", 1, 5), Dim("H", 8, 40), Dim("W", 8, 40))
    ps, st = setup(0, model)
    graph = trace_layer(model, TensorSpec((sizes[0], 3, *sizes[1:])), ps, st)
    names = (*LAYER_PIPELINE, *TENSOR_PIPELINE, "split-phases")
    ready = result(run_passes(graph, passes_named(names)))
    outcome = assigned(ready, 8, "eliminate-common", "share-halo")
    assert not count(result(outcome))["conv"]
    params = flatten(ps)[0]
    for shape in ((1, 3, 8, 9), (3, 3, 21, 33)):
        x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
        run = partial(evaluate, inputs=[x], params=params, wide=True)
        assert_equal(run(ready)[0], run(result(outcome))[0])
