"""Sums of products that blocks share: which ones, in what memory, and what is said."""

from itertools import pairwise

import pytest

import lxc
from lxc import nn
from lxc.ir.graph import Graph
from lxc.targets import TARGETS
from lxc.targets.compile import target_program
from lxc.targets.cuda.entry import lower_for_card
from lxc.targets.cuda.templates.products import splits
from lxc.targets.cuda.templates.products.splits import Split
from lxc.targets.cuda.templates.products.tilings import MATRICES, UNITS
from tests.targets.test_recurrent import tensor_graph

CARD = TARGETS["cuda"]


def traced(*widths: int, rows: int | lxc.Dim = 9) -> Graph:
    """Return the graph of layers one behind the other, without memory of parameters."""
    pairs = pairwise(widths)
    model = nn.Chain(*(nn.Dense(one, other) for one, other in pairs))
    params, state = lxc.setup(0, model)
    return tensor_graph(model, lxc.TensorSpec((rows, widths[0])), params, state)


def test_chains_have_the_memory_of_the_largest_once() -> None:
    _, program = target_program(traced(1100, 8, 2000, 24, 1100, 8), CARD)
    lowered = lower_for_card(program, "model", CARD.machine)
    sizes = [one.kernel.workspace_bytes for one in lowered.calls]
    # Each first kernel leaves what the next one reads: 5, 8 and 5 chains of float32.
    assert sizes == [
        *(5 * 9 * 8 * 4,) * 2,
        0,
        *(8 * 9 * 24 * 4,) * 2,
        0,
        *(5 * 9 * 8 * 4,) * 2,
    ]
    assert lowered.arena_bytes == (program.run.arena_bytes or 0) + max(sizes)


def test_explain_says_which_sums_are_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    _, program = target_program(traced(1100, 40, 64), CARD)
    (shared,) = CARD.back_end.decisions(program)
    assert str(shared).startswith("shared   the model %x f32[9, 1100] -> layer_1 dot")
    assert "4 blocks for 2 tiles: 5 chains of each sum take 7200 bytes" in str(shared)
    monkeypatch.setattr(splits, "MOST_PARTIAL_BYTES", 7199)
    (whole,) = CARD.back_end.decisions(program)
    assert str(whole).startswith("whole ")
    calls = lower_for_card(program, "model", CARD.machine).calls
    assert not any(one.kernel.workspace_bytes for one in calls)


@pytest.mark.parametrize(
    ("rows", "columns", "rule"),
    [(9, 8, "2 blocks for 1 tile"), (100, 64, "16 blocks for 8 tiles")],
)
def test_explain_counts_the_blocks_that_are_launched(
    rows: int, columns: int, rule: str
) -> None:
    _, program = target_program(traced(1100, columns, rows=rows), CARD)
    (shared,) = CARD.back_end.decisions(program)
    assert shared.rule == rule
    first = lower_for_card(program, "model", CARD.machine).calls[0].kernel
    assert first.turns == (int(rule.split()[0]) * first.threads,)


def test_explain_names_the_layer_that_a_shared_sum_reads() -> None:
    _, program = target_program(traced(8, 1100, 8), CARD)
    (shared,) = CARD.back_end.decisions(program)
    line = "shared   layer_1 dot_general+add f32[9, 1100] -> layer_2"
    assert str(shared).startswith(line)


def test_explain_counts_the_most_blocks_of_an_open_batch() -> None:
    _, program = target_program(traced(1100, 64, rows=lxc.Dim("N", 1, 100)), CARD)
    (shared,) = CARD.back_end.decisions(program)
    assert shared.rule == "up to 16 blocks for up to 8 tiles"


def test_blocks_of_a_card_are_full_but_have_work() -> None:
    """Of 49 cells by 512 channels of 512 channels and 3x3 taps, for one thing."""
    split = Split(18, 49 * 512, (1, 49, 512))
    # Five times four slices take 18 chains.
    assert (split.rounds_of_part(UNITS[-1]), split.parts(UNITS[-1])) == (1, 5)
    split = Split(9, 49 * 512, (1, 49, 512))
    assert (split.rounds_of_part(MATRICES[-1]), split.parts(MATRICES[-1])) == (1, 9)
    # 88 tiles and three blocks for each make 264.
    split = Split(40, 88 * 1024, (1, 32, 88 * 32))
    assert (split.rounds_of_part(UNITS[-1]), split.parts(UNITS[-1])) == (4, 3)
