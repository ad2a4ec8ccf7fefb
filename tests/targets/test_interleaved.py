"""Channels of an image are brought side by side by kernels of their own."""

from pathlib import Path

import numpy as np
import pytest

from lxc.ir.parser import parse_graph
from tests.targets.backends import Compiled, compiled, extended
from tests.targets.batches import check_batches

TEXT = """
graph @turn lux {
  dim N: 1..3
  input %x.0: bf16[N, 3, 21, 21]
  input %x.1: f32[N, 8, 2, 40]
  input %x.2: bf16[N, 2, 37]
  tree inputs = [*, *, *]
  tree params = []
  tree state = []
  tree outputs = [*, *, *]

  %0: bf16[N, 3, 21, 21] = negate(%x.0)
  %1: bf16[] = constant() {dtype = bf16, shape = [], value = [0x1p-1]}
  %2: bf16[N, 3, 27, 40] = pad(%0, %1) {low = [0, 0, 3, 2], high = [0, 0, 3, 17], \
interior = [0, 0, 0, 0]}
  %3: bf16[N, 4, 27, 40] = pad(%2, %1) {low = [0, 0, 0, 0], high = [0, 1, 0, 0], \
interior = [0, 0, 0, 0]}
  %4: bf16[N, 27, 40, 4] = transpose(%3) {permutation = [0, 2, 3, 1]}
  %5: bf16[N, 1, 27, 40, 4] = reshape(%4) {shape = [N, 1, 27, 40, 4]}
  %6: f32[N, 2, 40, 8] = transpose(%x.1) {permutation = [0, 2, 3, 1]}
  %7: f32[N, 2, 40, 8] = negate(%6)
  %8: bf16[N, 37, 2] = transpose(%x.2) {permutation = [0, 2, 1]}
  return %5, %7, %8
}
"""


@pytest.mark.parametrize("level", [*compiled(), *extended()])
def test_every_element_goes_to_its_place(level: Compiled, tmp_path: Path) -> None:
    graph = parse_graph(TEXT)
    runner = level.load(graph, tmp_path)
    rng = np.random.default_rng(5)
    inputs = [
        rng.standard_normal((3, *value.type.shape[1:])).astype(value.type.dtype.numpy)
        for value in graph.inputs
    ]
    check_batches(graph, runner, inputs, [], [1, 3])
    assert [one["algorithm"] for one in runner.model.target.kernels] == ["interleaved"] * 3
