"""Two models on one card: one that reads a prompt and one that goes on, in steps."""

from typing import Any

import numpy as np
import pytest

from lxc.runtime import CompiledModel
from lxc.runtime.cards import CardArray
from tests.cards.toy import Emulated, toy_on_card
from tests.runtime.conftest import toy_result

Trees = tuple[dict[str, Any], dict[str, Any]]
PROMPT = np.arange(160, dtype=np.float32).reshape(40, 4)
STEP = np.full((1, 4), 0.5, np.float32)


@pytest.fixture
def step(card: Emulated) -> CompiledModel:
    """Return a second model of the same parameters and state, with launches of its own."""
    return toy_on_card(entries="pieces")


def test_params_that_lie_on_the_card_are_uploaded_for_neither_model(
    model: CompiledModel, step: CompiledModel, trees: Trees, card: Emulated
) -> None:
    params, state = model.to_machine(trees)
    prompt, token = model.to_machine(PROMPT), model.to_machine(STEP)
    before = card["uploads"], card["downloads"]
    _, state = model(prompt, params, state)
    for _ in range(3):
        y, state = step(token, params, state)
    constants = 2  # the one of each model
    assert (card["uploads"], card["downloads"]) == (before[0] + constants, before[1])
    assert isinstance(y, CardArray)
    assert isinstance(state["count"], CardArray)
    assert state["count"].numpy() == 43
    np.testing.assert_array_equal(y, toy_result(*trees, STEP))


def test_each_model_keeps_its_graph_while_they_alternate(
    model: CompiledModel, step: CompiledModel, trees: Trees, card: Emulated
) -> None:
    params, state = model.to_machine(trees)
    prompt, token = model.to_machine(PROMPT), model.to_machine(STEP)
    made, launched = card["instantiations"], card["graph_launches"]
    for _ in range(4):
        y, state = model(prompt, params, state)
        z, state = step(token, params, state)
    assert card["instantiations"] == made + 2
    assert card["graph_launches"] == launched + 8
    assert state["count"].numpy() == 4 * 41
    np.testing.assert_array_equal(y, toy_result(*trees, PROMPT))
    np.testing.assert_array_equal(z, toy_result(*trees, STEP))


def test_streams_of_two_models_wait_for_the_state_that_passes_between_them(
    model: CompiledModel, step: CompiledModel, trees: Trees, card: Emulated
) -> None:
    params, state = model.to_machine(trees)
    prompt, token = model.to_machine(PROMPT), model.to_machine(STEP)
    streams = card.stream(), card.stream()
    for _ in range(3):
        _, state = model(prompt, params, state, stream=streams[0])
        y, state = step(token, params, state, stream=streams[1])
    assert state["count"].numpy() == 3 * 41
    np.testing.assert_array_equal(y, toy_result(*trees, STEP))


def test_a_bound_step_goes_on_where_the_other_model_ended(
    model: CompiledModel, step: CompiledModel, trees: Trees, card: Emulated
) -> None:
    params, state = model.to_machine(trees)
    token, y = step.to_machine(STEP), step.to_machine(np.zeros((1, 4), np.float32))
    _, state = model(model.to_machine(PROMPT), params, state)
    placed = step.bind(params, state).at(inputs=token, outputs=y, state=state)
    placed()
    before = card["node_updates"], card["uploads"], card["instantiations"]
    placed()
    placed()
    assert (card["node_updates"], card["uploads"], card["instantiations"]) == before
    assert state["count"].numpy() == 43
    np.testing.assert_array_equal(y, toy_result(*trees, STEP))


def test_arrays_outlive_the_model_that_made_them(
    step: CompiledModel, trees: Trees, card: Emulated
) -> None:
    model = toy_on_card()
    params, state = model.to_machine(trees)
    _, state = model(model.to_machine(PROMPT), params, state)
    del model
    y, state = step(step.to_machine(STEP), params, state)
    assert state["count"].numpy() == 41
    np.testing.assert_array_equal(y, toy_result(*trees, STEP))
