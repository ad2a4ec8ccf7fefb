"""Models that were bound to their params."""

import threading
from typing import Any

import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.runtime import CompiledModel

Toy = Any
Array = np.ndarray[Any, Any]


def rows(count: int) -> Array:
    return np.random.default_rng(1).normal(size=(count, 4)).astype(np.float32)


def scaled(params: Any, factor: float) -> Any:
    layer = {name: leaf * np.float32(factor) for name, leaf in params["layer"].items()}
    return {"layer": layer}


def test_a_bound_model_computes_what_the_model_does(model: CompiledModel, toy: Toy) -> None:
    params, state = toy.trees()
    x = rows(3)
    y, after = model.bind(params, state)(x, state)
    np.testing.assert_array_equal(y, toy.result(params, state, x))
    assert after["count"] == 3


def test_a_bound_model_keeps_a_copy_of_its_params(model: CompiledModel, toy: Toy) -> None:
    params, state = toy.trees()
    params = scaled(params, 1)
    bound, x = model.bind(params, state), rows(2)
    before = toy.result(params, state, x)
    params["layer"]["weight"][:] = 0
    np.testing.assert_array_equal(bound(x, state)[0], before)


def test_a_changed_frozen_leaf_is_refused(model: CompiledModel, toy: Toy) -> None:
    params, state = toy.trees()
    bound = model.bind(params, state)
    state["norm"]["mean"] = state["norm"]["mean"].copy()
    bound(rows(1), state)
    state["norm"]["mean"][0] = 9
    with pytest.raises(LxcError) as caught:
        bound(rows(1), state)
    assert caught.value.code == "LXC-E0507"
    assert caught.value.layer == "norm"


def test_the_state_that_comes_out_goes_in_again(model: CompiledModel, toy: Toy) -> None:
    params, state = toy.trees()
    bound = model.bind(params, state)
    for _ in range(3):
        _, state = bound(rows(2), state)
    assert state["count"] == 6
    assert state["norm"]["training"] is False


def test_swapped_params_take_effect(model: CompiledModel, toy: Toy) -> None:
    params, state = toy.trees()
    bound, x = model.bind(params, state), rows(2)
    other = scaled(params, 3)
    bound.swap(other)
    np.testing.assert_array_equal(bound(x, state)[0], toy.result(other, state, x))


def test_params_that_do_not_fit_are_not_swapped_in(model: CompiledModel, toy: Toy) -> None:
    params, state = toy.trees()
    bound, x = model.bind(params, state), rows(2)
    with pytest.raises(LxcError):
        bound.swap({"layer": {"bias": np.zeros(4, np.float32)}})
    np.testing.assert_array_equal(bound(x, state)[0], toy.result(params, state, x))


def test_every_call_sees_all_of_the_old_or_all_of_the_new_params(
    model: CompiledModel, toy: Toy
) -> None:
    params, state = toy.trees()
    x = rows(2)
    choices = [params, scaled(params, -5)]
    allowed = {toy.result(choice, state, x).tobytes() for choice in choices}
    bound, stop, seen = model.bind(params, state), threading.Event(), set()

    def swap() -> None:
        for turn in range(300):
            bound.swap(choices[turn % 2])
        stop.set()

    swapper = threading.Thread(target=swap)
    swapper.start()
    while not stop.is_set():
        seen.add(bound(x, state)[0].tobytes())
    swapper.join()
    seen.add(bound(x, state)[0].tobytes())
    assert seen <= allowed
    assert len(allowed) == 2


def test_a_placed_call_reads_and_writes_the_same_arrays(
    model: CompiledModel, toy: Toy
) -> None:
    params, state = toy.trees()
    state["count"] = np.array(0, np.int32)
    bound = model.bind(params, state)
    x, y = rows(2), np.zeros((2, 4), np.float32)
    placed = bound.at(inputs=x, outputs=y, state=state)
    placed()
    np.testing.assert_array_equal(y, toy.result(params, state, x))
    x[:] = 1
    placed()
    np.testing.assert_array_equal(y, toy.result(params, state, x))
    assert state["count"] == 4


def test_a_placed_call_follows_a_swap(model: CompiledModel, toy: Toy) -> None:
    params, state = toy.trees()
    state["count"] = np.array(0, np.int32)
    bound = model.bind(params, state)
    x, y = rows(2), np.zeros((2, 4), np.float32)
    placed = bound.at(inputs=x, outputs=y, state=state)
    other = scaled(params, 2)
    bound.swap(other)
    placed()
    np.testing.assert_array_equal(y, toy.result(other, state, x))


@pytest.mark.parametrize("place", ["inputs", "outputs", "state", "no state", "overlap"])
def test_a_placed_call_refuses_arrays_it_cannot_use(
    model: CompiledModel, toy: Toy, place: str
) -> None:
    params, state = toy.trees()
    bound = model.bind(params, state)
    arrays: dict[str, Any] = {
        "inputs": rows(2),
        "outputs": np.zeros((2, 4), np.float32),
        "state": {**state, "count": np.array(0, np.int32)},
    }
    if place == "inputs":
        arrays["inputs"] = np.asfortranarray(rows(2))
    elif place == "outputs":
        arrays["outputs"] = np.zeros((4, 2), np.float32).T
    elif place == "state":
        arrays["state"] = state
    elif place == "no state":
        del arrays["state"]
    else:
        arrays["outputs"] = arrays["inputs"]
    with pytest.raises(LxcError) as caught:
        bound.at(**arrays)()
    assert caught.value.code in ("LXC-E0501", "LXC-E0505", "LXC-E0506")


def test_an_unknown_option_is_refused(model: CompiledModel, toy: Toy) -> None:
    params, state = toy.trees()
    with pytest.raises(LxcError) as caught:
        model.bind(params, state)(rows(1), state, rngs=None)
    assert caught.value.code == "LXC-E0505"
