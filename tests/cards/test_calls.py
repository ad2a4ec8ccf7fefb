"""Calls on a card: the same answers, and everything stays where it is."""

import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.runtime import CompiledModel
from lxc.runtime.cards import CardArray
from lxc.runtime.signature import Group, Leaf
from tests.cards.toy import Emulated, leaves_of, memory_of, toy_on_card
from tests.runtime.conftest import toy_result
from tests.targets.toy import toy_signature

Trees = tuple[dict[str, Any], dict[str, Any]]
Array = np.ndarray[Any, Any]


def rows(count: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(count, 4)).astype(np.float32)


def test_arrays_of_the_host_go_there_and_back(model: CompiledModel, trees: Trees) -> None:
    params, state = trees
    for count in (1, 33, 64):
        y, after = model(rows(count), params, state)
        np.testing.assert_array_equal(y, toy_result(params, state, rows(count)))
        assert (type(y), after["count"].item()) == (np.ndarray, count)


def test_params_are_prepared_on_the_card_once(
    model: CompiledModel, trees: Trees, card: Emulated
) -> None:
    params, state = trees
    model(rows(2), params, state)
    before = card["uploads"]
    for _ in range(3):
        model(rows(2), params, state)
    assert card["uploads"] == before + 3 * 2  # x and count; count is not frozen


def test_a_param_that_was_written_to_is_read_again(
    model: CompiledModel, trees: Trees
) -> None:
    params, state = trees
    bias = np.zeros(4, np.float32)
    params = {"layer": {**params["layer"], "bias": bias}}
    first, _ = model(rows(2), params, state)
    bias += 1
    second, _ = model(rows(2), params, state)
    np.testing.assert_array_equal(second, first + 1)


def test_what_lies_on_the_card_stays_there(
    model: CompiledModel, trees: Trees, card: Emulated
) -> None:
    params, state = trees
    x = model.to_machine(rows(5))
    resident = model.to_machine(state)
    assert isinstance(x, CardArray)
    assert resident["norm"]["training"] is False
    y, after = model(x, params, resident)
    before = card["uploads"], card["downloads"]
    for _ in range(4):
        y, after = model(x, params, after)
    assert (card["uploads"], card["downloads"]) == before
    assert isinstance(y, CardArray)
    assert after["count"].numpy() == 25
    np.testing.assert_array_equal(y, toy_result(params, state, rows(5)))


def test_each_part_comes_back_where_it_came_from(
    model: CompiledModel, trees: Trees
) -> None:
    params, state = trees
    y, after = model(rows(5), params, model.to_machine(state))
    assert (type(y), type(after["count"])) == (np.ndarray, CardArray)
    y, after = model(model.to_machine(rows(5)), params, state)
    assert (type(y), type(after["count"])) == (CardArray, np.ndarray)


def test_memory_on_the_card_is_used_again(
    model: CompiledModel, trees: Trees, card: Emulated
) -> None:
    params, state = trees
    x = model.to_machine(rows(5))
    for _ in range(2):
        model(x, params, state)
    before = card["bytes_in_use"]
    for _ in range(20):
        model(x, params, state)
    assert card["bytes_in_use"] == before


def test_a_model_that_is_gone_leaves_no_memory_behind(card: Emulated, trees: Trees) -> None:
    params, state = trees
    names = "bytes_in_use", "events", "modules"
    before = [card[name] for name in names]
    model = toy_on_card()
    y, _ = model(model.to_machine(rows(5)), params, state, stream=card.stream())
    assert card["bytes_in_use"] > before[0]
    del model
    np.testing.assert_array_equal(y, toy_result(params, state, rows(5)))
    del y
    assert [card[name] for name in names] == before


@pytest.mark.parametrize("lies_there", [False, True])
def test_outputs_go_to_arrays_of_the_caller(
    model: CompiledModel, trees: Trees, lies_there: bool
) -> None:
    params, state = trees
    target: Any = np.zeros((5, 4), np.float32)
    target = model.to_machine(target) if lies_there else target
    y, _ = model(rows(5), params, state, out=target)
    assert y is target
    np.testing.assert_array_equal(target, toy_result(params, state, rows(5)))


@pytest.mark.parametrize("lies_there", [False, True])
def test_an_array_for_an_output_must_fit(
    model: CompiledModel, trees: Trees, lies_there: bool
) -> None:
    wrong: Any = np.zeros((6, 4), np.float32)
    wrong = model.to_machine(wrong) if lies_there else wrong
    with pytest.raises(LxcError) as error:
        model(rows(5), *trees, out=wrong)
    assert error.value.code == "LXC-E0506"


def test_a_leaf_on_the_card_that_does_not_fit_is_named(
    model: CompiledModel, trees: Trees
) -> None:
    params, state = trees
    with pytest.raises(LxcError) as error:
        model(model.to_machine(np.zeros((5, 4), np.float64)), params, state)
    assert (error.value.code, error.value.actual) == ("LXC-E0501", "x: float64[5, 4]")
    bias = model.to_machine(np.zeros(5, np.float32))
    weight = model.to_machine(np.zeros((2, 2), np.float32))
    with pytest.raises(LxcError, match="2 parameters do not fit"):
        model(rows(5), {"layer": {"bias": bias, "weight": weight}}, state)


def test_a_failure_of_the_entry_leaves_the_model_usable(
    model: CompiledModel, trees: Trees
) -> None:
    with pytest.raises(LxcError, match="the entry failed with 0 and 3"):
        model(rows(63), *trees)
    y, _ = model(rows(5), *trees)
    np.testing.assert_array_equal(y, toy_result(*trees, rows(5)))


def test_a_bound_model_keeps_its_params_on_the_card(
    model: CompiledModel, trees: Trees, card: Emulated
) -> None:
    params, state = trees
    resident = model.to_machine(params)
    bound = model.bind(resident, state)
    expected = toy_result(params, state, rows(5))
    before = card["uploads"]
    for _ in range(3):
        y, _ = bound(rows(5), state)
        np.testing.assert_array_equal(y, expected)
    assert card["uploads"] == before + 3 * 2
    memory_of(resident["layer"]["bias"])[:] = 7  # the caller's array, not the bound copy
    np.testing.assert_array_equal(bound(rows(5), state)[0], expected)
    with pytest.raises(LxcError) as error:
        bound(rows(5), {**state, "norm": {"mean": np.ones(4, "f"), "training": False}})
    assert error.value.code == "LXC-E0507"


def test_a_placed_call_changes_no_node_of_its_graph(
    model: CompiledModel, trees: Trees, card: Emulated
) -> None:
    params, state = trees
    bound = model.bind(params, state)
    x, y = model.to_machine(rows(5)), model.to_machine(np.zeros((5, 4), np.float32))
    resident = model.to_machine(state)
    for stream in (None, card.stream()):
        placed = bound.at(inputs=x, outputs=y, state=resident, stream=stream)
        placed()
        before = card["node_updates"], card["instantiations"], card["uploads"]
        placed()
        assert (card["node_updates"], card["instantiations"], card["uploads"]) == before
        if stream is not None:
            model.engine.library.wait(stream)
        np.testing.assert_array_equal(y, toy_result(params, state, rows(5)))
    assert resident["count"].numpy() == 20


def test_a_placed_call_takes_arrays_on_the_card_only(
    model: CompiledModel, trees: Trees
) -> None:
    bound = model.bind(*trees)
    x, y = rows(5), model.to_machine(np.zeros((5, 4), np.float32))
    with pytest.raises(LxcError, match="would have to be copied"):
        bound.at(inputs=x, outputs=y, state=model.to_machine(trees[1]))
    state = model.to_machine(trees[1])
    there = model.to_machine(x)
    with pytest.raises(LxcError) as error:
        bound.at(inputs=there, outputs=x.copy(), state=state)
    assert error.value.code == "LXC-E0506"


def test_results_of_the_host_are_pinned_up_to_a_limit(
    model: CompiledModel, trees: Trees
) -> None:
    pinned = leaves_of(model).pinned
    kept = [model(rows(64), *trees)[0] for _ in range(4)]
    used = pinned.taken
    pinned.MOST = used
    kept.append(model(rows(64), *trees)[0])
    assert pinned.taken == used
    for y in kept:
        np.testing.assert_array_equal(y, toy_result(*trees, rows(64)))
    del kept, y
    model(rows(64), *trees)
    assert pinned.taken == used


def test_indices_on_the_card_are_looked_at(card: Emulated, trees: Trees) -> None:
    signature = toy_signature()
    leaf = Leaf("x", "int32", ("N", 4), below=7)
    ids = replace(signature, inputs=Group(signature.inputs.tree, (leaf,)))
    model = toy_on_card(ids)
    good = model.to_machine(np.full((2, 4), 6, np.int32))
    model(good, *trees)
    with pytest.raises(LxcError, match="an index outside of its table"):
        model(model.to_machine(np.full((2, 4), 7, np.int32)), *trees)
    bound = model.bind(*trees)
    y, state = model.to_machine(np.zeros((2, 4), np.float32)), model.to_machine(trees[1])
    placed = bound.at(inputs=good, outputs=y, state=state)
    placed()
    memory_of(good)[:] = -1
    with pytest.raises(LxcError, match="an index outside of its table"):
        placed()


def test_eight_threads_get_the_results_of_one(
    model: CompiledModel, trees: Trees, card: Emulated
) -> None:
    params, state = trees
    streams = [None, *(card.stream() for _ in range(3))]
    wrong: list[str] = []

    def work(number: int) -> None:
        inputs = [rows(1 + (number * 5 + i) % 60, number * 10 + i) for i in range(4)]
        resident = [model.to_machine(x) for x in inputs]
        expected = [toy_result(params, state, x) for x in inputs]
        for turn in range(60):
            which = turn % 4
            x = (inputs if turn % 3 else resident)[which]
            y, after = model(x, params, state, stream=streams[(number + turn) % 4])
            if not np.array_equal(y, expected[which]):
                wrong.append(f"thread {number}, turn {turn}")
            if after["count"] != len(inputs[which]):
                wrong.append(f"thread {number}, turn {turn}: count")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
