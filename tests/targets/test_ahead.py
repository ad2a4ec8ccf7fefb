"""The tiles of a panel fetch every line of the next one."""

from types import SimpleNamespace
from typing import Any

import pytest

from lxc.targets.kernels.ahead import MOST_STREAMS, Ahead, Cells
from lxc.targets.kernels.tile_steps import most_steps
from lxc.targets.tvm_api import array

SIZE, LINE = 4, 16


class Lines:
    """Notes the lines that are fetched instead of writing the code for it."""

    def __init__(self) -> None:
        self.fetched: list[int] = []
        self.prover = SimpleNamespace(simplify=lambda position: position)

    def fetch(self, buffer: Any, position: int, *, nearest: bool = False) -> None:
        self.fetched.append(position // LINE)

    def name(self, value: Any, extent: int) -> int:
        return int(value)


@pytest.mark.parametrize(
    ("steps", "turns", "streams"),
    [(144, 2, 8), (128, 3, 6), (144, 3, 1), (1024, 4, 1), (64, 1, 6)],
)
def test_no_line_of_the_next_panel_is_left_out(
    steps: int, turns: int, streams: int
) -> None:
    panel = 36864
    ahead = Ahead.of(array("w", "float32", 4 * panel), 4 * panel, SIZE, panel, steps, turns)
    assert ahead is not None
    lines = Lines()
    for turn in range(turns):
        part: Any = ahead.named(lines, panel, turn)  # type: ignore[arg-type]
        for step in range(steps):
            part.write(lines, (steps,), (step,))
    assert part.streams == streams <= MOST_STREAMS
    assert set(lines.fetched) >= set(range(panel // LINE, 2 * panel // LINE))


@pytest.mark.parametrize(("rows", "lanes"), [(16, 16), (13, 16), (6, 8), (5, 4)])
def test_a_tile_fetches_every_line_of_the_next_cells_once(rows: int, lanes: int) -> None:
    blocks, cells = 3, 64
    lines: Any = Lines()

    def place(deep: Any) -> int:
        return int((deep[0] * cells + 2 * rows) * lanes)

    count = -(-rows * lanes // LINE)
    following = Cells(array("x", "float32", 4096), LINE, count, place)
    for block in range(blocks):
        for lane in range(lanes):
            following.write(lines, (blocks, lanes), (block, lane))
    expected = {
        (place((block,)) + position) // LINE
        for block in range(blocks)
        for position in range(0, rows * lanes, LINE)
    }
    assert set(lines.fetched) >= expected
    assert len(lines.fetched) == blocks * count


def steps_of(taps: int, sums: int, registers: int, *, overlapping: bool) -> int:
    anchor: Any = SimpleNamespace(depth=(3, taps), overlapping=overlapping)
    return most_steps(anchor, sums, registers)


def test_the_taps_of_overlapping_rows_stand_together_where_registers_are_enough() -> None:
    assert steps_of(3, 16, 32, overlapping=True) == 3
    assert steps_of(3, 16, 32, overlapping=False) == 1
    assert steps_of(3, 10, 16, overlapping=True) == 1
    assert steps_of(7, 14, 32, overlapping=True) == 1
