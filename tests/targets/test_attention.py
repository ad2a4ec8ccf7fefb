"""Kernels of attention: every length, mask and order of operands, the same bits always."""

import ctypes
import ctypes.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lxc.errors import InternalError
from lxc.ir.agreement import agreement
from lxc.ir.builder import Builder
from lxc.ir.dim import Dim, Size, expression
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.node import Value
from lxc.ir.op import OPS
from lxc.ir.types import Array, DType, TensorType
from lxc.passes.attention_memory import head_sizes, memory_shape
from lxc.runtime import frame
from lxc.runtime.memory import address, aligned_bytes
from lxc.targets import TARGETS
from lxc.targets.compile import emit
from lxc.targets.hot_loops import hot_loops
from tests.emulation.machines import lacking
from tests.ops.graphs import graph_from
from tests.targets.backends import Backend, Compiled, Runner, compiled

COMPILED = pytest.mark.parametrize("target", compiled())
B, Q, K = (Dim(name, 1, most) for name, most in (("B", 5), ("Q", 400), ("K", 400)))
BATCH, QUERIES, KEYS = map(expression, (B, Q, K))
INFINITY = float("inf")
SIGNALLING = 0x7FA00000
"""A NaN that marks any operation on it as invalid."""
INVALID = 1
"""That mark of the C library, on x86-64."""
LENGTHS = (*range(1, 71), 127, 128, 129, 131, 132, 133, 200, 265, 400)


def f32(*shape: Size) -> TensorType:
    return TensorType(DType.F32, shape)


def attend(
    build: Builder,
    level: str,
    query: Value,
    key: Value,
    value: Value,
    *masks: Value,
    **given: Any,
) -> Value:
    """Append attention, with memory that suits a level of the processor."""
    sizes = head_sizes(query.type, key.type, value.type)
    machine = TARGETS[level].machine if level in TARGETS else TARGETS["x86-64-v2"].machine
    shape = memory_shape(sizes, machine)
    (memory,) = build.add(OPS["scratch"], shape=shape, dtype=DType.F32)
    attributes = {
        "scale": 0.25,
        "hidden": -INFINITY,
        "causal": False,
        "offset": 0,
        "queries_first": False,
        **given,
    }
    return build.add(OPS["attention"], query, key, value, memory, *masks, **attributes)[0]


def graph_of(level: str, types: Sequence[TensorType], **given: Any) -> Graph:
    """Return a graph of one node of attention."""
    return graph_from(
        "attention",
        types,
        lambda build, *operands: [attend(build, level, *operands, **given)],
        tuple(dim for dim in (B, Q, K) if any(expression(dim) in t.shape for t in types)),
    )


def heads(
    level: str, heads: int, groups: int, size: int, width: int, **given: Any
) -> Graph:
    """Return attention of any batch and lengths."""
    types = (
        f32(BATCH, heads, QUERIES, size),
        f32(BATCH, groups, KEYS, size),
        f32(BATCH, groups, KEYS, width),
    )
    return graph_of(level, types, **given)


def drawn(*shape: int, seed: int = 0) -> Array:
    x: Array = np.random.default_rng((seed, *shape)).standard_normal(shape)
    return x.astype(np.float32)


def operands(batch: int, heads: int, groups: int, *sizes: int) -> list[Array]:
    queries, keys, size, width = sizes
    return [
        drawn(batch, heads, queries, size, seed=1) * np.float32(2),
        drawn(batch, groups, keys, size, seed=2),
        drawn(batch, groups, keys, width, seed=3),
    ]


def check(
    runner: Runner, graph: Graph, inputs: Sequence[Array], where: object = ""
) -> None:
    """Fail unless results are as close to the exact ones as those of NumPy."""
    with np.errstate(all="ignore"):
        actual, _ = runner.run(inputs)
        exact, _ = evaluate(graph, inputs, wide=True)
        narrow, _ = evaluate(graph, inputs)
    terms = inputs[0].shape[-1] + inputs[1].shape[-2]
    for one, plain, wanted in zip(actual, narrow, exact, strict=True):
        close = agreement(one, plain, wanted, terms)
        assert close.holds, f"{where}: {close}"


@COMPILED
@pytest.mark.parametrize(("size", "width"), [(8, 8), (17, 5), (33, 80)])
def test_any_batch_and_lengths(
    size: int, width: int, target: Compiled, tmp_path: Path
) -> None:
    graph = heads(target.name, 2, 2, size, width)
    runner = target.load(graph, tmp_path)
    for number, queries in enumerate(LENGTHS if size == 17 else LENGTHS[::5]):
        keys = LENGTHS[(7 * number + 3) % len(LENGTHS)]
        inputs = operands(1 + number % 2, 2, 2, queries, keys, size, width)
        check(runner, graph, inputs, (queries, keys))


@COMPILED
@pytest.mark.parametrize(
    ("offset", "hidden"), [(0, -1e9), (5, -INFINITY), (-3, -1e9), (150, -INFINITY)]
)
def test_keys_behind_a_query_are_hidden(
    offset: int, hidden: float, target: Compiled, tmp_path: Path
) -> None:
    given: dict[str, Any] = {"causal": True, "offset": offset, "hidden": hidden}
    graph = heads(target.name, 6, 2, 16, 16, **given)
    runner = target.load(graph, tmp_path)
    for queries, keys in ((1, 1), (7, 7), (70, 70), (150, 150), (5, 300), (300, 70)):
        check(runner, graph, operands(2, 6, 2, queries, keys, 16, 16), (queries, keys))


def test_masks_are_added_and_hide_scores(target: Backend, tmp_path: Path) -> None:
    def write(build: Builder, *inputs: Value) -> Sequence[Value]:
        query, key, value, bias, seen, padding = inputs
        shape = (2, 4, QUERIES, KEYS)
        (spread,) = build.add(OPS["broadcast"], bias, shape=shape, axes=(1, 2, 3))
        (rows,) = build.add(OPS["broadcast"], padding, shape=shape, axes=(0, 3))
        most = attend(build, target.name, query, key, value, spread, seen, hidden=-1e9)
        given: dict[str, Any] = {"causal": True, "offset": 1, "queries_first": True}
        few = attend(build, target.name, query, key, value, rows, seen, **given)
        return [most, few]

    types = (
        *(f32(2, 4, QUERIES, 16), f32(2, 2, KEYS, 16), f32(2, 2, KEYS, 16)),
        f32(4, QUERIES, KEYS),
        TensorType(DType.BOOL, (2, 4, QUERIES, KEYS)),
        TensorType(DType.BOOL, (2, KEYS)),
    )
    graph = graph_from("masks", types, write, (Q, K))
    runner = target.load(graph, tmp_path)
    for queries, keys in ((1, 1), (3, 21), (33, 64), (70, 140)):
        random = np.random.default_rng(queries)
        seen = random.integers(0, 3, (2, 4, queries, keys)) > 0
        seen[0, 1] = False
        padding = random.integers(0, 4, (2, keys)) > 0
        inputs = operands(2, 4, 2, queries, keys, 16, 16)
        masks = [drawn(4, queries, keys), seen, padding]
        check(runner, graph, [*inputs, *masks], (queries, keys))


@COMPILED
@pytest.mark.parametrize("hidden", [-INFINITY, -1e9])
def test_what_is_not_finite_goes_as_far_as_softmax_says(
    hidden: float, target: Compiled, tmp_path: Path
) -> None:
    graph = heads(target.name, 2, 1, 16, 16, causal=True, hidden=hidden)
    runner = target.load(graph, tmp_path)
    for length in (9, 70, 300):
        for bad in (np.nan, INFINITY, -INFINITY):
            for which in range(3):
                inputs = operands(1, 2, 1, length, length, 16, 16)
                inputs[which][0, 0, length // 2, 3] = bad
                check(runner, graph, inputs, (length, bad, which))


@COMPILED
def test_scores_below_hidden_ones_let_them_in(target: Compiled, tmp_path: Path) -> None:
    graph = heads(target.name, 1, 1, 16, 16, causal=True, hidden=-40.0)
    runner = target.load(graph, tmp_path)
    for length in (70, 300):
        inputs = operands(1, 1, 1, length, length, 16, 16)
        inputs[0][:, :, ::3] *= 30
        check(runner, graph, inputs, length)


@COMPILED
def test_a_query_has_the_same_bits_in_any_company(target: Compiled, tmp_path: Path) -> None:
    for causal in (False, True):
        name = target.name
        graph = heads(name, 4, 2, 24, 20, causal=causal, offset=0)
        runner = target.load(graph, tmp_path)
        query, key, value = operands(5, 4, 2, 300, 300, 24, 20)
        (whole,), _ = runner.run((query, key, value))
        (shared,), _ = runner.run((query, key, value), threads=4)
        np.testing.assert_array_equal(shared, whole)
        (alone,), _ = runner.run((query[3:4], key[3:4], value[3:4]))
        np.testing.assert_array_equal(alone, whole[3:4])
        for length in (1, 2, 7, 65, 133):
            rows = query[:, :, :length]
            (few,), _ = runner.run((rows, key, value))
            np.testing.assert_array_equal(few, whole[:, :, :length])


@COMPILED
def test_a_longer_sequence_changes_no_bit_of_its_beginning(
    target: Compiled, tmp_path: Path
) -> None:
    graph = heads(target.name, 4, 2, 24, 20, causal=True)
    runner = target.load(graph, tmp_path)
    query, key, value = operands(2, 4, 2, 300, 300, 24, 20)
    (whole,), _ = runner.run((query, key, value))
    for length in (1, 5, 64, 70, 200):
        start = (query[:, :, :length], key[:, :, :length], value[:, :, :length])
        (beginning,), _ = runner.run(start)
        np.testing.assert_array_equal(beginning, whole[:, :, :length])


def test_operands_are_read_through_views(target: Backend, tmp_path: Path) -> None:
    def write(build: Builder, joined: Value, keys: Value) -> Sequence[Value]:
        parts: list[Value] = []
        for number in range(3):
            start, stop = (0, 0, 4 * number, 0), (BATCH, QUERIES, 4 * number + 4, 16)
            (part,) = build.add(OPS["slice"], joined, start=start, stop=stop, step=(1,) * 4)
            parts += build.add(OPS["transpose"], part, permutation=(0, 2, 1, 3))
        (turned,) = build.add(OPS["transpose"], keys, permutation=(0, 1, 3, 2))
        (back,) = build.add(OPS["reverse"], parts[2], axes=(2, 3))
        (spread,) = build.add(
            OPS["broadcast"], turned, shape=parts[1].type.shape, axes=(0, 1, 2, 3)
        )
        first = attend(build, target.name, *parts, queries_first=True)
        second = attend(build, target.name, parts[0], spread, back)
        (grown,) = build.add(OPS["tanh"], first)
        return [grown, second]

    types = (f32(BATCH, QUERIES, 12, 16), f32(BATCH, 1, 16, QUERIES))
    graph = graph_from("views", types, write, (B, Q))
    runner = target.load(graph, tmp_path)
    for length in (1, 6, 70, 150):
        inputs = [drawn(2, length, 12, 16), drawn(2, 1, 16, length)]
        with np.errstate(all="ignore"):
            actual, _ = runner.run(inputs)
            exact, _ = evaluate(graph, inputs, wide=True)
        for one, wanted in zip(actual, exact, strict=True):
            np.testing.assert_allclose(one, wanted, atol=3e-6)


@COMPILED
def test_it_is_what_torch_computes(target: Compiled, tmp_path: Path) -> None:
    scaled: Callable[..., Any] = torch.nn.functional.scaled_dot_product_attention
    for queries, keys, causal in ((64, 64, True), (5, 150, False), (1, 77, False)):
        types = (f32(2, 6, queries, 40), f32(2, 3, keys, 40), f32(2, 3, keys, 40))
        graph = graph_of(target.name, types, scale=40**-0.5, causal=causal)
        inputs = operands(2, 6, 3, queries, keys, 40, 40)
        (actual,), _ = target.load(graph, tmp_path).run(inputs)
        tensors = map(torch.from_numpy, inputs)
        wanted = scaled(*tensors, is_causal=causal, enable_gqa=True).numpy()
        np.testing.assert_allclose(actual, wanted, atol=5e-6)


@pytest.mark.parametrize(("size", "width"), [(2, 8), (8, 8), (24, 20)])
def test_no_number_is_computed_from_memory_that_was_not_written(
    size: int, width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame, "arena_of", spoilt)
    flags = ctypes.CDLL(ctypes.util.find_library("m"))
    for level in filter(runs_here, ("x86-64-v2", "x86-64-v3", "x86-64-v4")):
        runner = Compiled(level).load(heads(level, 2, 2, size, width), tmp_path)
        for queries, keys in ((1, 1), (8, 8), (7, 19), (70, 130)):
            inputs = operands(1, 2, 2, queries, keys, size, width)
            flags.feclearexcept(INVALID)
            runner.run(inputs)
            assert not flags.fetestexcept(INVALID), (level, queries, keys)


def runs_here(level: str) -> bool:
    return not lacking(TARGETS[level])


def spoilt(size: int) -> tuple[Array, int]:
    """Return memory full of numbers that leave a mark on whoever computes with them."""
    words: Array = aligned_bytes(-(-size // 4) * 4).view(np.uint32)
    words[:] = SIGNALLING
    return words, address(words)


def test_too_little_memory_is_refused(tmp_path: Path) -> None:
    def write(build: Builder, *inputs: Value) -> Sequence[Value]:
        (memory,) = build.add(OPS["scratch"], shape=(1, 64), dtype=DType.F32)
        given: dict[str, Any] = {"scale": 1.0, "hidden": 0.0, "causal": False}
        return build.add(
            OPS["attention"], *inputs, memory, **given, offset=0, queries_first=False
        )

    graph = graph_from("little", (f32(1, 4, 16),) * 3, write)
    with pytest.raises(InternalError, match="attention needs"):
        Compiled("x86-64-v2").load(graph, tmp_path)


@COMPILED
def test_no_innermost_loop_puts_vectors_aside(target: Compiled) -> None:
    types = (f32(2, 4, QUERIES, 64), f32(2, 2, KEYS, 64), f32(2, 2, KEYS, 80))
    graph = graph_of(target.name, types, causal=True)
    level = TARGETS[target.name]
    loops = hot_loops(emit(graph, level, "asm").decode(), level.architecture)
    assert sum(loop.arithmetic >= 8 for loop in loops) >= 4
    assert [line for loop in loops for line in (*loop.saved, *loop.calls)] == []
