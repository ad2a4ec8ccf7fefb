"""An input without elements may have any address: nothing is read from there."""

import subprocess
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from lxc.ir.parser import parse_graph
from tests.targets.backends import Compiled, compiled
from tests.targets.test_programs import check

PADS = """
graph @pads lux {
  dim N: 0..40
  input %x.0: f32[N, 5]
  input %x.1: f32[3, N]
  input %x.2: bf16[N]
  input %x.3: bool[N, 20]
  tree inputs = [*, *, *, *]
  tree params = []
  tree state = []
  tree outputs = [*, *, *, *, *]

  %0: f32[] = constant() {dtype = f32, shape = [], value = [0x1p-1]}
  %1: f32[N + 3, 5] = pad(%x.0, %0) {low = [1, 0], high = [2, 0], interior = [0, 0]}
  %2: f32[3, N + 33] = pad(%x.1, %0) {low = [0, 30], high = [0, 3], interior = [0, 0]}
  %3: f32[3, N] = exp(%x.1)
  %4: f32[3, N] = multiply(%3, %x.1)
  %5: f32[5, N + 20] = pad(%4, %0) {low = [1, 10], high = [1, 10], interior = [0, 0]}
  %6: bf16[] = constant() {dtype = bf16, shape = [], value = [0x1p-1]}
  %7: bf16[N + 17] = pad(%x.2, %6) {low = [8], high = [9], interior = [0]}
  %8: bool[] = constant() {dtype = bool, shape = [], value = [true]}
  %9: bool[N + 4, 20] = pad(%x.3, %8) {low = [4, 0], high = [0, 0], interior = [0, 0]}
  return %1, %2, %5, %7, %9
}
"""

CALL = """
import mmap
import sys

import ml_dtypes
import numpy as np

from lxc.runtime.load import load

# Memory that nobody may read.
closed = mmap.mmap(-1, 4096, prot=0)


def empty(shape, dtype):
    return np.frombuffer(closed, np.uint8, count=0).view(dtype).reshape(shape)


types = (np.float32, np.float32, ml_dtypes.bfloat16, np.bool_)
shapes = ((0, 5), (3, 0), (0,), (0, 20))
results, _ = load(sys.argv[1])(list(map(empty, shapes, types)), [], [])
print(*(f"{result.shape} {set(result.ravel().tolist())}" for result in results), sep="\\n")
"""


@pytest.mark.parametrize("level", compiled())
def test_the_padding_of_nothing_reads_nothing(level: Compiled, tmp_path: Path) -> None:
    level.load(parse_graph(PADS), tmp_path)
    command = [sys.executable, "-c", CALL, str(tmp_path / f"pads-{level.name}.lxc")]
    finished = subprocess.run(command, capture_output=True, check=False, text=True)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines() == [
        "(3, 5) {0.5}",
        "(3, 33) {0.5}",
        "(5, 20) {0.5}",
        "(17,) {0.5}",
        "(4, 20) {True}",
    ]


@pytest.mark.parametrize("level", compiled())
def test_what_may_be_empty_is_read_where_it_is_not(level: Compiled, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    calls = []
    for count in (1, 7, 40):
        x, y, z = (rng.standard_normal(shape) for shape in ((count, 5), (3, count), count))
        flags = rng.random((count, 20)) < 0.5
        floats = x.astype(np.float32), y.astype(np.float32), z.astype(ml_dtypes.bfloat16)
        calls.append((*floats, flags))
    check(parse_graph(PADS), level, tmp_path, calls)


ENDS = """
graph @ends lux {
  input %x.0: f32[3, 0, 5]
  param @0: f32[5, 0]
  param @1: f32[5, 7]
  tree inputs = [*]
  tree params = [*, *]
  tree state = []
  tree outputs = [*, *]

  %0: f32[3, 0, 0] = dot_general(%x.0, @0) {lhs_batch = [], rhs_batch = [], \
lhs_contract = [2], rhs_contract = [0]}
  %1: f32[3, 0, 0] = tanh(%0) {fast = false}
  %2: f32[3, 0, 7] = dot_general(%x.0, @1) {lhs_batch = [], rhs_batch = [], \
lhs_contract = [2], rhs_contract = [0]}
  %3: f32[3, 0, 7] = tanh(%2) {fast = false}
  return %1, %3
}
"""


@pytest.mark.parametrize("level", compiled())
def test_long_work_on_no_rows_is_compiled(level: Compiled, tmp_path: Path) -> None:
    params = [np.ones(shape, np.float32) for shape in ((5, 0), (5, 7))]
    check(parse_graph(ENDS), level, tmp_path, [[np.ones((3, 0, 5), np.float32)]], params)
