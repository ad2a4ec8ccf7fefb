"""What lies across what it is made of is turned around in registers, in squares."""

from pathlib import Path

import numpy as np
import pytest

from lxc.ir.parser import parse_graph
from lxc.ir.types import Array, TensorType
from tests.targets.backends import Compiled, compiled
from tests.targets.batches import check_batches

HEAD = """
graph @turn lux {
  dim N: 0..3
  input %x.0: f32[N, 32, 9, 21]
  input %x.1: i32[N, 2, 5, 7, 16]
  input %x.2: f32[N, 37, 19]
  input %x.3: f32[N, 19, 37]
  tree inputs = [*, *, *, *]
  tree params = []
  tree state = []
  tree outputs = [*, *, *, *, *, *]

  %0: f32[] = constant() {dtype = f32, shape = [], value = [0x1p-1]}
"""
INTO_BLOCKS = """
  %1: f32[N, 32, 12, 24] = pad(%x.0, %0) {low = [0, 0, 1, 2], high = [0, 0, 2, 1], \
interior = [0, 0, 0, 0]}
  %2: f32[N, 2, 16, 12, 24] = reshape(%1) {shape = [N, 2, 16, 12, 24]}
  %3: f32[N, 2, 12, 24, 16] = transpose(%2) {permutation = [0, 1, 3, 4, 2]}
  %4: f32[N, 2, 12, 24, 16] = negate(%3)
"""
OUT_OF_BLOCKS = """
  %5: i32[N, 2, 16, 5, 7] = transpose(%x.1) {permutation = [0, 1, 4, 2, 3]}
  %6: i32[N, 32, 5, 7] = reshape(%5) {shape = [N, 32, 5, 7]}
"""
PADDED_AFTERWARDS = """
  %7: f32[N, 19, 37] = transpose(%x.2) {permutation = [0, 2, 1]}
  %8: f32[N, 24, 40] = pad(%7, %0) {low = [0, 3, 0], high = [0, 2, 3], interior = [0, 0, 0]}
  %9: f32[N, 24, 40] = absolute(%8)
"""
SPREAD_AFTERWARDS = """
  %10: f32[N, 19, 37] = transpose(%x.2) {permutation = [0, 2, 1]}
  %11: f32[N, 19, 73] = pad(%10, %0) {low = [0, 0, 0], high = [0, 0, 0], \
interior = [0, 0, 1]}
"""
BESIDE_PLAIN = """
  %12: f32[N, 19, 37] = transpose(%x.2) {permutation = [0, 2, 1]}
  %13: f32[N, 19, 37] = add(%12, %x.3)
"""
BACKWARDS = """
  %14: f32[N, 37, 19] = reverse(%x.2) {axes = [2]}
  %15: f32[N, 19, 37] = transpose(%14) {permutation = [0, 2, 1]}
  return %4, %6, %9, %11, %13, %15
}
"""
TEXT = "".join(
    (
        HEAD,
        INTO_BLOCKS,
        OUT_OF_BLOCKS,
        PADDED_AFTERWARDS,
        SPREAD_AFTERWARDS,
        BESIDE_PLAIN,
        BACKWARDS,
    )
)


def drawn(rng: np.random.Generator, kind: TensorType) -> Array:
    """Return random numbers for three samples."""
    numbers = rng.integers(-1000, 1000, (3, *kind.shape[1:]))
    found: Array = numbers.astype(kind.dtype.numpy)
    return found


@pytest.mark.parametrize("level", compiled())
def test_every_element_goes_to_its_place(level: Compiled, tmp_path: Path) -> None:
    graph = parse_graph(TEXT)
    runner = level.load(graph, tmp_path)
    rng = np.random.default_rng(6)
    inputs = [drawn(rng, value.type) for value in graph.inputs]
    check_batches(graph, runner, inputs, [], [0, 1, 3])
    names = [one["algorithm"] for one in runner.model.target.kernels]
    assert names == ["turned in squares"] * 4 + ["pointwise"] * 2
