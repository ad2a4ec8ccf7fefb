"""Calls of loops that blocks share: on any card, with any batch, and several in flight."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn
from lxc.ir.types import Array
from lxc.runtime import CompiledModel
from lxc.runtime.artifact import read
from lxc.runtime.load import load
from lxc.targets import TARGETS
from lxc.targets.compile import build_artifact
from lxc.targets.cuda import launches
from lxc.targets.cuda.templates.recurrence.forms import loop_form
from tests.cards.emulated import driver
from tests.cards.toy import Emulated
from tests.emulation.machines import cards
from tests.targets.test_recurrent import parameters, tensor_graph
from tests.targets.test_rows import drawn


def leaves(found: Any) -> list[Array]:
    """Return the outputs of a call as arrays."""
    return [np.asarray(one) for one in found[0]]


@dataclass(frozen=True)
class Packed:
    """A model with a loop, its trees, and artifacts with a shared loop and without."""

    trees: tuple[Any, Any]
    shared: bytes
    stepwise: CompiledModel

    def expected(self, x: Array) -> list[Array]:
        """Return what the loop gives whose steps are launches."""
        return leaves(self.stepwise(x, *self.trees))


@pytest.fixture(scope="module")
def packed() -> Iterator[Packed]:
    cell = nn.RNNCell(8, 260)
    model = nn.Recurrence(cell, return_sequence=True)
    ps, st = parameters(model)
    dims = lxc.Dim("N", 1, 400), lxc.Dim("T", 1, 12)
    graph = tensor_graph(model, lxc.TensorSpec((*dims, 8)), ps, st)
    made = []
    with cards(), pytest.MonkeyPatch.context() as patch:
        for choose in (loop_form, lambda _: "not asked for"):
            patch.setattr(launches, "loop_form", choose)
            made.append(build_artifact(graph, [TARGETS["cuda"]], name="recurrent"))
        yield Packed((ps, st), made[0], load(made[1]))


@pytest.mark.parametrize(
    ("fact", "value", "calls"),
    [
        # Rows, steps, and how many launches of blocks that meet there are.
        ("multiprocessors", 132, [(1, 1, 1), (9, 2, 0), (8, 3, 1)]),
        ("multiprocessors", 5, [(8, 3, 1)]),
        ("multiprocessors", 4, [(2, 2, 0)]),
        ("cooperates", 0, [(2, 2, 0)]),
    ],
)
def test_any_batch_length_and_card_have_the_same_bits(
    packed: Packed, fact: str, value: int, calls: list[tuple[int, int, int]]
) -> None:
    card = Emulated(driver())
    (record,) = read(packed.shared).manifest.targets
    assert "scan by 5 blocks" in [one["algorithm"] for one in record.kernels]
    with card.having(fact, value):
        shared = load(packed.shared)
        for rows, length, meeting in calls:
            before = card["meetings"]
            x = drawn(rows, length, 8)
            found = leaves(shared(x, *packed.trees))
            assert card["meetings"] - before == meeting
            for one, other in zip(found, packed.expected(x), strict=True):
                np.testing.assert_array_equal(one, other)


def test_calls_in_flight_meet_at_counters_of_their_own(packed: Packed) -> None:
    """Nothing orders streams, and each has launches of blocks that meet."""
    card, shared = Emulated(driver()), load(packed.shared)
    before = card["meetings"]
    ps, st = map(shared.to_machine, packed.trees)
    inputs = [drawn(rows, 3, 8, seed=rows) for rows in (2, 8, 5, 8)]
    streams = [card.stream(), card.stream()]
    resident = [shared.to_machine(x) for x in inputs]
    found = [
        shared(x, ps, st, stream=streams[number % 2]) for number, x in enumerate(resident)
    ]
    assert card["meetings"] - before == len(inputs)
    # The last one is waited for first.
    results = [leaves(one) for one in reversed(found)]
    for one, x in zip(reversed(results), inputs, strict=True):
        for found_one, other in zip(one, packed.expected(x), strict=True):
            np.testing.assert_array_equal(found_one, other)
