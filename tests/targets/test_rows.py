"""Kernels that go row by row agree with the references, whatever the length of a row."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn, ops
from lxc.ir.agreement import agreement
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.parser import parse_graph
from lxc.ir.types import Array
from lxc.passes import LAYER_PIPELINE, TENSOR_PIPELINE, passes_named, run_passes
from lxc.runtime.load import load
from lxc.targets import TARGETS
from lxc.targets.compile import build_artifact, emit
from lxc.targets.hot_loops import faults, hot_loops
from tests.targets.accuracy import apart
from tests.targets.backends import Backend, Compiled, compiled
from tests.targets.test_hot_loops import KINDS_OF_TARGETS
from tests.targets.test_programs import check

LENGTHS = (1, 2, 15, 16, 17, 127, 128, 1000)
F32 = np.dtype(np.float32)


def graph_of(function: Callable[..., Any], *specs: lxc.TensorSpec) -> Graph:
    """Return the tensor-level graph of a function of some arrays."""
    model = nn.WrappedFunction(lambda xs: function(*xs))
    graph = lxc.trace(model, specs, {}, {})
    program = run_passes(graph, passes_named((*LAYER_PIPELINE, *TENSOR_PIPELINE))).program
    text = str(program).replace("tree outputs = *\n", "tree outputs = [*]\n")
    for name in ("params", "state"):
        text = text.replace(f"tree {name} = {{}}", f"tree {name} = []")
    return parse_graph(re.sub(r"tree inputs = \((.*?),?\)", r"tree inputs = [\1]", text))


def algorithms(graph: Graph, folder: Path, name: str) -> list[str]:
    """Return how a target computes each kernel of a graph."""
    path = folder / f"kernels-{name}.lxc"
    path.write_bytes(build_artifact(graph, [TARGETS[name]], name="kernels"))
    (record,) = load(path).artifact.targets
    return [kernel["algorithm"] for kernel in record.kernels]


def normal(x: Any) -> Any:
    """Return rows with mean 0 and variance 1, nearly."""
    centred = x - ops.mean(x, -1, keepdims=True)
    return centred / ops.sqrt(ops.mean(ops.square(centred), -1, keepdims=True) + 1e-5)


def drawn(*shape: int, seed: int = 0, dtype: np.dtype[Any] = F32) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def test_rows_of_every_length(target: Backend, tmp_path: Path) -> None:
    graph = graph_of(
        lambda *xs: [f(x) for x in xs for f in (ops.softmax, normal)],
        *(lxc.TensorSpec((3, length)) for length in LENGTHS),
    )
    call = [drawn(3, length, seed=length) for length in LENGTHS]
    check(graph, target, tmp_path, [call])


def test_rows_of_symbolic_number_and_length(target: Backend, tmp_path: Path) -> None:
    rows, length = lxc.Dim("N", 1, 9), lxc.Dim("L", 1, 2000)
    graph = graph_of(
        lambda x, scale: [ops.softmax(x * scale), normal(x) * scale, ops.logsumexp(x, -1)],
        lxc.TensorSpec((rows, length)),
        lxc.TensorSpec((length,)),
    )
    sizes = [(1, 1), (2, 2), (3, 15), (5, 16), (4, 17), (9, 127), (2, 128), (1, 1000)]
    calls = [[drawn(n, m, seed=m), drawn(m, seed=n)] for n, m in sizes]
    check(graph, target, tmp_path, calls)


def grouped(x: Any, scale: Any) -> Any:
    """Return x [N, 6, H, W] with mean 0 in each half of the channels, scaled by channel."""
    halves = ops.reshape(x, (x.shape[0], 2, 3, *x.shape[2:]))
    moved = halves - ops.mean(halves, (2, 3, 4), keepdims=True)
    return ops.reshape(moved, x.shape) * ops.reshape(scale, (6, 1, 1))


@pytest.mark.parametrize("height", [3, lxc.Dim("H", 1, 9)], ids=str)
@pytest.mark.parametrize("width", [1, 7, 16])
def test_groups_of_channels_with_a_number_each(
    height: Any, width: int, target: Backend, tmp_path: Path
) -> None:
    specs = [lxc.TensorSpec((2, 6, height, width)), lxc.TensorSpec((6,))]
    check(graph_of(grouped, *specs), target, tmp_path, [[drawn(2, 6, 3, width), drawn(6)]])


def test_rows_over_several_axes(target: Backend, tmp_path: Path) -> None:
    def centred(x: Any, scale: Any) -> Any:
        moved = x - ops.mean(x, (1, 2, 3), keepdims=True)
        return ops.transpose(moved * ops.reshape(scale, (3, 1)), (0, 3, 1, 2))

    specs = [lxc.TensorSpec(shape) for shape in ((4, 2, 3, 5), (3,))]
    graph = graph_of(centred, *specs)
    check(graph, target, tmp_path, [[drawn(4, 2, 3, 5), drawn(3)]])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_rows_of_other_types(dtype: str, target: Backend, tmp_path: Path) -> None:
    kind = lxc.TensorSpec((5, 37), dtype).dtype
    graph = graph_of(
        lambda x: [
            ops.softmax(x),
            ops.log_softmax(x),
            normal(x),
            x / ops.sum(x, -1, keepdims=True),
        ],
        lxc.TensorSpec((5, 37), dtype),
    )
    x = np.abs(drawn(5, 37)).astype(kind)
    outputs, _ = target.load(graph, tmp_path).run([x])
    narrow, _ = evaluate(graph, [x])
    exact, _ = evaluate(graph, [x], wide=True)
    for three in zip(outputs, narrow, exact, strict=True):
        close = agreement(*three, 37)
        # Half types are further off than numbers of float32 may be.
        assert close.error <= close.bound, close


def test_rows_of_whole_numbers_and_conditions(target: Backend, tmp_path: Path) -> None:
    def mixed(x: Any) -> Any:
        top = ops.max(x, -1, keepdims=True)
        some = ops.any(x > 90, -1, keepdims=True)
        return ops.where(some, x - top, x), ops.all(x < top + 1, -1)

    graph = graph_of(mixed, lxc.TensorSpec((40, 21), "int32"))
    x = np.random.default_rng(0).integers(-100, 100, (40, 21)).astype(np.int32)
    check(graph, target, tmp_path, [[x]])


def test_what_is_kept_in_the_result_is_read_again(target: Backend, tmp_path: Path) -> None:
    def twice(x: Any) -> Any:
        first = ops.exp(x)
        second = ops.tanh(first - ops.max(first, -1, keepdims=True))
        return second * ops.sum(second, -1, keepdims=True) + first

    graph = graph_of(twice, lxc.TensorSpec((6, 70)))
    check(graph, target, tmp_path, [[drawn(6, 70)]])


SPECIAL = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, 3e38)


def test_special_numbers_stay_in_their_rows(target: Backend, tmp_path: Path) -> None:
    graph = graph_of(
        lambda x: [ops.softmax(x), ops.log_softmax(x), ops.logsumexp(x, -1)],
        lxc.TensorSpec((2 * len(SPECIAL) + 1, 35)),
    )
    x = drawn(2 * len(SPECIAL) + 1, 35)
    for row, number in enumerate(SPECIAL):
        x[2 * row, 33] = number
        x[2 * row + 1] = number
    check(graph, target, tmp_path, [[x]])


def weight(z: Any, more: Any = 0) -> Any:
    """Return the sum of powers of e of all of a row, of which the largest is 1."""
    return ops.sum(ops.exp(z - ops.max(z, -1, keepdims=True)) + more, -1)


def places(z: Any, more: Any) -> Any:
    """Return how many elements of a row are its largest."""
    return ops.sum(ops.where(z == ops.max(z, -1, keepdims=True), 1, more), -1)


LARGEST: Sequence[Callable[[Any, Any], Any]] = (
    lambda x, y: weight(x * y),
    lambda x, y: weight(-(x * y)),
    lambda x, y: weight(x * y + y, x * y * 0),
    lambda x, y: weight(x / ops.min(y, -1, keepdims=True) * 1e5 + y),
    lambda x, y: places(x * y + y, x * y * 0),
)
"""Numbers of at least 1, if all walks along a row compute the same."""


@pytest.mark.parametrize("level", compiled())
def test_all_walks_along_a_row_find_the_same_largest_number(
    level: Compiled, tmp_path: Path
) -> None:
    graph = graph_of(
        lambda *xs: [f(*xs[2 * n : 2 * n + 2]) for n, f in enumerate(LARGEST)],
        *[lxc.TensorSpec((9, 67))] * (2 * len(LARGEST)),
    )
    rng = np.random.default_rng(0)
    x, y = rng.uniform(1e5, 1.00001e5, (2, 9, 67)).astype(np.float32)
    found, _ = level.load(graph, tmp_path).run([x, y] * len(LARGEST))
    assert all((numbers >= 1).all() and (numbers <= 67).all() for numbers in found)


@pytest.mark.parametrize("level", compiled())
def test_a_quotient_by_any_number_is_within_two_roundings(
    level: Compiled, tmp_path: Path
) -> None:
    graph = graph_of(
        lambda x, y: x / ops.sum(y, -1, keepdims=True),
        lxc.TensorSpec((64, 20)),
        lxc.TensorSpec((64, 20)),
    )
    x = drawn(64, 20) * np.float32(2.0) ** np.linspace(-130, 120, 20).astype(F32)
    divisors = np.float32(1.3) * np.float32(2.0) ** np.linspace(-148, 127, 64).astype(F32)
    divisors[:6] = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45]
    y = np.zeros((64, 20), F32)
    y[:, 0] = divisors
    x[0, :4] = [0.0, np.inf, -np.inf, np.nan]
    with np.errstate(all="ignore"):
        wanted = x / y.sum(-1, keepdims=True)
    (found,), _ = level.load(graph, tmp_path).run([x, y])
    special = ~np.isfinite(wanted)
    largest = np.finfo(F32).max
    nearly = np.where(
        np.isinf(found) & np.isfinite(wanted), np.sign(found) * largest, found
    )
    np.testing.assert_array_equal(found[special], wanted[special])
    distance = np.abs(nearly[~special].astype(np.float64) - wanted[~special])
    assert (distance <= 2 * np.spacing(np.abs(wanted[~special])).astype(np.float64)).all()


@pytest.mark.parametrize("level", compiled())
def test_neither_threads_nor_the_batch_change_a_bit(
    level: Compiled, tmp_path: Path
) -> None:
    rows = lxc.Dim("N", 1, 5000)
    graph = graph_of(
        lambda x: [ops.softmax(x), normal(x), ops.logsumexp(x, -1)],
        lxc.TensorSpec((rows, 131)),
    )
    runner = level.load(graph, tmp_path)
    x = drawn(5000, 131)
    alone, _ = runner.run([x])
    shared, _ = runner.run([x], threads=2)
    parts = [runner.run([x[i : i + 7]])[0] for i in range(0, 70, 7)]
    for place, whole in enumerate(alone):
        np.testing.assert_array_equal(whole, shared[place])
        joined = np.concatenate([part[place] for part in parts])
        np.testing.assert_array_equal(whole[:70], joined)


@pytest.mark.parametrize("level", compiled())
def test_a_row_is_the_same_in_every_block_of_rows(level: Compiled, tmp_path: Path) -> None:
    counts = (2, 9, 75)
    graph = graph_of(
        lambda *xs: [function(x) for x in xs for function in (ops.softmax, normal)],
        *(lxc.TensorSpec((count, 400)) for count in counts),
    )
    x = drawn(max(counts), 400)
    found, _ = level.load(graph, tmp_path).run([x[:count] for count in counts])
    *few, softmax, scaled = found
    for place, part in enumerate(few):
        whole = scaled if place % 2 else softmax
        np.testing.assert_array_equal(part, whole[: len(part)])
    np.testing.assert_allclose(softmax.sum(-1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(scaled.std(-1), 1.0, rtol=1e-4)


KINDS: Sequence[tuple[str, Callable[[Any], Any]]] = (
    ("softmax", ops.softmax),
    ("log_softmax", ops.log_softmax),
    ("normal", normal),
    ("logsumexp", lambda x: ops.logsumexp(x, -1)),
    ("variance", lambda x: ops.mean(ops.square(x), -1) - ops.square(ops.mean(x, -1))),
    ("masked", lambda x: ops.softmax(ops.where(x > 0, x * 0.5, -1e9))),
)


@pytest.mark.parametrize(("name", "function"), KINDS, ids=[name for name, _ in KINDS])
def test_reductions_of_the_same_rows_are_one_kernel(
    name: str, function: Callable[[Any], Any], tmp_path: Path
) -> None:
    graph = graph_of(function, lxc.TensorSpec((4, 33)))
    assert algorithms(graph, tmp_path, "x86-64-v3") == ["rows"]


@pytest.mark.parametrize("length", [200, lxc.Dim("L", 1, 500)], ids=str)
@pytest.mark.parametrize("level", KINDS_OF_TARGETS)
def test_loops_along_rows_keep_vectors_in_registers(level: str, length: Any) -> None:
    graph = graph_of(
        lambda x: [function(x) for _, function in KINDS], lxc.TensorSpec((9, length))
    )
    target = TARGETS[level]
    loops = hot_loops(emit(graph, target, "asm").decode(), target.architecture)
    assert len(loops) >= len(KINDS)
    assert not [fault for loop in loops for fault in faults(loop)]


def test_a_row_is_stored_in_runs_of_vectors() -> None:
    # Vectors that lie across two lines, as those of a caller's array may, take twice as
    # long where each of them is of another row than the one before.
    graph = graph_of(normal, lxc.TensorSpec((32, 128)))
    text = emit(graph, TARGETS["x86-64-v4"], "tir").decode()
    stored = re.findall(
        r"^ +y\[.*lane16(?: \+ T\.int64\((\d+)\))?\] = ", text, re.MULTILINE
    )
    places = [int(found or 0) for found in stored]
    assert len(places) > 4
    assert places == [first + 16 * number for first in places[::4] for number in range(4)]


@pytest.mark.parametrize("level", compiled())
def test_powers_of_a_softmax_are_within_their_bound(
    level: Compiled, tmp_path: Path
) -> None:
    graph = graph_of(
        lambda x: ops.exp(x - ops.max(x, -1, keepdims=True)), lxc.TensorSpec((1 << 15, 17))
    )
    spread = -np.geomspace(1e-45, 140, 16 << 15).astype(F32).reshape(-1, 16)
    spread[0, :3] = -np.inf, -1e9, -0.0
    x = np.concatenate([spread, np.zeros((len(spread), 1), F32)], axis=1)
    (found,), _ = level.load(graph, tmp_path).run([x])
    units = apart(found, np.exp(x.astype(np.float64)))
    assert units.max() <= 1.5, x.reshape(-1)[units.argmax()]


@pytest.mark.parametrize("level", compiled())
def test_a_nan_is_in_all_of_its_row_wherever_it_stands(
    level: Compiled, tmp_path: Path
) -> None:
    graph = graph_of(
        lambda x: [function(x) for _, function in KINDS], lxc.TensorSpec((41, 41))
    )
    x = drawn(41, 41)
    np.fill_diagonal(x[:40], np.nan)
    x[5, 7], x[6, 2] = np.inf, -np.inf
    outputs, _ = level.load(graph, tmp_path).run([x])
    for (name, _), y in zip(KINDS, outputs, strict=True):
        if name != "masked":
            assert np.isnan(y[:40]).all(), name
        assert not np.isnan(y[40]).any(), name
