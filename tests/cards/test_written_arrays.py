"""Arrays on the card that are written to: by calls that give them, or by nobody at all."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.runtime import CompiledModel
from lxc.runtime.cards import CardArray, dlpack
from tests.cards.toy import Emulated
from tests.conftest import Golden
from tests.runtime.conftest import toy_result

Trees = tuple[dict[str, Any], dict[str, Any]]
GOLDEN = Path(__file__).parent.parent / "errors" / "golden"
X = np.arange(4, dtype=np.float32).reshape(1, 4)


def with_weight(trees: Trees, weight: Any) -> dict[str, Any]:
    return {"layer": {**trees[0]["layer"], "weight": weight}}


def weight_as_row(model: CompiledModel) -> tuple[CardArray, CardArray]:
    """Return a param on the card, and its memory as a row that a call can write."""
    weight = model.to_machine(np.zeros(4, np.float32))
    row = CardArray(weight.store, weight.owner, weight.address, (1, 4), weight.dtype)
    return weight, row


def test_a_param_that_a_call_wrote_to_is_prepared_again(
    model: CompiledModel, trees: Trees
) -> None:
    weight, row = weight_as_row(model)
    mine, bound = with_weight(trees, weight), model.bind(*trees)
    for turn in range(3):
        before = with_weight(trees, weight.numpy())
        np.testing.assert_array_equal(
            model(X, mine, trees[1])[0], toy_result(before, trees[1], X)
        )
        bound(X + turn, trees[1], out=row)
        assert (weight.numpy() != before["layer"]["weight"]).any()


def test_a_param_that_a_placed_call_writes_is_prepared_for_every_call(
    model: CompiledModel, trees: Trees
) -> None:
    weight, row = weight_as_row(model)
    x, state = model.to_machine(X), model.to_machine(trees[1])
    bound = model.bind(*trees)
    placed = bound.at(inputs=x, outputs=row, state=state)
    mine = with_weight(trees, weight)
    for _ in range(2):
        model(X, mine, trees[1])
        bound(X + 1, trees[1], out=x)
        placed()
        now = with_weight(trees, weight.numpy())
        np.testing.assert_array_equal(
            model(X, mine, trees[1])[0], toy_result(now, trees[1], X)
        )


def test_a_param_that_nobody_writes_is_prepared_once(
    model: CompiledModel, trees: Trees, card: Emulated
) -> None:
    mine, state = model.to_machine(trees[0]), model.to_machine(trees[1])
    x = model.to_machine(X)
    model(x, mine, state)
    engine: Any = model.engine
    last = engine.preparer.last
    for _ in range(2):
        model(x, mine, state)
        assert engine.preparer.last is last is not None


class ReadOnly:
    """An array of another library on the card that says it is read-only."""

    def __init__(self, array: CardArray) -> None:
        self.array = array

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()

    def __dlpack__(self, **asked: Any) -> Any:
        capsule = self.array.__dlpack__(**asked)
        dlpack.struct_in(capsule).flags |= dlpack.READ_ONLY
        return capsule


class Described:
    """One that says so in the interface of Numba."""

    def __init__(self, array: CardArray) -> None:
        described, self.array = array.__cuda_array_interface__, array
        self.__cuda_array_interface__ = {**described, "data": (array.address, True)}


@pytest.mark.parametrize("kind", [ReadOnly, Described])
def test_an_array_that_is_read_only_is_read_and_not_written(
    model: CompiledModel, trees: Trees, kind: Callable[[CardArray], Any], golden: Golden
) -> None:
    given = kind(model.to_machine(X))
    y, _ = model(given, *trees)
    np.testing.assert_array_equal(y, toy_result(*trees, X))
    with pytest.raises(LxcError) as error:
        model(X, *trees, out=given)
    golden.compare(GOLDEN / "card-array-is-read-only.txt", f"{error.value}\n")
