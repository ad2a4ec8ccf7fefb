"""State that a call updates in place: nothing is copied, nothing else is touched."""

import ctypes
import mmap
import os
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn, ops
from lxc.ir.graph import Graph
from lxc.passes import LAYER_PIPELINE, TENSOR_PIPELINE, passes_named, run_passes
from lxc.runtime import CompiledModel
from lxc.targets import TARGETS
from lxc.targets.compile import emit

Array = np.ndarray[Any, Any]
ENTRIES, FEATURES = 64, 40
PAGE = mmap.PAGESIZE
LEVELS = ("x86-64-v2", "x86-64-v3", "x86-64-v4")


@dataclass(frozen=True)
class Cache(nn.Layer):
    """Entries of which one is replaced; `scale` multiplies all of them as well."""

    scale: float | None = None

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the sum of the entries for (entry, position), and the entries."""
        entry, position = x
        places = ops.arange(ENTRIES, dtype="int32", like=position)
        here = ops.reshape(places == position, (ENTRIES, 1))
        kept = st["entries"] if self.scale is None else st["entries"] * self.scale
        entries = ops.where(here, entry, kept)
        return ops.sum(entries, -2), {"entries": entries}


def arguments(batch: int) -> tuple[Any, Any]:
    random = np.random.default_rng(3)
    entry = random.normal(size=(batch, 1, FEATURES)).astype(np.float32)
    entries = random.normal(size=(batch, ENTRIES, FEATURES)).astype(np.float32)
    return (entry, np.array([5], np.int32)), {"entries": entries}


@cache
def compiled(level: str, scale: float | None = None) -> CompiledModel:
    x, state = arguments(2)
    return lxc.compile(Cache(scale), x, {}, state, target=level)


def graph_of(scale: float | None) -> Graph:
    x, state = arguments(2)
    traced = lxc.trace(Cache(scale), x, {}, state)
    names = passes_named((*LAYER_PIPELINE, *TENSOR_PIPELINE))
    program = run_passes(traced, names).program
    assert isinstance(program, Graph)
    return program


@pytest.mark.parametrize("scale", [None, 3.0])
@pytest.mark.parametrize("level", LEVELS)
def test_a_cache_is_the_same_in_place_and_elsewhere(
    level: str, scale: float | None
) -> None:
    (entry, position), state = arguments(2)
    bound = compiled(level, scale).bind({}, state, threads=2)
    expected = state["entries"] * np.float32(1 if scale is None else scale)
    expected[:, 5] = entry[:, 0]
    before = state["entries"].copy()
    y, after = bound((entry, position), state)
    np.testing.assert_array_equal(state["entries"], before)
    np.testing.assert_array_equal(after["entries"], expected)
    np.testing.assert_allclose(y, expected.sum(1), rtol=1e-4, atol=1e-4)
    out = np.empty_like(y)
    bound.at(inputs=(entry, position), outputs=out, state=state)()
    np.testing.assert_array_equal(state["entries"], expected)
    np.testing.assert_array_equal(out, y)


@pytest.mark.parametrize("scale", [None, 3.0])
def test_new_state_is_not_copied(scale: float | None) -> None:
    assembly = emit(graph_of(scale), TARGETS["x86-64-v3"], "asm")
    assert b"memmove" not in assembly
    assert b"memcpy" not in assembly


def test_entries_that_stay_are_not_written() -> None:
    x, state = arguments(2)
    pages = mmap.mmap(-1, -(-state["entries"].nbytes // PAGE) * PAGE)
    count = state["entries"].size
    entries = np.frombuffer(pages, np.float32, count).reshape(state["entries"].shape)
    bound = compiled(LEVELS[0]).bind({}, state)
    out = np.empty((2, FEATURES), np.float32)
    call = bound.at(inputs=x, outputs=out, state={"entries": entries})
    # Between the two entries that are replaced lies a page with none of them.
    start = entries.ctypes.data + PAGE
    assert entries[0, 6].ctypes.data <= start
    assert start + PAGE <= entries[1, 5].ctypes.data
    pid = os.fork()
    if pid == 0:
        code = ctypes.CDLL(None).mprotect(ctypes.c_void_p(start), PAGE, mmap.PROT_READ)
        call()
        os._exit(int(code != 0))
    assert os.waitpid(pid, 0)[1] == 0
