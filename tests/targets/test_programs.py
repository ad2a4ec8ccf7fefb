"""Whole graphs through compiler, artifact and runtime, on every back end."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from lxc.ir.agreement import agreement, longest_sum
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.parser import parse_graph
from lxc.ir.types import Array, DType
from tests.targets.backends import Backend, Compiled, compiled

NETWORK = """
graph @network lux {
  dim N: 1..9
  input %x.0: f32[N, 3, 8, 8]
  param @0: f32[20, 3, 3, 3]
  param @1: f32[20]
  param @2: f32[10, 1280]
  state $0: f32[20]
  state $1: f32[3]
  tree inputs = [*]
  tree params = [*, *, *]
  tree state = [*, *]
  tree outputs = [*, *]

  %0: f32[N, 20, 8, 8] = conv(%x.0, @0) {strides = [1, 1], padding = [[1, 1], [1, 1]], \
lhs_dilation = [1, 1], rhs_dilation = [1, 1], groups = 1, weight_order = "oi"}
  %1: f32[N, 20, 8, 8] = broadcast(@1) {shape = [N, 20, 8, 8], axes = [1]}
  %2: f32[N, 20, 8, 8] = add(%0, %1)
  %3: f32[N, 20, 8, 8] = tanh(%2) {fast = false}
  %4: f32[20] = reduce(%3) {kind = "max", axes = [0, 2, 3]}
  %5: f32[20] = add(%4, $0)
  %6: f32[N, 1280] = reshape(%3) {shape = [N, 1280]}
  %7: f32[N, 10] = dot_general(%6, @2) {lhs_batch = [], rhs_batch = [], \
lhs_contract = [1], rhs_contract = [1]}
  update $0 = %5
  return %7, %3
}
"""

HEADERS = """
graph @headers lux {
  input %x.0: f32[5]
  param @0: f32[5]
  state $0: f32[5]
  state $1: f32[5]
  state $2: f32[5]
  state $3: f32[5]
  tree inputs = [*]
  tree params = [*]
  tree state = [*, *, *, *]
  tree outputs = [*, *, *, *, *, *]

  %0: f32[5] = add(%x.0, $0)
  update $0 = $1
  update $1 = $0
  update $2 = %0
  update $3 = %x.0
  return %0, %0, %x.0, @0, $0, $2
}
"""

LOOP = """
graph @loop lux {
  dim T: 1..6
  input %x.0: f32[T, 3]
  input %x.1: f32[3]
  input %x.2: f32[3]
  param @0: f32[3]
  tree inputs = [*, *, *]
  tree params = [*]
  tree state = []
  tree outputs = [*, *, *, *]

  %0: f32[3], %1: f32[3], %2: f32[T, 3], %3: f32[T, 3] = scan(%x.1, %x.2, @0, %x.0) \
{carries = 2, consts = 1, length = T, axis = 0, reverse = REVERSE} \
(%4: f32[3], %5: f32[3], %6: f32[3], %7: f32[3]) {
    %8: f32[3] = multiply(%4, %6)
    %9: f32[3] = add(%8, %7)
    %10: f32[3] = tanh(%9) {fast = false}
    yield %5, %10, %9, %7
  }
  return %0, %1, %2, %3
}
"""

EMPTY = """
graph @empty lux {
  dim N: 0..4
  input %x.0: f32[N, 3]
  tree inputs = [*]
  tree params = []
  tree state = []
  tree outputs = [*, *, *]

  %0: f32[N, 3] = tanh(%x.0) {fast = false}
  %1: f32[3] = reduce(%x.0) {kind = "add", axes = [0]}
  %2: i64[] = dim(%x.0) {axis = 0}
  return %0, %1, %2
}
"""


SIZES = """
graph @sizes lux {
  dim N: 1..40
  dim M: 2..9
  input %x.0: f32[N, M]
  input %x.1: f32[M, N]
  input %x.2: f32[3, N + 2]
  tree inputs = [*, *, *]
  tree params = []
  tree state = []
  tree outputs = [*, *, *, *, *, *, *, *, *, *, *, *, *, *]

  %0: f32[] = constant() {dtype = f32, shape = [], value = [0x1p-1]}
  %1: f32[N + 3, M] = pad(%x.0, %0) {low = [1, 0], high = [2, 0], interior = [0, 0]}
  %2: f32[M, 2*N + 1] = pad(%x.1, %0) {low = [0, 1], high = [0, 1], interior = [0, 1]}
  %3: f32[2*N + 3, M] = concat(%x.0, %1) {axis = 0}
  %15: f32[3, 2*N + 4] = concat(%x.2, %x.2) {axis = 1}
  %4: f32[M, N] = transpose(%x.0) {permutation = [1, 0]}
  %5: f32[N - 1, M] = slice(%x.0) {start = [1, 0], stop = [N, M], step = [1, 1]}
  %6: f32[N, M] = reverse(%x.0) {axes = [0]}
  %7: f32[N*M] = reshape(%x.0) {shape = [N*M]}
  %8: f32[3] = reduce(%x.2) {kind = "add", axes = [1]}
  %9: f32[M] = reduce(%x.0) {kind = "max", axes = [0]}
  %10: f32[N, N] = dot_general(%x.0, %x.1) {lhs_batch = [], rhs_batch = [], \
lhs_contract = [1], rhs_contract = [0]}
  %11: f32[M, M] = dot_general(%x.1, %x.0) {lhs_batch = [], rhs_batch = [], \
lhs_contract = [1], rhs_contract = [0]}
  %12: f32[3, N] = reduce_window(%x.2) {kind = "max", window = [1, 3], \
strides = [1, 1], padding = [[0, 0], [0, 0]]}
  %13: u32[2] = constant() {dtype = u32, shape = [2], value = [7, 9]}
  %14: u32[N, 3] = random_bits(%13) {shape = [N, 3]}
  return %1, %2, %3, %15, %4, %5, %6, %7, %8, %9, %10, %11, %12, %14
}
"""


def arrays(shapes: Sequence[tuple[int, ...]], seed: int) -> list[Array]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(np.float32) for shape in shapes]


def check(
    graph: Graph,
    target: Backend,
    folder: Path,
    calls: Sequence[Sequence[Array]],
    params: Sequence[Array] = (),
    state: Sequence[Array] = (),
) -> None:
    """Fail unless all calls, the state handed on, agree with the float64 reference."""
    runner = target.load(graph, folder)
    narrow_state = exact_state = state
    for inputs in calls:
        outputs, state = runner.run(inputs, params, state)
        narrow, narrow_state = evaluate(graph, inputs, params, narrow_state)
        exact, exact_state = evaluate(graph, inputs, params, exact_state, wide=True)
        found, own = (*outputs, *state), (*narrow, *narrow_state)
        wide, terms = (*exact, *exact_state), longest_sum(graph)
        for value, *three in zip(graph.results, found, own, wide, strict=True):
            assert_agree(value.type.dtype, three, terms)


def assert_agree(dtype: DType, three: Sequence[Array], terms: int) -> None:
    """Fail unless floats are as close as they have to be and all else is equal."""
    actual, narrow, exact = three
    if dtype.is_float:
        close = agreement(actual, narrow, exact, terms)
        assert close.holds, close
    else:
        np.testing.assert_array_equal(actual, narrow, strict=True)


def test_a_network_with_a_symbolic_batch_and_state(target: Backend, tmp_path: Path) -> None:
    params = arrays([(20, 3, 3, 3), (20,), (10, 1280)], 0)
    calls = [arrays([(count, 3, 8, 8)], count) for count in (1, 3, 9, 2)]
    graph = parse_graph(NETWORK)
    check(graph, target, tmp_path, calls, params, arrays([(20,), (3,)], 1))


def test_headers_may_be_outputs_and_updates(target: Backend, tmp_path: Path) -> None:
    calls = [arrays([(5,)], seed) for seed in (3, 4, 5)]
    graph = parse_graph(HEADERS)
    check(graph, target, tmp_path, calls, arrays([(5,)], 1), arrays([(5,)] * 4, 2))


@pytest.mark.parametrize("reverse", ["false", "true"])
def test_a_scan_hands_its_carries_on(reverse: str, target: Backend, tmp_path: Path) -> None:
    graph = parse_graph(LOOP.replace("REVERSE", reverse))
    calls = [arrays([(steps, 3), (3,), (3,)], steps) for steps in (1, 2, 5)]
    check(graph, target, tmp_path, calls, arrays([(3,)], 9))


def test_a_batch_of_nothing_works(target: Backend, tmp_path: Path) -> None:
    graph = parse_graph(EMPTY)
    check(graph, target, tmp_path, [arrays([(count, 3)], 1) for count in (0, 2)])


LARGE = """
graph @large lux {
  dim M: 1..70
  input %x.0: f32[M, 256]
  input %x.1: f32[3, 16, 34, 34]
  param @0: f32[256, 130]
  param @1: f32[130]
  param @2: f32[36, 16, 3, 3]
  tree inputs = [*, *]
  tree params = [*, *, *]
  tree state = []
  tree outputs = [*, *, *, *, *]

  %0: f32[M, 130] = dot_general(%x.0, @0) {lhs_batch = [], rhs_batch = [], \
lhs_contract = [1], rhs_contract = [0]}
  %1: f32[M, 130] = broadcast(@1) {shape = [M, 130], axes = [1]}
  %2: f32[M, 130] = add(%0, %1)
  %3: f32[M, 130] = logistic(%2) {fast = false}
  %4: f32[3, 36, 32, 32] = conv(%x.1, @2) {strides = [1, 1], padding = [[0, 0], [0, 0]], \
lhs_dilation = [1, 1], rhs_dilation = [1, 1], groups = 1, weight_order = "oi"}
  %5: f32[3, 36] = reduce(%4) {kind = "add", axes = [2, 3]}
  %6: f32[3, 16, 34, 34] = exp(%x.1)
  %7: u32[2] = constant() {dtype = u32, shape = [2], value = [7, 9]}
  %8: u32[100, 1001] = random_bits(%7) {shape = [100, 1001]}
  return %3, %4, %5, %6, %8
}
"""


def large_inputs(rows: int) -> list[Array]:
    return arrays([(rows, 256), (3, 16, 34, 34)], rows)


LARGE_PARAMS = arrays([(256, 130), (130,), (36, 16, 3, 3)], 0)


def test_every_axis_may_be_symbolic(target: Backend, tmp_path: Path) -> None:
    sizes = [(1, 2), (2, 9), (17, 3), (40, 8)]
    calls = [arrays([(n, m), (m, n), (3, n + 2)], n) for n, m in sizes]
    check(parse_graph(SIZES), target, tmp_path, calls)


def test_kernels_that_threads_share_are_right(target: Backend, tmp_path: Path) -> None:
    calls = [large_inputs(rows) for rows in (1, 6, 11, 64, 70)]
    check(parse_graph(LARGE), target, tmp_path, calls, LARGE_PARAMS)


@pytest.mark.parametrize("level", compiled())
def test_threads_change_no_bit(level: Compiled, tmp_path: Path) -> None:
    runner = level.load(parse_graph(LARGE), tmp_path)
    alone, _ = runner.run(large_inputs(67), LARGE_PARAMS)
    shared, _ = runner.run(large_inputs(67), LARGE_PARAMS, threads=3)
    for first, second in zip(alone, shared, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("level", compiled())
def test_the_batch_changes_no_bit(level: Compiled, tmp_path: Path) -> None:
    large = level.load(parse_graph(LARGE), tmp_path)
    x, images = large_inputs(67)
    (whole, *_), _ = large.run([x, images], LARGE_PARAMS)
    parts = [large.run([x[i : i + 9], images], LARGE_PARAMS)[0][0] for i in range(0, 67, 9)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))
    network = level.load(parse_graph(NETWORK), tmp_path)
    params, state = arrays([(20, 3, 3, 3), (20,), (10, 1280)], 0), arrays([(20,), (3,)], 1)
    (x,) = arrays([(9, 3, 8, 8)], 7)
    together, _ = network.run([x], params, state)
    apart = [network.run([x[i : i + 1]], params, state)[0] for i in range(9)]
    for position, output in enumerate(together):
        joined = np.concatenate([part[position] for part in apart])
        np.testing.assert_array_equal(output, joined)
