"""Calls on a card: timed until the card is done, which a driver that is late shows."""

import numpy as np
import pytest

from lxc.benchmarking.model_calls import KINDS, Manner, Ready, contestant_of, waited
from lxc.runtime import CompiledModel
from lxc.runtime.named_trees import flat_names
from lxc.verification.given import Given
from tests.cards.conftest import card as card
from tests.cards.conftest import make_toy as make_toy
from tests.cards.conftest import model as model
from tests.cards.conftest import toy as toy
from tests.cards.conftest import trees as trees
from tests.cards.test_streams import Trees, rows
from tests.cards.toy import memory_of
from tests.runtime.conftest import toy_result


def test_a_call_on_a_card_ends_when_the_card_is_done(
    model: CompiledModel, trees: Trees
) -> None:
    params, state = trees
    x = model.to_machine(rows(1))
    ready = Ready(model, {"x": x}, params, model.to_machine(state))
    timed, results = KINDS["placed"](ready)
    (y,) = results()
    memory_of(x)[...] = rows(2)
    waited(timed, model)
    np.testing.assert_array_equal(memory_of(y), toy_result(*trees, rows(2)))
    memory_of(x)[...] = rows(3)
    timed()
    np.testing.assert_array_equal(memory_of(y), toy_result(*trees, rows(2)))
    waited(timed, model)
    np.testing.assert_array_equal(memory_of(y), toy_result(*trees, rows(3)))


@pytest.mark.parametrize("kind", KINDS)
def test_values_lie_on_the_card_before_anything_is_timed(
    model: CompiledModel, trees: Trees, kind: str
) -> None:
    params, state = (flat_names(tree) for tree in trees)
    stored = {name: np.asarray(one) for name, one in state.items()}
    inputs = {"x": rows(1)}
    given = Given(inputs, params, stored, {}, {})
    one = contestant_of("toy", model, given, Manner(kind, None, 1))
    one.call()
    (y,) = one.outputs().values()
    assert isinstance(y, np.ndarray)
    np.testing.assert_array_equal(y, toy_result(*trees, rows(1)))
