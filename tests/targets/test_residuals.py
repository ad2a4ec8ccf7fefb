"""What is added behind a product may die there, and still be read while it is made."""

from pathlib import Path

import pytest

from lxc.ir.parser import parse_graph
from tests.targets.backends import Backend
from tests.targets.test_programs import arrays, check

RESIDUAL = """
graph @residual lux {
  dim N: 1..40
  input %x.0: f32[N, 64]
  input %x.1: f32[N, 64]
  param @0: f32[64, 64]
  tree inputs = [*, *]
  tree params = [*]
  tree state = []
  tree outputs = [*]

  %0: f32[2*N, 64] = concat(%x.0, %x.0) {axis = 0}
  %1: f32[2*N, 64] = concat(%x.1, %x.1) {axis = 0}
  %2: f32[2*N, 64] = dot_general(LEFT, @0) {lhs_batch = [], rhs_batch = [], \
lhs_contract = [1], rhs_contract = [0]}
  %3: f32[2*N, 64] = add(%2, %1)
  %4: f32[4*N, 64] = concat(%3, %3) {axis = 0}
  return %4
}
"""


@pytest.mark.parametrize("left", ["%0", "%1"], ids=["residual", "operand and residual"])
def test_a_product_keeps_what_it_reads(left: str, target: Backend, tmp_path: Path) -> None:
    graph = parse_graph(RESIDUAL.replace("LEFT", left))
    calls = [arrays([(rows, 64), (rows, 64)], rows) for rows in (1, 7, 40)]
    check(graph, target, tmp_path, calls, arrays([(64, 64)], 2))
