"""Other params in a bound model: all of them at once, under load, or not at all."""

import gc
import itertools
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn
from lxc.errors import InternalError, LxcError
from lxc.runtime import CompiledModel, prepared
from lxc.runtime.bound import Bound
from lxc.tree import flatten, unflatten

Toy = Any
Array = np.ndarray[Any, Any]
THREADS = 16
SWAPS = 30


def rows(count: int, seed: int = 1) -> Array:
    return np.random.default_rng(seed).normal(size=(count, 4)).astype(np.float32)


def versions_of(params: Any, count: int) -> list[Any]:
    """Return params that differ from each other in every leaf."""
    leaves, structure = flatten(params)
    return [
        unflatten(structure, [leaf + np.float32(turn) for leaf in leaves])
        for turn in range(count)
    ]


def mixed_results(
    bound: Bound, toy: Toy, calls: int, through: str
) -> tuple[list[int], list[str]]:
    """Call from 16 threads while this one swaps; return versions, and wrong results.

    A version's result is that of all its params: `bias` is read where it is, `weight` lies
    doubled in the prepared buffer.
    """
    params, state = toy.trees()
    choices = versions_of(params, 5)
    wrong: list[str] = []
    swaps: list[int] = []
    working = threading.Semaphore(0)

    def work(number: int) -> None:
        x = rows(1 + number, number)
        y = np.empty_like(x)
        allowed = {toy.result(choice, state, x).tobytes() for choice in choices}
        count = {"count": np.array(0, np.int32)}
        placed = bound.at(inputs=x, outputs=y, state={**state, **count})
        for turn in itertools.count():
            if turn >= calls // THREADS and len(swaps) >= SWAPS:
                break
            if through == "placed" and turn % 2:
                placed()
            else:
                y = bound(x, state)[0]
            if y.tobytes() not in allowed:
                wrong.append(f"thread {number}, call {turn}")
            y = placed.written[0]
        working.release()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    done, replaced = 0, None
    while done < THREADS:
        if len(swaps) % 3 == 2 and replaced is not None:
            bound.restore(replaced)
        else:
            replaced = bound.swap(choices[len(swaps) % len(choices)])
        swaps.append(bound.version)
        done += working.acquire(timeout=0.0005)
    for thread in threads:
        thread.join()
    return swaps, wrong


@pytest.mark.parametrize("through", ["calls", "placed"])
@pytest.mark.parametrize(
    "calls", [8_000, pytest.param(100_000, marks=pytest.mark.slow)], ids=str
)
def test_no_call_of_sixteen_threads_sees_parts_of_two_versions(
    model: CompiledModel, toy: Toy, calls: int, through: str
) -> None:
    bound = model.bind(*toy.trees())
    swaps, wrong = mixed_results(bound, toy, calls, through)
    assert wrong == []
    assert len(swaps) >= SWAPS
    assert len(set(swaps)) > SWAPS // 2


def test_a_swap_in_two_steps_would_be_found(
    model: CompiledModel, toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []

    def swap_in_steps(bound: Bound, params: Any) -> None:
        made, current = bound.prepare(params), bound.current.prepared
        kept.append(made)
        current.params = made.params
        time.sleep(0.001)
        current.address = made.address

    monkeypatch.setattr(Bound, "swap", swap_in_steps)
    _, wrong = mixed_results(model.bind(*toy.trees()), toy, 8_000, "calls")
    assert wrong


def net() -> Any:
    """Return a model whose params are read in many ways: folded, packed, flipped, as is."""
    return nn.Chain(
        nn.Embedding(7, 18),
        nn.ReshapeLayer((1, 3, 6)),
        nn.Conv((3, 3), 1, 3, nn.relu, pad=1),
        nn.BatchNorm(3),
        nn.ReshapeLayer((9, 6)),
        nn.WeightNorm(nn.Dense(6, 5), ("weight",), dims=(0,)),
        nn.Recurrence(nn.LSTMCell(5, 4, train_state=True)),
        nn.SkipConnection(nn.Dense(4, 4), np.add),
        nn.Scale(4),
    )


def test_every_single_param_can_be_swapped_by_itself() -> None:
    """The result is the reference's, and another one than before: the param counts."""
    model = net()
    ps, st = lxc.setup(3, model)
    st = lxc.testmode(st)
    x = np.array([0, 6, 2], np.int64)
    m = lxc.compile(model, x, ps, st, target="x86-64-v2")
    bound = m.bind(ps, st)
    leaves, structure = flatten(ps)
    before = bound(x, st)[0]
    for place, name in enumerate(structure.paths()):
        changed = list(leaves)
        drawn = np.random.default_rng(place).uniform(0.6, 1.4, leaves[place].shape)
        changed[place] = (leaves[place] + drawn).astype(np.float32)
        other = unflatten(structure, changed)
        expected = model(x, other, st)[0]
        replaced = bound.swap(other)
        y = bound(x, st)[0]
        np.testing.assert_allclose(y, expected, rtol=2e-5, atol=2e-6, err_msg=name)
        np.testing.assert_array_equal(m(x, other, st)[0], y, err_msg=name)
        assert (y != before).any(), name
        bound.restore(replaced)
        np.testing.assert_array_equal(bound(x, st)[0], before, err_msg=name)
    assert len(leaves) == 16
    assert bound.version == 1


def without_bias(params: Any) -> Any:
    return {"layer": {"weight": params["layer"]["weight"]}}


def with_leaf(params: Any, leaf: Any) -> Any:
    return {"layer": {**params["layer"], "weight": leaf}}


UNFIT: dict[str, Callable[[Any], Any]] = {
    "a leaf is missing": without_bias,
    "a leaf too many": lambda ps: {"layer": {**ps["layer"], "other": np.zeros(4)}},
    "another shape": lambda ps: with_leaf(ps, np.zeros(5, np.float32)),
    "another type": lambda ps: with_leaf(ps, np.zeros(4)),
    "no array": lambda ps: with_leaf(ps, "weights"),
    "no tree": lambda ps: None,
}


@pytest.mark.parametrize("change", UNFIT)
def test_a_swap_that_is_refused_changes_nothing(
    model: CompiledModel, toy: Toy, change: str
) -> None:
    params, state = toy.trees()
    bound, x = model.bind(params, state), rows(2)
    current = bound.current
    with pytest.raises(LxcError) as caught:
        bound.swap(UNFIT[change](params))
    assert caught.value.code == "LXC-E0502"
    assert bound.current is current
    np.testing.assert_array_equal(bound(x, state)[0], toy.result(params, state, x))


@pytest.mark.parametrize("failing", ["memory", "code"])
def test_a_swap_that_fails_on_its_way_changes_nothing(
    model: CompiledModel, toy: Toy, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    params, state = toy.trees()
    bound, x = model.bind(params, state), rows(2)
    current, (other,) = bound.current, versions_of(params, 2)[1:]

    def no_memory(size: int) -> Array:
        raise MemoryError(f"no memory for {size} bytes")

    with monkeypatch.context() as patch:
        if failing == "memory":
            patch.setattr(prepared, "aligned_bytes", no_memory)
        else:
            patch.setattr(model.engine.library, "prepare", lambda _: 3, raising=False)
        with pytest.raises(MemoryError if failing == "memory" else InternalError):
            bound.swap(other)
    assert bound.current is current
    np.testing.assert_array_equal(bound(x, state)[0], toy.result(params, state, x))
    bound.swap(other)
    np.testing.assert_array_equal(bound(x, state)[0], toy.result(other, state, x))


def test_versions_are_numbered_and_come_back(model: CompiledModel, toy: Toy) -> None:
    params, state = toy.trees()
    bound, x = model.bind(params, state), rows(2)
    first, second, third = versions_of(params, 3)
    results = [toy.result(choice, state, x) for choice in (first, second, third)]
    assert bound.version == 1
    one = bound.swap(second)
    assert (one.number, bound.version) == (1, 2)
    two = bound.restore(one)
    assert (two.number, bound.version) == (2, 1)
    np.testing.assert_array_equal(bound(x, state)[0], results[0])
    bound.swap(third)
    assert bound.version == 3
    bound.restore(two)
    assert bound.version == 2
    np.testing.assert_array_equal(bound(x, state)[0], results[1])


def test_what_another_bound_model_replaced_is_refused(
    model: CompiledModel, toy: Toy
) -> None:
    params, state = toy.trees()
    one, other = model.bind(params, state), model.bind(params, state)
    replaced = one.swap(params)
    for version in (replaced, None, params):
        with pytest.raises(LxcError) as caught:
            other.restore(version)  # type: ignore[arg-type]
        assert caught.value.code == "LXC-E0505"
    assert other.version == 1


def test_replaced_params_that_nobody_keeps_are_freed(
    model: CompiledModel, toy: Toy
) -> None:
    params, state = toy.trees()
    bound, other = model.bind(params, state), versions_of(params, 2)[1]
    watched = weakref.ref(bound.current.prepared)
    gc.disable()
    try:
        bound.swap(other)
        bound(rows(1), state)
        assert watched() is None
        watched = weakref.ref(bound.current.prepared)
        kept = bound.swap(params)
        assert watched() is kept.prepared
    finally:
        gc.enable()


@dataclass(frozen=True)
class Outer(nn.Layer):
    """Return the outer product with a table of any length."""

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        return {"table": np.arange(6, dtype=np.float32)}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        return lxc.ops.expand_dims(x, 1) * ps["table"], st


def test_a_placed_call_refuses_params_of_other_lengths() -> None:
    layer = Outer()
    ps, st = lxc.setup(0, layer)
    table = {"table": lxc.TensorSpec((lxc.Dim("V", 1, 10),))}
    m = lxc.compile(layer, lxc.TensorSpec((2,)), table, st, target="x86-64-v2")
    x, y, bound = np.ones(2, np.float32), np.zeros((2, 6), np.float32), m.bind(ps, st)
    placed = bound.at(inputs=x, outputs=y)
    placed()
    short = {"table": np.full(3, 7, np.float32)}
    replaced = bound.swap(short)
    np.testing.assert_array_equal(bound(x, st)[0], np.full((2, 3), 7))
    with pytest.raises(LxcError, match=r"V = 6\s+actual:\s+V = 3") as caught:
        placed()
    assert caught.value.code == "LXC-E0502"
    np.testing.assert_array_equal(y, [ps["table"], ps["table"]])
    bound.swap({"table": np.full(6, 5, np.float32)})
    placed()
    assert (y == 5).all()
    bound.restore(replaced)
    placed()
    np.testing.assert_array_equal(y, [ps["table"], ps["table"]])
