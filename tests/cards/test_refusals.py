"""What a card or its library cannot do is refused, and leaves nothing behind."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.runtime import CompiledModel
from lxc.runtime.cards import library as card_library
from tests.cards.toy import Emulated, leaves_of, toy_on_card
from tests.conftest import Golden
from tests.runtime.conftest import toy_result

Trees = tuple[dict[str, Any], dict[str, Any]]
GOLDEN = Path(__file__).parent.parent / "errors" / "golden"
X = np.ones((5, 4), np.float32)


def test_a_stream_that_is_captured_is_refused(
    model: CompiledModel, trees: Trees, card: Emulated, golden: Golden
) -> None:
    stream, x, state = card.stream(), model.to_machine(X), model.to_machine(trees[1])
    launched = card["graph_launches"]
    with card.having("captures", 1), pytest.raises(LxcError) as error:
        model(x, trees[0], state, stream=stream)
    golden.compare(GOLDEN / "card-stream-is-captured.txt", f"{error.value}\n")
    assert card["graph_launches"] == launched
    y, _ = model(x, trees[0], state, stream=stream)
    np.testing.assert_array_equal(y, toy_result(*trees, X))


@pytest.mark.parametrize("change", [{"version": 2}, {"size": 64}])
def test_a_library_with_another_table_is_refused(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, int], golden: Golden
) -> None:
    class Other(card_library.CardFunctions):
        """A table that says something else of itself."""

        def __getattribute__(self, name: str) -> Any:
            return change[name] if name in change else super().__getattribute__(name)

    monkeypatch.setattr(card_library, "CardFunctions", Other)
    with pytest.raises(LxcError) as error:
        toy_on_card()
    name = f"card-table-of-another-{next(iter(change))}.txt"
    golden.compare(GOLDEN / name, f"{error.value}\n")


def test_a_call_that_fails_leaves_no_copy_under_way(
    model: CompiledModel, trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaves = leaves_of(model)
    model(X, *trees)
    download, done = leaves.download, list[int]()

    def once(array: Any, target: Any, stream: int) -> None:
        if done:
            raise KeyError("the second copy")
        done.append(target.ctypes.data)
        download(array, target, stream)

    monkeypatch.setattr(leaves, "download", once)
    with pytest.raises(KeyError, match="the second copy") as error:
        model(X, *trees)
    del error
    again = leaves.pinned.array(X.shape, X.dtype)
    assert again.ctypes.data == done[0]
    again[:] = 7
    model.engine.library.wait(0)
    assert (again == 7).all()
