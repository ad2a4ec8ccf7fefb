"""Streams of the caller: work is in order, and memory is not reused too early.

The emulated driver does work as late as it may, so what is not ordered reads too early.
"""

import ctypes
from typing import Any

import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.runtime import CompiledModel
from tests.cards.toy import Emulated, leaves_of, memory_of
from tests.runtime.conftest import toy_result

Trees = tuple[dict[str, Any], dict[str, Any]]
Array = np.ndarray[Any, Any]


def rows(seed: int) -> Array:
    return np.random.default_rng(seed).normal(size=(60, 4)).astype(np.float32)


@pytest.fixture
def resident(model: CompiledModel, trees: Trees) -> Trees:
    """Return params, and state on the card: calls with that wait for nothing."""
    return trees[0], model.to_machine(trees[1])


class TorchStream:
    def __init__(self, handle: int) -> None:
        self.cuda_stream = handle


class CupyStream:
    def __init__(self, handle: int) -> None:
        self.ptr = handle


class NvidiaStream:
    def __init__(self, handle: int) -> None:
        self.handle = handle

    def __cuda_stream__(self) -> tuple[int, int]:
        return 0, self.handle


@pytest.mark.parametrize("kind", [int, TorchStream, CupyStream, NvidiaStream])
def test_work_goes_to_the_stream_of_the_caller(
    model: CompiledModel, trees: Trees, resident: Trees, card: Emulated, kind: type[Any]
) -> None:
    handle = card.stream()
    x = model.to_machine(rows(0))
    y, _ = model(x, *resident, stream=kind(handle))
    library = model.engine.library
    host = np.zeros((60, 4), np.float32)
    library.download(host.ctypes.data, y.address, y.nbytes, handle)
    np.testing.assert_array_equal(host, toy_result(*trees, rows(0)))


@pytest.mark.parametrize("stream", ["main", -1, 1.5, True])
def test_what_is_no_stream_is_refused(
    model: CompiledModel, trees: Trees, stream: Any
) -> None:
    with pytest.raises(LxcError) as error:
        model(rows(0), *trees, stream=stream)
    assert error.value.code == "LXC-E0505"


def test_a_stream_waits_for_what_another_one_makes(
    model: CompiledModel, resident: Trees, trees: Trees, card: Emulated
) -> None:
    streams = [0, *(card.stream() for _ in range(3)), 0]
    x: Any = model.to_machine(rows(0))
    expected = rows(0)
    for stream in streams:
        x, _ = model(x, *resident, stream=stream)
        expected = toy_result(*trees, expected)
    np.testing.assert_array_equal(x, expected)


def test_state_goes_from_stream_to_stream(
    model: CompiledModel, trees: Trees, card: Emulated
) -> None:
    params, state = trees
    state = model.to_machine(state)
    for stream in (card.stream(), None, card.stream()):
        _, state = model(rows(0), params, state, stream=stream)
    assert state["count"].numpy() == 180


def test_memory_that_is_still_read_is_not_written(
    model: CompiledModel, resident: Trees, trees: Trees, card: Emulated
) -> None:
    """An input is dropped at once, and another stream writes to its memory."""
    first, second = card.stream(), card.stream()
    model(model.to_machine(rows(9)), *resident, stream=first)
    x = model.to_machine(rows(0))
    place = x.address
    y, _ = model(x, *resident, stream=first)
    del x
    again = [leaves_of(model).copied(rows(1), second)]
    while again[-1].address != place:
        again.append(leaves_of(model).copied(rows(1), second))
    model.engine.library.wait(second)
    np.testing.assert_array_equal(y, toy_result(*trees, rows(0)))


def test_memory_that_is_still_written_is_not_written_by_another(
    model: CompiledModel, resident: Trees, trees: Trees, card: Emulated
) -> None:
    """An output is dropped at once, and another stream writes to its memory."""
    first, second = card.stream(), card.stream()
    x = model.to_machine(rows(0))
    y, _ = model(x, *resident, stream=first)
    place = y.address
    del y
    z, _ = model(x, *resident, stream=second)
    assert z.address == place
    library = model.engine.library
    library.wait(second)
    memory_of(z)[:] = 7
    library.wait(first)
    assert (memory_of(z) == 7).all()


def test_params_that_are_dropped_serve_the_calls_that_read_them(
    model: CompiledModel, trees: Trees, resident: Trees, card: Emulated
) -> None:
    streams = [card.stream(), card.stream()]
    kept: list[tuple[Any, Array]] = []
    x = model.to_machine(rows(0))
    for turn in range(8):
        bias = np.full(4, turn, np.float32)
        mine = {"layer": {**trees[0]["layer"], "bias": bias}}
        y, _ = model(x, mine, resident[1], stream=streams[turn % 2])
        kept.append((y, toy_result(mine, trees[1], rows(0))))
    for y, expected in kept:
        np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("drops", ["the params", "the call"])
def test_what_is_prepared_serves_placed_calls_when_it_is_dropped(
    model: CompiledModel, trees: Trees, card: Emulated, drops: str
) -> None:
    stream = card.stream()
    x, state = model.to_machine(rows(0)), model.to_machine(trees[1])
    y = model.to_machine(np.zeros((60, 4), np.float32))
    bound = model.bind(*trees)
    placed: Any = bound.at(inputs=x, outputs=y, state=state, stream=stream)
    placed()
    *leaves, buffer = placed.prepared.kept
    place = buffer.address
    if drops == "the params":
        bound.swap({"layer": {**trees[0]["layer"], "bias": np.ones(4, np.float32)}})
        placed.prepared = None
    else:
        del bound, placed
    del buffer
    again = model.to_machine(np.full(4, np.nan, np.float32))
    assert again.address == place
    model.engine.library.wait(stream)
    np.testing.assert_array_equal(y, toy_result(*trees, rows(0)))
    assert leaves


def test_calls_on_two_streams_have_two_arenas_and_do_not_wait(
    model: CompiledModel, trees: Trees, card: Emulated
) -> None:
    first, second = card.stream(), card.stream()
    x, state = model.to_machine(rows(0)), model.to_machine(trees[1])
    model(x, trees[0], state, stream=first)
    model(x, trees[0], state, stream=second)
    used = card["instantiations"]
    results = [
        model(x, trees[0], state, stream=stream)[0] for stream in (first, second, first)
    ]
    assert card["instantiations"] == used
    for y in results:
        np.testing.assert_array_equal(y, toy_result(*trees, rows(0)))
    assert len(model.engine.frames.free) == 2


def test_many_streams_share_a_limited_number_of_arenas(
    model: CompiledModel, trees: Trees, resident: Trees, card: Emulated
) -> None:
    x = model.to_machine(rows(0))
    results = [model(x, *resident, stream=card.stream())[0] for _ in range(20)]
    frames = model.engine.frames
    assert frames.made == 16
    for y in results:
        np.testing.assert_array_equal(y, toy_result(*trees, rows(0)))


def test_an_array_of_the_host_may_change_when_the_call_returns(
    model: CompiledModel, trees: Trees, card: Emulated
) -> None:
    """Also one that copies reach without the host's help."""
    x = leaves_of(model).pinned.array((60, 4), np.dtype(np.float32))
    x[:] = rows(0)
    resident = model.to_machine(trees[1])
    target = model.to_machine(np.zeros((60, 4), np.float32))
    model(x, trees[0], resident, out=target, stream=card.stream())
    x[:] = 0
    np.testing.assert_array_equal(target, toy_result(*trees, rows(0)))


def test_the_context_of_the_caller_is_current_again(
    model: CompiledModel, trees: Trees, card: Emulated
) -> None:
    other = ctypes.c_void_p()
    card.driver.cuDevicePrimaryCtxRetain(ctypes.byref(other), 1)
    card.driver.cuCtxPushCurrent_v2(other)
    try:
        y, _ = model(rows(0), *trees)
        now = ctypes.c_void_p()
        card.driver.cuCtxGetCurrent(ctypes.byref(now))
        assert now.value == other.value
        assert card.driver.emulated_depth() == 1
    finally:
        card.driver.cuCtxPopCurrent_v2(ctypes.byref(other))
    np.testing.assert_array_equal(y, toy_result(*trees, rows(0)))
