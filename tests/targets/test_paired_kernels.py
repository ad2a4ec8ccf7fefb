"""Kernels of bfloat16 pairs give a result the same bits wherever it is computed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from lxc.ir.parser import parse_graph
from lxc.ir.types import Array
from lxc.targets import TARGETS
from tests.targets.backends import Compiled, compiled, extended
from tests.targets.batches import check_batches

DOT = """
graph @dot lux {
  dim N: 1..70
  input %x.0: bf16[N, 3, 64]
  input %x.1: bf16[N, 3, 37]
  param @0: bf16[PANELS, 32, L, 2]
  param @1: bf16[PANELS, 19, L, 2]
  param @2: f32[70]
  tree inputs = [*, *]
  tree params = [*, *, *]
  tree state = []
  tree outputs = [*, *]

  %0: f32[N, 3, 70] = paired_dot(%x.0, @0) {lhs_batch = [], lhs_contract = [2], \
columns = 70}
  %1: f32[N, 3, 70] = broadcast(@2) {shape = [N, 3, 70], axes = [2]}
  %2: f32[N, 3, 70] = add(%0, %1)
  %3: f32[N, 3, 70] = logistic(%2) {fast = false}
  %4: f32[N, 3, 70] = paired_dot(%x.1, @1) {lhs_batch = [], lhs_contract = [2], \
columns = 70}
  return %3, %4
}
"""

CONV = """
graph @conv lux {
  dim N: 1..3
  input %x.0: bf16[N, 4, 11, 40, L]
  param @0: bf16[6, 2, 3, 2, H, L, 2]
  param @1: f32[6, L]
  tree inputs = [*]
  tree params = [*, *]
  tree state = []
  tree outputs = [*]

  %0: f32[N, 6, 5, 38, L] = paired_conv(%x.0, @0) {strides = [2, 1], \
rhs_dilation = [1, 2], groups = 2}
  %1: f32[N, 6, 5, 38, L] = broadcast(@1) {shape = [N, 6, 5, 38, L], axes = [1, 4]}
  %2: f32[N, 6, 5, 38, L] = add(%0, %1)
  %3: f32[] = constant() {dtype = f32, shape = [], value = [0x1p-1]}
  %4: f32[N, 6, 8, 41, L] = pad(%2, %3) {low = [0, 0, 1, 2, 0], high = [0, 0, 2, 1, 0], \
interior = [0, 0, 0, 0, 0]}
  return %4
}
"""

LINES = """
graph @lines lux {
  dim N: 1..3
  input %x.0: bf16[N, 2, 9, 9, L]
  input %x.1: bf16[N, 1, 23, 75, 4]
  param @0: bf16[3, 2, 3, 3, H, L, 2]
  param @1: bf16[3, 1, 7, 7, 2, L, 2]
  tree inputs = [*, *]
  tree params = [*, *]
  tree state = []
  tree outputs = [*, *]

  %0: f32[N, 3, 7, 7, L] = paired_conv(%x.0, @0) {strides = [1, 1], rhs_dilation = [1, 1], \
groups = 1}
  %1: f32[] = constant() {dtype = f32, shape = [], value = [0x1p-1]}
  %2: f32[N, 3, 9, 9, L] = pad(%0, %1) {low = [0, 0, 1, 1, 0], high = [0, 0, 1, 1, 0], \
interior = [0, 0, 0, 0, 0]}
  %3: f32[N, 3, 9, 35, L] = paired_conv(%x.1, @1) {strides = [2, 2], \
rhs_dilation = [1, 1], groups = 1}
  return %2, %3
}
"""
"""Lines of cells that are taken as one, and taps that are read in one run of channels."""

WAYS = {
    "x86-64-v4-bf16": {"paired_dot by dot instructions", "paired_conv by dot instructions"},
    "x86-64-v4-amx": {
        "paired_dot by square tiles",
        "paired_dot by dot instructions",
        "paired_conv by square tiles",
    },
}
"""What kernels use that widen no factor; an odd sum does not fit into tiles."""


def text_for(text: str, lanes: int) -> str:
    sizes = {"PANELS": -(-70 // lanes), " H,": f" {lanes // 2},", " L": f" {lanes}"}
    for word, size in sizes.items():
        text = text.replace(word, str(size))
    return text


def drawn(
    rng: np.random.Generator, shape: Sequence[object], count: int, dtype: np.dtype[Any]
) -> Array:
    entries = [entry if isinstance(entry, int) else count for entry in shape]
    return rng.standard_normal(entries).astype(dtype)


@pytest.mark.parametrize("level", [*compiled(), *extended()])
@pytest.mark.parametrize(
    ("text", "counts"), [(DOT, [1, 2, 11, 70]), (CONV, [1, 3]), (LINES, [1, 3])]
)
def test_results_do_not_depend_on_batch_or_threads(
    text: str, counts: Sequence[int], level: Compiled, tmp_path: Path
) -> None:
    check(text, TARGETS[level.name].machine.lanes, counts, level, tmp_path)


@pytest.mark.parametrize("text", [CONV, LINES])
@pytest.mark.parametrize(
    "level", [one for one in extended() if one.values == (Compiled("x86-64-v4-amx"),)]
)
def test_results_in_blocks_of_two_vectors_do_not_either(
    text: str, level: Compiled, tmp_path: Path
) -> None:
    check(text, 2 * TARGETS[level.name].machine.lanes, [1, 3], level, tmp_path)


def check(
    text: str, lanes: int, counts: Sequence[int], level: Compiled, folder: Path
) -> None:
    graph = parse_graph(text_for(text, lanes))
    runner = level.load(graph, folder)
    rng, largest = np.random.default_rng(3), max(counts)
    inputs, params = (
        [drawn(rng, v.type.shape, largest, v.type.dtype.numpy) for v in values]
        for values in (graph.inputs, graph.params)
    )
    if text is DOT:
        params[1][:, -1, :, 1] = ml_dtypes.bfloat16(0)
    check_batches(graph, runner, inputs, params, counts)
    records = {record["algorithm"] for record in runner.model.target.kernels}
    assert records <= WAYS.get(level.name, {"paired_dot by tiles", "paired_conv by tiles"})
