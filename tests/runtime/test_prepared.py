"""When prepared buffers are used again, and when they are made anew."""

from typing import Any

import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.runtime import CompiledModel, artifact, engine

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


def test_shapes_are_solved_once_for_one_prepared_buffer(
    model: CompiledModel, toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    params, state = toy.trees()
    monkeypatch.setattr(engine, "MOST_PLANS", 3)
    for count in (1, 2, 1, 2, 3, 4, 1, 4):
        x = rows(count, seed=count)
        y, _ = model(x, params, state)
        np.testing.assert_array_equal(y, toy.result(params, state, x))
    last = model.engine.preparer.last
    assert last is not None
    assert sorted(plan.dims for plan in last.plans.values()) == [(1,), (4,)]


def test_a_frame_of_other_params_is_turned_to_those_of_the_call(
    model: CompiledModel, toy: Toy
) -> None:
    params, state = toy.trees()
    doubled = {"layer": {name: leaf * 2 for name, leaf in params["layer"].items()}}
    x = rows(2)
    for one in (params, doubled, params, doubled):
        for threads in (1, 2):
            y, _ = model(x, one, state, threads=threads)
            np.testing.assert_array_equal(y, toy.result(one, state, x))
    assert len(model.engine.frames.free) == 1


def test_constants_are_read_when_they_are_first_needed(toy: Toy) -> None:
    opened = artifact.read(toy.encode())
    model = CompiledModel(opened)
    assert "data.safetensors" not in opened.verified
    model(rows(1), *toy.trees())
    assert "data.safetensors" in opened.verified


def test_damaged_constants_are_refused_by_the_first_call(toy: Toy) -> None:
    encoded = toy.encode()
    ones = np.ones(4, np.float32).tobytes()
    assert encoded.count(ones) == 1
    damaged = encoded.replace(ones, np.zeros(4, np.float32).tobytes())
    model = CompiledModel(artifact.read(damaged))
    with pytest.raises(LxcError) as caught:
        model(rows(1), *toy.trees())
    assert caught.value.code == "LXC-E0404"
