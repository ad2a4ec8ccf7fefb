"""Kernels read nothing in front of their operands and nothing behind them."""

import subprocess
import sys

import pytest

from tests.targets.backends import Compiled, compiled

SCRIPT = """
import ctypes
import mmap
import sys

import numpy as np

import lxc
from lxc import nn

NONE = 0
PAGE = mmap.PAGESIZE
C = ctypes.CDLL(None, use_errno=True)


def fenced(shape, at_start):
    count = 4 * int(np.prod(shape))
    pages = -(-count // PAGE)
    block = mmap.mmap(-1, (pages + 2) * PAGE)
    first = ctypes.addressof(ctypes.c_char.from_buffer(block))
    for fence in (first, first + (pages + 1) * PAGE):
        assert C.mprotect(ctypes.c_void_p(fence), ctypes.c_size_t(PAGE), NONE) == 0
    offset = PAGE if at_start else (pages + 1) * PAGE - count
    return np.frombuffer(block, np.float32, count // 4, offset).reshape(shape)


model = nn.Chain(
    nn.Conv((3, 3), 32, 21, stride=2, pad=1),
    nn.Conv((3, 3), 21, 24, pad=(2, 0, 1, 3)),
    nn.MaxPool((3, 3), stride=2, pad=1),
)
ps, st = lxc.setup(0, model)
m = lxc.compile(model, np.zeros((1, 32, 40, 39), np.float32), ps, st, target=sys.argv[1])
source = np.random.default_rng(0).standard_normal((1, 32, 40, 39), np.float32)
wanted, _ = m(source, ps, st)
for at_start in (True, False):
    x = fenced(source.shape, at_start)
    x[...] = source
    np.testing.assert_array_equal(m(x, ps, st)[0], wanted)
print("read inside")
"""


@pytest.mark.parametrize("backend", compiled())
def test_padded_operands_between_pages_that_must_not_be_read(backend: Compiled) -> None:
    command = [sys.executable, "-c", SCRIPT, backend.name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "read inside\n"), done.stderr
