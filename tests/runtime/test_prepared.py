"""When prepared buffers are used again, and when they are made anew."""

from typing import Any

import numpy as np

from lxc.runtime import CompiledModel

Toy = Any
Array = np.ndarray[Any, Any]


def rows(count: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(count, 4)).astype(np.float32)


def test_a_write_to_a_writable_weight_is_seen(model: CompiledModel, toy: Toy) -> None:
    params, state = toy.trees()
    x, weight = rows(2), params["layer"]["weight"].copy()
    params["layer"]["weight"] = weight
    model(x, params, state)
    weight[:] = 7
    np.testing.assert_array_equal(model(x, params, state)[0], toy.result(params, state, x))


def test_a_changed_frozen_leaf_is_seen(model: CompiledModel, toy: Toy) -> None:
    params, state = toy.trees()
    x = rows(2)
    model(x, params, state)
    state["norm"]["mean"] = state["norm"]["mean"] + 1
    np.testing.assert_array_equal(model(x, params, state)[0], toy.result(params, state, x))


def test_read_only_leaves_are_prepared_once(model: CompiledModel, toy: Toy) -> None:
    params, state = toy.trees()
    model(rows(1), params, state)
    first = model.engine.preparer.last
    assert first is not None
    _, after = model(rows(2), params, state)
    model(rows(3), {"layer": dict(params["layer"])}, after)
    assert model.engine.preparer.last is first


def test_a_leaf_made_writable_again_is_prepared_again(
    model: CompiledModel, toy: Toy
) -> None:
    params, state = toy.trees()
    x = rows(2)
    model(x, params, state)
    weight = params["layer"]["weight"]
    weight.flags.writeable = True
    weight[:] = 3
    np.testing.assert_array_equal(model(x, params, state)[0], toy.result(params, state, x))


def test_a_read_only_view_of_a_writable_array_is_prepared_again(
    model: CompiledModel, toy: Toy
) -> None:
    params, state = toy.trees()
    owner = params["layer"]["weight"].copy()
    view = owner[:]
    view.flags.writeable = False
    params["layer"]["weight"] = view
    x = rows(2)
    model(x, params, state)
    owner[:] = 9
    np.testing.assert_array_equal(model(x, params, state)[0], toy.result(params, state, x))
