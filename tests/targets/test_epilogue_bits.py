"""What follows a product is rounded alike in every tile of its kernel."""

from pathlib import Path

import numpy as np
import pytest

from lxc.ir.parser import parse_graph
from tests.targets.backends import Compiled, compiled

GRAPH = parse_graph("""
graph @scaled lux {
  dim N: 1..40
  input %x.0: f32[N, 12]
  input %x.1: f32[N, 12]
  param @0: f32[12, 12]
  param @1: f32[12]
  tree inputs = [*, *]
  tree params = [*, *]
  tree state = []
  tree outputs = [*]

  %0: f32[N, 12] = dot_general(%x.0, @0) {lhs_batch = [], rhs_batch = [], \
lhs_contract = [1], rhs_contract = [0]}
  %1: f32[N, 12] = broadcast(@1) {shape = [N, 12], axes = [1]}
  %2: f32[N, 12] = multiply(%0, %1)
  %3: f32[N, 12] = add(%2, %x.1)
  return %3
}
""")


@pytest.mark.parametrize("target", compiled())
def test_a_scale_and_a_sum_behind_a_product_have_the_same_bits_in_every_tile(
    target: Compiled, tmp_path: Path
) -> None:
    model, random = target.load(GRAPH, tmp_path), np.random.default_rng(7)
    shapes = [(40, 12), (40, 12), (12, 12), (12,)]
    arrays = [random.standard_normal(shape).astype(np.float32) for shape in shapes]
    ((whole,), _) = model.run(arrays[:2], arrays[2:])
    for first, last in ((0, 1), (5, 6), (7, 9), (3, 20), (11, 30)):
        part = [np.ascontiguousarray(one[first:last]) for one in arrays[:2]]
        ((found,), _) = model.run(part, arrays[2:])
        np.testing.assert_array_equal(found, whole[first:last])
