"""Products with weights of 8-bit integers on every target."""

from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn
from lxc.ir.agreement import agreement
from lxc.ir.evaluate import evaluate
from lxc.ir.parser import parse_graph
from lxc.ir.types import Array
from lxc.passes import Choices
from lxc.passes.precision import plan_of
from lxc.runtime.load import load
from lxc.runtime.model import CompiledModel
from lxc.targets import TARGETS
from lxc.targets.compile import build_artifact, emit
from tests.targets.backends import compiled
from tests.targets.test_hot_loops import dense

INT8 = Choices(precision=plan_of("int8"))
SHAPES = ((70, 37), (70,), (70, 3), (2, 5, 35), (12, 12))

GRAPH = parse_graph("""
graph @int8 lux {
  dim N: 1..40
  input %x.0: f32[N, 37]
  input %x.1: f32[3, N, 12]
  param @0: f32[70, 37]
  param @1: f32[70]
  param @2: f32[70, 3]
  param @3: f32[2, 5, 35]
  param @4: f32[12, 12]
  tree inputs = [*, *]
  tree params = [*, *, *, *, *]
  tree state = []
  tree outputs = [*, *, *, *]

  %0: f32[N, 70] = dot_general(%x.0, @0) {lhs_batch = [], rhs_batch = [], \
lhs_contract = [1], rhs_contract = [1]}
  %1: f32[N, 70] = broadcast(@1) {shape = [N, 70], axes = [1]}
  %2: f32[N, 70] = add(%0, %1)
  %3: f32[N, 3] = dot_general(%0, @2) {lhs_batch = [], rhs_batch = [], \
lhs_contract = [1], rhs_contract = [0]}
  %4: f32[N, 2, 35] = reshape(%0) {shape = [N, 2, 35]}
  %5: f32[2, N, 5] = dot_general(%4, @3) {lhs_batch = [1], rhs_batch = [0], \
lhs_contract = [2], rhs_contract = [2]}
  %6: f32[] = constant() {dtype = f32, shape = [], value = [0x0p+0]}
  %7: f32[N, 12] = broadcast(%6) {shape = [N, 12], axes = []}
  %8: f32[N, 12] = scan(%7, @4, %x.1) {carries = 1, consts = 1, length = 3, axis = 0, \
reverse = false} (%9: f32[N, 12], %10: f32[12, 12], %11: f32[N, 12]) {
    %12: f32[N, 12] = dot_general(%9, %10) {lhs_batch = [], rhs_batch = [], \
lhs_contract = [1], rhs_contract = [0]}
    %13: f32[N, 12] = add(%12, %11)
    yield %13
  }
  return %2, %3, %5, %8
}
""")


@pytest.fixture(scope="module", params=compiled())
def model(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> CompiledModel:
    """Return the graph compiled for a target."""
    target = TARGETS[request.param.name]
    path = tmp_path_factory.mktemp(target.name) / "int8.lxc"
    path.write_bytes(build_artifact(GRAPH, [target], name="int8", choices=INT8))
    return load(path)


def inputs(samples: int) -> list[Array]:
    random = np.random.default_rng(samples)
    shapes = [(samples, 37), (3, samples, 12)]
    return [random.standard_normal(shape).astype(np.float32) for shape in shapes]


def on_the_grid() -> list[Array]:
    """Return parameters that are whole numbers of steps, a 128th, up to 127 of them."""
    random = np.random.default_rng(5)
    found = []
    for shape in SHAPES:
        steps = random.integers(-127, 128, shape).astype(np.float32)
        for axis in range(len(shape)):
            # Every column has the most steps, whichever axis is summed.
            places: list[Any] = [slice(None)] * len(shape)
            places[axis] = 0
            steps[tuple(places)] = 127
        found.append(steps / 128)
    return found


def test_integers_lose_nothing_of_weights_on_their_grid(model: CompiledModel) -> None:
    params = on_the_grid()
    for samples in (1, 2, 13, 40):
        xs = inputs(samples)
        narrow, _ = evaluate(GRAPH, xs, params)
        exact, _ = evaluate(GRAPH, xs, params, wide=True)
        for threads in (1, 2):
            actual = model(xs, params, [], threads=threads)[0]
            for one, near, far in zip(actual, narrow, exact, strict=True):
                verdict = agreement(np.asarray(one), near, far, 70 + 37)
                assert verdict.holds, f"{samples} samples: {verdict}"


def test_neither_batch_nor_threads_change_a_bit(model: CompiledModel) -> None:
    random = np.random.default_rng(3)
    params = [random.standard_normal(s).astype(np.float32) for s in SHAPES]
    xs = inputs(40)
    whole = model(xs, params, [])[0]
    for first, last in ((0, 1), (7, 9), (3, 20)):
        part = [np.ascontiguousarray(xs[0][first:last]), xs[1][:, first:last].copy()]
        for threads in (1, 2):
            found = model(part, params, [], threads=threads)[0]
            for place, (one, every) in enumerate(zip(found, whole, strict=True)):
                wanted = every[:, first:last] if place == 2 else every[first:last]
                np.testing.assert_array_equal(one, wanted)


def test_other_parameters_need_no_other_code(model: CompiledModel) -> None:
    params, xs = on_the_grid(), inputs(4)
    bound = model.bind(params, [])
    before = [np.array(one) for one in bound(xs, [])[0]]
    bound.swap([4 * one for one in params])
    after = bound(xs, [])[0]
    np.testing.assert_array_equal(after[0], 4 * before[0])
    params[0][9, 3], params[2][6, 1] = np.nan, np.inf
    bound.swap(params)
    broken = [np.asarray(one) for one in bound(xs, [])[0]]
    assert np.isnan(broken[0][:, 9]).all()
    np.testing.assert_array_equal(np.delete(broken[0], 9, 1), np.delete(before[0], 9, 1))
    assert np.isnan(broken[1]).all()


def test_a_quarter_of_the_bytes_is_kept_and_read() -> None:
    model, spec = nn.Dense(256, 320), lxc.TensorSpec((1, 256), "f32")
    ps, st = lxc.setup(0, model)
    kept, read = [], []
    for precision in ("float32", "int8"):
        compiled = lxc.compile(model, spec, ps, st, target="x86-64-v2", precision=precision)
        kept.append(compiled.target.prepared_bytes)
        kernel = compiled.target.kernels[-1]
        assert kernel["precision"] == precision
        read.append(kernel["bytes"])
    assert kept[0] == 256 * 320 * 4
    assert kept[1] == 256 * 320 + 320 * 4
    assert read[1] < 0.28 * read[0]


@pytest.mark.parametrize(
    ("target", "widen", "convert"),
    [
        ("x86-64-v2", "pmovsxbd", "cvtdq2ps"),
        ("x86-64-v3", "vpmovsxbd", "vcvtdq2ps"),
        ("x86-64-v4", "vpmovsxbd", "vcvtdq2ps"),
        ("aarch64-linux", "tbl", "scvtf"),
    ],
)
def test_integers_are_converted_a_vector_at_a_time(
    target: str, widen: str, convert: str
) -> None:
    graph = dense(1, 300, 500)
    lines = emit(graph, TARGETS[target], "asm", choices=INT8).decode().splitlines()
    assert sum(widen in line for line in lines) >= 8
    assert sum(convert in line for line in lines) >= 8
    assert not any("cvtsi2ss" in line or "cvtsi2sd" in line for line in lines)
