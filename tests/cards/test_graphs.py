"""The graph of an arena: made once, and changed where a call differs."""

from typing import Any

import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.runtime import CompiledModel
from lxc.runtime.frame import CALL_WORDS
from tests.cards.toy import Emulated, toy_on_card
from tests.runtime.conftest import toy_result

Trees = tuple[dict[str, Any], dict[str, Any]]


def counters(card: Emulated) -> tuple[int, int, int]:
    names = ("instantiations", "node_updates", "graph_launches")
    first, second, third = (card[name] for name in names)
    return first, second, third


def since(card: Emulated, before: tuple[int, int, int]) -> tuple[int, ...]:
    return tuple(now - then for now, then in zip(counters(card), before, strict=True))


def test_three_calls_change_the_nodes_that_hold_what_is_new(
    model: CompiledModel, trees: Trees, card: Emulated
) -> None:
    """The first kernel holds the input, the second one the output and the state."""
    xs = [model.to_machine(np.full((5, 4), i, np.float32)) for i in range(2)]
    ys = [model.to_machine(np.zeros((5, 4), np.float32)) for _ in range(2)]
    bound = model.bind(*trees)
    state = model.to_machine(trees[1])
    calls = [(xs[0], ys[0]), (xs[1], ys[0]), (xs[1], ys[1]), (xs[0], ys[0])]
    placed = [bound.at(inputs=x, outputs=y, state=state) for x, y in calls]
    tables = [one.frame.words[CALL_WORDS:] for one in placed]
    frame = placed[0].frame  # all with the arena of the first
    frame.turn_to(bound.current.prepared.params, bound.current.prepared.address, 0)
    library = model.engine.library
    expected = [(1, 0, 1), (0, 1, 1), (0, 1, 1), (0, 2, 1), (0, 0, 1)]
    for table, changes in zip([*tables, tables[3]], expected, strict=True):
        before = counters(card)
        frame.fill(table)
        library.check(library.enqueue(frame.pointer, 0))
        assert since(card, before) == changes
    for x, y in zip(xs, ys, strict=True):
        np.testing.assert_array_equal(y, toy_result(*trees, x.numpy()))


def test_another_number_of_rows_changes_the_nodes_and_makes_none(
    model: CompiledModel, trees: Trees, card: Emulated
) -> None:
    for count in (1, 40):
        x = np.ones((count, 4), np.float32)
        before = counters(card)
        y, _ = model(x, *trees)
        assert since(card, before)[0] == (count == 1)
        np.testing.assert_array_equal(y, toy_result(*trees, x))


def test_what_is_in_a_stream_is_not_changed_by_later_calls(
    model: CompiledModel, trees: Trees, card: Emulated
) -> None:
    xs = [model.to_machine(np.full((5, 4), i, np.float32)) for i in range(6)]
    results = [model(x, *trees, out=None)[0] for x in xs]
    for x, y in zip(xs, results, strict=True):
        np.testing.assert_array_equal(y, toy_result(*trees, x.numpy()))


def test_every_arena_has_a_graph_and_the_oldest_one_makes_room(
    model: CompiledModel, trees: Trees, card: Emulated
) -> None:
    bound = model.bind(*trees)
    state = model.to_machine(trees[1])
    x, y = (model.to_machine(np.ones((5, 4), np.float32)) for _ in range(2))
    placed = [bound.at(inputs=x, outputs=y, state=state) for _ in range(65)]
    before = counters(card)
    for one in placed[:64]:
        one()
        one()
    assert since(card, before) == (64, 0, 128)
    before = counters(card)
    placed[0]()
    placed[64]()
    placed[0]()
    placed[1]()  # whose graph made room
    assert since(card, before) == (2, 0, 4)
    np.testing.assert_array_equal(y, toy_result(*trees, np.ones((5, 4))))


@pytest.fixture
def pieces(card: Emulated) -> CompiledModel:
    """Return the model that launches a kernel for every 8 rows, loaded anew."""
    return toy_on_card(entries="pieces")


def test_calls_that_alternate_make_each_graph_once(
    pieces: CompiledModel, trees: Trees, card: Emulated
) -> None:
    before = counters(card)
    for turn in range(3):
        for count in (5 + turn, 40 - turn, 17 + turn):
            x = np.full((count, 4), turn, np.float32)
            y, _ = pieces(x, *trees)
            np.testing.assert_array_equal(y, toy_result(*trees, x))
    made, updated, launched = since(card, before)
    assert (made, launched) == (3, 9)
    assert updated > 0


def test_an_arena_has_four_graphs_and_the_one_unused_longest_makes_room(
    pieces: CompiledModel, trees: Trees, card: Emulated
) -> None:
    def made(count: int) -> int:
        before = counters(card)
        x = np.ones((count, 4), np.float32)
        y, _ = pieces(x, *trees)
        np.testing.assert_array_equal(y, toy_result(*trees, x))
        return since(card, before)[0]

    held = card["graphs"], card["executables"]
    assert [made(count) for count in (1, 9, 17, 25)] == [1, 1, 1, 1]
    assert made(2) == 0  # launches count, not rows
    assert made(33) == 1  # in the place of the graph of 9
    assert [made(count) for count in (3, 18, 26, 34)] == [0, 0, 0, 0]
    assert made(10) == 1
    assert (card["graphs"], card["executables"]) == (held[0] + 4, held[1] + 4)


def test_a_model_that_is_gone_leaves_no_graph_behind(card: Emulated, trees: Trees) -> None:
    held = card["graphs"], card["executables"]
    model = toy_on_card(entries="pieces")
    for count in (1, 9, 17, 25, 33, 41, 2):
        model(np.ones((count, 4), np.float32), *trees)
    assert card["graphs"] > held[0]
    del model
    assert (card["graphs"], card["executables"]) == held


@pytest.mark.parametrize(
    ("function", "is_first"),
    [
        ("cuGraphCreate", True),
        ("cuGraphAddKernelNode_v2", True),
        ("cuGraphInstantiateWithFlags", True),
        ("cuGraphExecKernelNodeSetParams_v2", False),
        ("cuGraphLaunch", False),
    ],
)
def test_a_graph_that_failed_is_made_anew(
    model: CompiledModel, trees: Trees, card: Emulated, function: str, is_first: bool
) -> None:
    x = np.ones((5, 4), np.float32)
    if not is_first:
        model(x, *trees)
    card.fail(function, 700)
    with pytest.raises(LxcError, match=f"{function}: CUDA_ERROR_ILLEGAL_ADDRESS") as error:
        model(np.ones((6, 4), np.float32), *trees)
    assert error.value.code == "LXC-E0510"
    before = counters(card)
    y, _ = model(3 * x, *trees)
    assert since(card, before)[0] == 1
    np.testing.assert_array_equal(y, toy_result(*trees, 3 * x))
