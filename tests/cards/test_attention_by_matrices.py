"""Attention of half types by matrix units: as close as float32, always the same bits."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import kaun, nn
from lxc.ir.agreement import agreement, longest_sum
from lxc.ir.builder import Builder
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.node import Value
from lxc.ir.op import OPS
from lxc.ir.types import Array, DType, TensorType
from lxc.passes import CARD_PIPELINE, passes_named, run_passes
from lxc.targets import TARGETS
from lxc.targets.compile import target_program
from lxc.targets.cuda.kernel import make_device_kernel
from tests.cards.single_kernels import SingleKernel
from tests.ops.graphs import graph_from
from tests.passes.test_attention import tensor_level
from tests.targets.backends import Card
from tests.targets.test_attention import BATCH, KEYS, QUERIES, B, K, Q, attend, operands

HALVES = pytest.mark.parametrize("dtype", [DType.BF16, DType.F16], ids=str)
MATRICES = "attention by matrix units"


def attention_of(
    dtype: DType, shapes: Sequence[Any], *masks: TensorType, **given: Any
) -> Graph:
    """Return a graph of attention of a half type, rounded to it."""

    def write(build: Builder, *inputs: Value) -> Sequence[Value]:
        result = attend(build, "cuda", *inputs, **given)
        return build.add(OPS["cast"], result, dtype=dtype)

    types = (*(TensorType(dtype, tuple(shape)) for shape in shapes), *masks)
    named = [dim for dim in (B, Q, K) if any(dim.name in str(one) for one in types)]
    return graph_from("attention", types, write, tuple(named))


def heads_of(
    dtype: DType, heads: int, groups: int, size: int, width: int, **given: Any
) -> Graph:
    """Return attention of any batch and lengths."""
    features = ((heads, QUERIES, size), (groups, KEYS, size), (groups, KEYS, width))
    return attention_of(dtype, [(BATCH, *entry) for entry in features], **given)


def halves(dtype: DType, *sizes: int) -> list[Array]:
    return [one.astype(dtype.numpy) for one in operands(*sizes)]


def check(graph: Graph, inputs: Sequence[Array], actual: Array, where: object = "") -> None:
    """Fail unless a result is as close to the exact one as that of NumPy."""
    with np.errstate(all="ignore"):
        (narrow,), _ = evaluate(graph, inputs)
        (exact,), _ = evaluate(graph, inputs, wide=True)
    close = agreement(actual, narrow, exact, longest_sum(graph))
    assert close.error <= close.bound, f"{where}: {close}"


@HALVES
@pytest.mark.parametrize("causal", [False, True])
def test_threads_wait_for_what_others_share(dtype: DType, causal: bool) -> None:
    shapes = ((1, 2, 2, 8), (1, 1, 66, 8), (1, 1, 66, 8))
    made = SingleKernel(attention_of(dtype, shapes, causal=causal, offset=1))
    assert made.algorithm == MATRICES
    inputs = halves(dtype, 1, 2, 1, 2, 66, 8, 8)
    aligned = made.check(inputs)
    moved = made.run(inputs, {}, shift=1)
    np.testing.assert_array_equal(moved, aligned)


@HALVES
@pytest.mark.parametrize(("size", "width"), [(21, 5), (40, 72)])
def test_any_batch_and_lengths(dtype: DType, size: int, width: int, tmp_path: Path) -> None:
    runner = Card("cuda").load(heads_of(dtype, 4, 2, size, width), tmp_path)
    for number, queries, keys in ((1, 1, 1), (2, 7, 70), (1, 33, 129)):
        inputs = halves(dtype, number, 4, 2, queries, keys, size, width)
        check(runner.graph, inputs, runner.run(inputs)[0][0], (queries, keys))


@HALVES
@pytest.mark.parametrize("hidden", [-np.inf, -1e9])
def test_hidden_keys_and_what_is_not_finite(
    dtype: DType, hidden: float, tmp_path: Path
) -> None:
    given: dict[str, Any] = {"causal": True, "offset": 0, "hidden": hidden}
    runner = Card("cuda").load(heads_of(dtype, 2, 1, 16, 16, **given), tmp_path)
    for queries, keys in ((9, 9), (5, 70), (90, 70)):
        inputs = halves(dtype, 1, 2, 1, queries, keys, 16, 16)
        check(runner.graph, inputs, runner.run(inputs)[0][0], (queries, keys))
        for bad in (np.nan, np.inf, -np.inf):
            for which in range(3):
                spoilt = [array.copy() for array in inputs]
                spoilt[which][0, 0, -1, 3] = bad
                (actual,), _ = runner.run(spoilt)
                check(runner.graph, spoilt, actual, (queries, keys, bad, which))


@HALVES
def test_masks_are_added_and_hide_scores(dtype: DType, tmp_path: Path) -> None:
    scores = (2, 4, QUERIES, KEYS)
    shapes = ((2, 4, QUERIES, 16), (2, 2, KEYS, 16), (2, 2, KEYS, 16))
    masks = TensorType(DType.F32, scores), TensorType(DType.BOOL, scores)
    graph = attention_of(dtype, shapes, *masks, hidden=-1e9, queries_first=True)
    runner = Card("cuda").load(graph, tmp_path)
    for queries, keys in ((3, 21), (70, 140)):
        random = np.random.default_rng(queries)
        bias = random.standard_normal((2, 4, queries, keys)).astype(np.float32)
        seen = random.integers(0, 3, bias.shape) > 0
        seen[0, 1] = False
        inputs = [*halves(dtype, 2, 4, 2, queries, keys, 16, 16), bias, seen]
        check(graph, inputs, runner.run(inputs)[0][0], (queries, keys))


@pytest.mark.parametrize(("dtype", "causal"), [(DType.BF16, True), (DType.F16, False)])
def test_a_query_has_the_same_bits_in_any_company(
    dtype: DType, causal: bool, tmp_path: Path
) -> None:
    runner = Card("cuda").load(heads_of(dtype, 4, 2, 24, 20, causal=causal), tmp_path)
    query, key, value = halves(dtype, 2, 4, 2, 70, 70, 24, 20)
    whole = runner.run((query, key, value))[0][0].copy()
    alone = runner.run((query[1:], key[1:], value[1:]))[0][0]
    np.testing.assert_array_equal(alone, whole[1:])
    for length in (1, 9, 66):
        rows = np.ascontiguousarray(query[:, :, :length])
        few = runner.run((rows, key, value))[0][0]
        np.testing.assert_array_equal(few, whole[:, :, :length])
        if causal:
            parts = (np.ascontiguousarray(one[:, :, :length]) for one in (key, value))
            beginning = runner.run((rows, *parts))[0][0]
            np.testing.assert_array_equal(beginning, whole[:, :, :length])


@HALVES
def test_weights_keep_the_digits_of_float32(dtype: DType, tmp_path: Path) -> None:
    """Weights of one half number would be off by more than a hundred times as much."""
    sizes = ((1, 1, 16, 16), (1, 1, 64, 16), (1, 1, 64, 16))
    types = [TensorType(dtype, shape) for shape in sizes]
    graph = graph_from(
        "attention",
        types,
        lambda build, *inputs: [attend(build, "cuda", *inputs, scale=1.0)],
        (),
    )
    inputs = halves(dtype, 1, 1, 1, 16, 64, 16, 16)
    (actual,), _ = Card("cuda").load(graph, tmp_path).run(inputs)
    (exact,), _ = evaluate(graph, inputs, wide=True)
    error = np.abs(actual - exact).max() / np.abs(exact).max()
    assert error < (2**-15 if dtype is DType.BF16 else 2**-20)


def test_a_layer_in_bfloat16_uses_it(tmp_path: Path) -> None:
    layer = kaun.multi_head_attention(32, 4, 2, is_causal=True)
    parameters = kaun.init(layer, dtype="bfloat16", rng=0)
    model = nn.WrappedFunction(lambda x: kaun.apply(layer, parameters, x)[0])
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 3), lxc.Dim("T", 1, 20), 32), "bfloat16")
    graph = tensor_level(lxc.trace(model, spec, {}, {}))
    target = TARGETS["cuda"]
    program = target_program(graph, target)[1].run
    algorithms = [
        make_device_kernel("k", node, program.dims, target.machine, noalias=True).algorithm
        for node in program.nodes
        if node.op.name == "fused"
    ]
    product = "dot_general by matrix units"
    assert algorithms == [product, MATRICES, product]
    x = np.random.default_rng(0).standard_normal((2, 11, 32)).astype(DType.BF16.numpy)
    runner = Card("cuda").load(graph, tmp_path)
    actual, _ = runner.model(x, {}, {})
    check(graph, [x], np.asarray(actual))


@pytest.mark.parametrize(
    ("rope", "size", "rule"),
    [
        (False, 32, "matrix-units"),
        (True, 32, "other-operands"),
        (False, 576, "large-heads"),
    ],
)
def test_explain_says_what_attention_reads(rope: bool, size: int, rule: str) -> None:
    layer = kaun.multi_head_attention(size, 4, rope=rope)
    parameters = kaun.init(layer, dtype="bfloat16", rng=0)
    model = nn.WrappedFunction(lambda x: kaun.apply(layer, parameters, x)[0])
    spec = lxc.TensorSpec((2, 5, size), "bfloat16")
    graph = tensor_level(lxc.trace(model, spec, {}, {}))
    steps = passes_named(CARD_PIPELINE[:7])
    assert steps[-1].name == "halve-attention"
    outcome = run_passes(graph, steps, machine=TARGETS["cuda"].machine)
    told = [one for one in outcome.decisions if one.producer == "attention"]
    assert [one.rule for one in told] == [rule]
    assert told[0].fused == (rule == "matrix-units")
