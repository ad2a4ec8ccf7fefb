"""A widened value that is made and read a few channels at a time, in compiled code."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from lxc.ir.agreement import agreement
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.parser import parse_graph
from lxc.ir.types import Array
from tests.targets.backends import Compiled, compiled

TEXT = """
graph @SAMPLES lux {
  input %x: f32[COUNT, 24, 56, 56]
  param @0: f32[68, 24, 1, 1]
  param @1: f32[68, 1, 3, 3]
  param @2: f32[68]
  param @3: f32[9, 68, 1, 1]
  tree inputs = [*]
  tree params = [*, *, *, *]
  tree state = []
  tree outputs = [*]
  %0: f32[COUNT, 68, 56, 56] = conv(%x, @0) {strides = [1, 1], \
padding = [[0, 0], [0, 0]], lhs_dilation = [1, 1], rhs_dilation = [1, 1], groups = 1}
  %1: f32[] = constant() {dtype = f32, shape = [], value = [0x0p+0]}
  %2: f32[COUNT, 68, 56, 56] = broadcast(%1) {shape = [COUNT, 68, 56, 56], axes = []}
  %3: f32[COUNT, 68, 56, 56] = maximum(%0, %2)
  %4: f32[COUNT, 68, 28, 28] = conv(%3, @1) {strides = [2, 2], \
padding = [[1, 1], [1, 1]], lhs_dilation = [1, 1], rhs_dilation = [1, 1], groups = 68}
  %5: f32[COUNT, 68, 28, 28] = broadcast(@2) {shape = [COUNT, 68, 28, 28], axes = [1]}
  %6: f32[COUNT, 68, 28, 28] = add(%4, %5)
  %7: f32[COUNT, 9, 28, 28] = conv(%6, @3) {strides = [1, 1], \
padding = [[0, 0], [0, 0]], lhs_dilation = [1, 1], rhs_dilation = [1, 1], groups = 1}
  return %7
}"""
SHAPES = ((68, 24, 1, 1), (68, 1, 3, 3), (68,), (9, 68, 1, 1))


def graph_of(samples: int, name: str) -> Graph:
    """Return the model for a number of samples."""
    return parse_graph(TEXT.replace("SAMPLES", name).replace("COUNT", str(samples)))


def arrays() -> tuple[Array, list[Array]]:
    """Return two samples, and the parameters."""
    source = np.random.default_rng(5)
    x, *params = (source.normal(size=size) for size in ((2, 24, 56, 56), *SHAPES))
    return x.astype(np.float32), [array.astype(np.float32) for array in params]


@pytest.mark.parametrize("backend", compiled())
def test_parts_have_the_bits_of_the_whole(backend: Compiled, tmp_path: Path) -> None:
    alone = backend.load(graph_of(1, "alone"), tmp_path)
    pair = backend.load(graph_of(2, "pair"), tmp_path)
    calls = [kernel["name"] for kernel in alone.model.target.kernels]
    assert len(calls) > len(pair.model.target.kernels)
    assert max(Counter(calls).values()) > 1, "equal parts are one function"
    assert "concat" not in {kernel["algorithm"] for kernel in alone.model.target.kernels}
    x, params = arrays()
    (both,), _ = pair.run([x], params)
    for threads in (1, 2):
        for sample in range(2):
            (one,), _ = alone.run([x[sample : sample + 1]], params, threads=threads)
            np.testing.assert_array_equal(one, both[sample : sample + 1])
    graph = graph_of(2, "pair")
    (exact,), _ = evaluate(graph, [x], params, (), wide=True)
    (narrow,), _ = evaluate(graph, [x], params, ())
    assert agreement(both, narrow, exact, 24 + 9 + 68).holds
