"""Products and convolutions of blocked operands, as passes hand them to code generation."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from lxc.ir.parser import parse_graph
from lxc.ir.types import Array
from lxc.targets import TARGETS
from tests.targets.backends import Compiled, compiled
from tests.targets.batches import check_batches

DOT = """
graph @dot lux {
  dim N: 1..40
  input %x.0: f32[N, 3, 37]
  input %x.1: f32[N, 3, COLUMNS]
  param @0: f32[PANELS, 37, L]
  param @1: f32[COLUMNS]
  tree inputs = [*, *]
  tree params = [*, *]
  tree state = []
  tree outputs = [*]

  %0: f32[N, 3, COLUMNS] = packed_dot(%x.0, @0) {lhs_batch = [], lhs_contract = [2], \
columns = COLUMNS}
  %1: f32[N, 3, COLUMNS] = broadcast(@1) {shape = [N, 3, COLUMNS], axes = [2]}
  %2: f32[N, 3, COLUMNS] = add(%0, %1)
  %3: f32[N, 3, COLUMNS] = ACTIVATION
  %4: f32[N, 3, COLUMNS] = add(%3, %x.1)
  return %4
}
"""

CONV = """
graph @conv lux {
  dim N: 1..3
  input %x.0: f32[N, 4, 11, 9, L]
  param @0: f32[6, 2, 3, 2, L, L]
  param @1: f32[6, L]
  tree inputs = [*]
  tree params = [*, *]
  tree state = []
  tree outputs = [*, *]

  %0: f32[N, 6, 5, 7, L] = blocked_conv(%x.0, @0) {strides = [2, 1], \
rhs_dilation = [1, 2], groups = 2, plain = false}
  %1: f32[N, 6, 5, 7, L] = broadcast(@1) {shape = [N, 6, 5, 7, L], axes = [1, 4]}
  %2: f32[N, 6, 5, 7, L] = add(%0, %1)
  %3: f32[] = constant() {dtype = f32, shape = [], value = [0x1p-1]}
  %4: f32[N, 6, 8, 10, L] = pad(%2, %3) {low = [0, 0, 1, 2, 0], high = [0, 0, 2, 1, 0], \
interior = [0, 0, 0, 0, 0]}
  %5: f32[N, 6, 7, 9, L] = reduce_window(%4) {kind = "max", window = [1, 1, 2, 2, 1], \
strides = [1, 1, 1, 1, 1], padding = [[0, 0], [0, 0], [0, 0], [0, 0], [0, 0]]}
  return %4, %5
}
"""

PLAIN = """
graph @plain lux {
  dim N: 1..3
  input %x.0: f32[N, 3, 12, 9]
  param @0: f32[2, 3, 3, 3, L]
  param @1: f32[5, 2, 1, 1, L, L]
  param @2: f32[5, 3, 3, L]
  tree inputs = [*]
  tree params = [*, *, *]
  tree state = []
  tree outputs = [*, *, *]

  %0: f32[N, 2, 10, 7, L] = blocked_conv(%x.0, @0) {strides = [1, 1], \
rhs_dilation = [1, 1], groups = 1, plain = true}
  %1: f32[N, 5, 10, 7, L] = blocked_conv(%0, @1) {strides = [1, 1], \
rhs_dilation = [1, 1], groups = 1, plain = false}
  %2: f32[N, 5, 8, 3, L] = depthwise_conv(%1, @2) {strides = [1, 2], \
rhs_dilation = [1, 1]}
  %3: f32[N, 5, L] = reduce(%2) {kind = "add", axes = [2, 3]}
  return %1, %2, %3
}
"""


def lanes(level: Compiled) -> int:
    return TARGETS[level.name].machine.lanes


def blocked(text: str, level: Compiled) -> str:
    size = lanes(level)
    return text.replace(" L]", f" {size}]").replace(" L,", f" {size},")


def check(text: str, level: Compiled, folder: Path, counts: Sequence[int]) -> None:
    """Fail unless every batch agrees with the reference, sample by sample to the bit."""
    graph = parse_graph(text)
    runner = level.load(graph, folder)
    rng = np.random.default_rng(3)
    largest = max(counts)
    bounds = {dim.name: largest for dim in graph.dims}
    inputs = [drawn(rng, value.type.shape, bounds) for value in graph.inputs]
    params = [drawn(rng, value.type.shape, bounds) for value in graph.params]
    check_batches(graph, runner, inputs, params, counts)


def drawn(
    rng: np.random.Generator, shape: Sequence[object], sizes: dict[str, int]
) -> Array:
    entries = [entry if isinstance(entry, int) else sizes[str(entry)] for entry in shape]
    return rng.standard_normal(entries).astype(np.float32)


@pytest.mark.parametrize("level", compiled())
@pytest.mark.parametrize("columns", [4, 16, 70])
@pytest.mark.parametrize("activation", ["negate(%2)", "logistic(%2) {fast = false}"])
def test_packed_products_are_right_for_every_number_of_rows(
    columns: int, activation: str, level: Compiled, tmp_path: Path
) -> None:
    panels = -(-columns // lanes(level))
    text = DOT.replace("COLUMNS", str(columns)).replace("PANELS", str(panels))
    text = text.replace("ACTIVATION", activation).replace("L]", f"{lanes(level)}]")
    check(text, level, tmp_path, [1, 2, 5, 13, 29, 40])


@pytest.mark.parametrize("level", compiled())
@pytest.mark.parametrize("text", [CONV, PLAIN], ids=["grouped", "plain"])
def test_blocked_convolutions_are_right(text: str, level: Compiled, tmp_path: Path) -> None:
    check(blocked(text, level), level, tmp_path, [1, 3])


@pytest.mark.parametrize("level", compiled())
def test_a_halo_is_written_by_the_kernel_in_front_of_it(
    level: Compiled, tmp_path: Path
) -> None:
    graph = parse_graph(blocked(CONV, level))
    model = level.load(graph, tmp_path).model
    kernels = model.target.kernels
    assert [record["ops"] for record in kernels] == [
        "blocked_conv+add+pad",
        "reduce_window",
    ]
