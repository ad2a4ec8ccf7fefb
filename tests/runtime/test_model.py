"""Calls of a compiled model from Python."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.runtime import CompiledModel, artifact, load
from lxc.runtime.frame import Frames, Sizes

Toy = Any
Array = np.ndarray[Any, Any]


def rows(count: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(count, 4)).astype(np.float32)


def code_of(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(LxcError) as caught:
        call()
    return caught.value.code, str(caught.value)


def test_a_call_returns_outputs_and_new_state(model: CompiledModel, toy: Toy) -> None:
    params, state = toy.trees()
    x = rows(3)
    y, after = model(x, params, state)
    np.testing.assert_array_equal(y, toy.result(params, state, x))
    assert after["count"] == 3
    assert after["norm"]["training"] is False
    assert after["norm"]["mean"] is state["norm"]["mean"]
    assert state["count"] == 0
    y, after = model(x, params, after)
    assert after["count"] == 6


def test_state_out_has_the_structure_of_state_in(model: CompiledModel, toy: Toy) -> None:
    params, state = toy.trees()
    _, after = model(rows(1), params, state)
    assert list(after) == list(state)
    assert list(after["norm"]) == list(state["norm"])


def test_a_dict_in_another_order_is_the_same_tree(model: CompiledModel, toy: Toy) -> None:
    params, state = toy.trees()
    x = rows(2)
    y, _ = model(x, params, state)
    turned = {"layer": dict(reversed(params["layer"].items()))}
    np.testing.assert_array_equal(model(x, turned, dict(reversed(state.items())))[0], y)


@pytest.mark.parametrize("count", [1, 2, 63, 64])
def test_every_size_within_the_bounds_runs(
    model: CompiledModel, toy: Toy, count: int
) -> None:
    params, state = toy.trees()
    x = rows(count)
    np.testing.assert_array_equal(model(x, params, state)[0], toy.result(params, state, x))


@pytest.mark.parametrize("count", [0, 65])
def test_a_size_beyond_the_bounds_names_the_dimension(
    model: CompiledModel, toy: Toy, count: int
) -> None:
    code, text = code_of(lambda: model(rows(count), *toy.trees()))
    assert code == "LXC-E0503"
    assert "N from 1 to 64" in text
    assert f"N = {count}" in text


@pytest.mark.parametrize(
    ("x", "shown"),
    [
        (np.zeros((2, 4)), "x: float64[2, 4]"),
        (np.zeros((2, 4), ">f4"), "byte-swapped float32[2, 4]"),
        (np.zeros((2, 5), np.float32), "where 4 is 4"),
        (np.zeros(4, np.float32), "x: float32[4]"),
        ([1.0], "x is missing"),
        (None, "x is missing"),
    ],
)
def test_an_input_that_does_not_fit_is_named(
    model: CompiledModel, toy: Toy, x: Any, shown: str
) -> None:
    code, text = code_of(lambda: model(x, *toy.trees()))
    assert code == "LXC-E0501"
    assert shown in text


def test_all_leaves_that_do_not_fit_are_named(model: CompiledModel, toy: Toy) -> None:
    _, state = toy.trees()
    wrong = {"layer": {"bias": np.zeros(3, np.float32), "weight": np.zeros(4)}}
    code, text = code_of(lambda: model(rows(1), wrong, state))
    assert code == "LXC-E0502"
    assert "layer.bias: float32[3]" in text
    assert "layer.weight: float64[4]" in text


def test_missing_and_superfluous_leaves_are_named(model: CompiledModel, toy: Toy) -> None:
    params, state = toy.trees()
    wrong = {"layer": {"bias": params["layer"]["bias"], "scale": params["layer"]["weight"]}}
    code, text = code_of(lambda: model(rows(1), wrong, state))
    assert code == "LXC-E0502"
    assert "layer.weight is missing" in text
    assert "layer.scale is not expected" in text


def test_another_setting_in_the_state_names_layer_and_flag(
    model: CompiledModel, toy: Toy
) -> None:
    params, state = toy.trees()
    state["norm"]["training"] = True
    code, text = code_of(lambda: model(rows(1), params, state))
    assert code == "LXC-E0504"
    assert "layer:    norm" in text
    assert "--mode" in text


def test_outputs_go_where_the_caller_wants_them(model: CompiledModel, toy: Toy) -> None:
    params, state = toy.trees()
    x, out = rows(2), np.zeros((2, 4), np.float32)
    y, _ = model(x, params, state, out=out)
    assert y is out
    np.testing.assert_array_equal(out, toy.result(params, state, x))


@pytest.mark.parametrize(
    "out",
    [
        np.zeros((3, 4), np.float32),
        np.zeros((2, 4)),
        np.zeros((4, 2), np.float32).T,
        np.zeros((2, 8), np.float32)[:, ::2],
    ],
)
def test_an_output_array_must_fit_exactly(
    model: CompiledModel, toy: Toy, out: Array
) -> None:
    code, _ = code_of(lambda: model(rows(2), *toy.trees(), out=out))
    assert code == "LXC-E0506"


def test_a_read_only_output_is_refused(model: CompiledModel, toy: Toy) -> None:
    out = np.zeros((2, 4), np.float32)
    out.flags.writeable = False
    assert code_of(lambda: model(rows(2), *toy.trees(), out=out))[0] == "LXC-E0506"


def test_an_output_on_top_of_an_input_is_refused(model: CompiledModel, toy: Toy) -> None:
    memory = np.zeros((3, 4), np.float32)
    code, text = code_of(lambda: model(memory[:2], *toy.trees(), out=memory[1:]))
    assert code == "LXC-E0506"
    assert "output y" in text
    assert "input x" in text


def test_an_input_in_another_layout_is_copied(model: CompiledModel, toy: Toy) -> None:
    params, state = toy.trees()
    x = np.asfortranarray(rows(5))
    np.testing.assert_array_equal(model(x, params, state)[0], toy.result(params, state, x))


def test_an_input_off_its_alignment_is_copied(model: CompiledModel, toy: Toy) -> None:
    params, state = toy.trees()
    x = np.zeros(33, np.uint8)[1:].view(np.float32).reshape(2, 4)
    assert not x.flags.aligned
    np.testing.assert_array_equal(model(x, params, state)[0], toy.result(params, state, x))


class Foreign:
    """An array of another library."""

    def __init__(self, array: Array) -> None:
        self.array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


def test_arrays_of_other_libraries_are_read_in_place(
    model: CompiledModel, toy: Toy
) -> None:
    params, state = toy.trees()
    x = rows(2)
    slot = model.engine.inputs.slots[0]
    assert np.shares_memory(slot.accept(Foreign(x)), x)
    np.testing.assert_array_equal(
        model(Foreign(x), params, state)[0], toy.result(params, state, x)
    )


def test_a_failure_of_compiled_code_is_an_error_and_the_model_lives(
    model: CompiledModel, toy: Toy
) -> None:
    params, state = toy.trees()
    x = np.full((2, 4), -1, np.float32)
    assert code_of(lambda: model(x, params, state))[0] == "LXC-E0508"
    x = rows(2)
    np.testing.assert_array_equal(model(x, params, state)[0], toy.result(params, state, x))


@pytest.mark.parametrize(
    ("trees", "options", "words"),
    [
        (0, {}, "gets no params"),
        (1, {}, "gets no state"),
        (3, {}, "too many arguments"),
        (2, {"state": {}}, "gets state twice"),
        (2, {"foo": 1}, "does not take foo="),
        (2, {"rngs": None}, "does not take rngs="),
    ],
)
def test_a_call_with_other_arguments_is_refused(
    model: CompiledModel, toy: Toy, trees: int, options: Any, words: str
) -> None:
    given = [*toy.trees(), {}][:trees]
    code, text = code_of(lambda: model(rows(1), *given, **options))
    assert code == "LXC-E0505"
    assert words in text
    assert "m(x, params, state)" in text


def test_trees_may_be_given_by_name(model: CompiledModel, toy: Toy) -> None:
    params, state = toy.trees()
    y, _ = model(rows(2), state=state, params=params, threads=1)
    np.testing.assert_array_equal(y, toy.result(params, state, rows(2)))


def test_want_of_memory_says_how_much_a_call_needs() -> None:
    frames = Frames(Sizes(inputs=1, state=0, outputs=1, dims=0, arena=1 << 60), 0)
    with pytest.raises(MemoryError, match=f"needs {1 << 60} bytes") as caught:
        frames.take()
    assert caught.value.__suppress_context__
    assert not isinstance(caught.value.__context__, IndexError)


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2"])
def test_threads_must_be_a_positive_number(
    model: CompiledModel, toy: Toy, threads: Any
) -> None:
    assert code_of(lambda: model(rows(1), *toy.trees(), threads=threads))[0] == "LXC-E0505"


def test_threads_do_not_change_a_bit(model: CompiledModel, toy: Toy) -> None:
    params, state = toy.trees()
    x = rows(64)
    y, _ = model(x, params, state, threads=1)
    for threads in (2, 3, 8, None):
        assert model(x, params, state, threads=threads)[0].tobytes() == y.tobytes()


def test_saved_trees_come_back_read_only(
    model: CompiledModel, toy: Toy, tmp_path: Path
) -> None:
    params, state = toy.trees()
    path = tmp_path / "saved.lxc"
    model.save(path, params=params, state=state)
    again = load(path)
    x = rows(3)
    y, _ = again(x, again.params, again.state)
    np.testing.assert_array_equal(y, toy.result(params, state, x))
    assert again.state["norm"]["training"] is False
    assert not again.params["layer"]["weight"].flags.writeable
    again(x, again.params, again.state)
    first = again.engine.preparer.last
    again(x, again.params, again.state)
    assert first is not None
    assert again.engine.preparer.last is first


def test_saving_params_that_do_not_fit_leaves_no_file(
    model: CompiledModel, tmp_path: Path
) -> None:
    path = tmp_path / "saved.lxc"
    code, _ = code_of(lambda: model.save(path, params={"layer": {}}))
    assert code == "LXC-E0502"
    assert not list(tmp_path.iterdir())


def test_params_that_were_not_saved_are_a_coded_error(model: CompiledModel) -> None:
    assert code_of(lambda: model.params)[0] == "LXC-E0410"


def test_an_unknown_target_is_a_coded_error(toy: Toy) -> None:
    assert code_of(lambda: toy.model(target="there"))[0] == "LXC-E0410"


def test_loading_wants_the_digest_that_was_asked_for(toy_path: Path) -> None:
    digest = artifact.read(toy_path).sha256
    assert load(toy_path, require_sha256=digest.upper()).target.name == "here"
    wrong = "0" * 64
    assert code_of(lambda: load(toy_path, require_sha256=wrong))[0] == "LXC-E0404"


def test_errors_can_be_pickled_with_their_text() -> None:
    error = LxcError("LXC-E0501", "the input x does not fit")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
