"""Tiles that slide down a plane add what every sum had before, in the same order."""

import pytest

from lxc.ir.machine import Machine
from lxc.targets.kernels.sliding import MOST_ROWS, Sliding

WIDE, NARROW = (
    Machine(f"{registers} registers", lanes, registers, True, 32 << 10, 1 << 20)
    for lanes, registers in ((16, 32), (8, 16))
)
WINDOWS = (
    Sliding(step=1, spread=1, height=3, width=3),
    Sliding(step=2, spread=1, height=3, width=3),
    Sliding(step=1, spread=2, height=3, width=3),
    Sliding(step=1, spread=1, height=5, width=5),
)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("rows", range(1, MOST_ROWS + 1))
def test_every_sum_has_its_terms_in_order(window: Sliding, rows: int) -> None:
    order = window.order(rows)
    for row in range(rows):
        assert [entry for at, entry in order if at == row] == list(range(window.height))
    assert len(order) == rows * window.height


@pytest.mark.parametrize("window", WINDOWS)
def test_a_line_is_done_with_before_the_next_one(window: Sliding) -> None:
    lines = [window.line(*pair) for pair in window.order(MOST_ROWS)]
    assert lines == sorted(lines)


def test_lines_that_rows_share_count_once() -> None:
    one, two, spread, tall = (window.lines(4) for window in WINDOWS)
    assert (one, two, spread, tall) == (6, 9, 8, 8)


def test_tiles_fit_into_registers() -> None:
    for window in WINDOWS:
        for machine in (WIDE, NARROW):
            for rows, vectors in window.shapes(56, 7, machine):
                assert window.registers(rows, vectors, machine) <= machine.registers
    assert WINDOWS[0].shapes(56, 4, WIDE)[0] == (4, 2)


def test_a_window_that_shares_no_line_or_is_too_large_has_no_shape() -> None:
    assert Sliding(step=2, spread=1, height=2, width=2).shapes(8, 2, WIDE) == []
    assert Sliding(step=1, spread=4, height=3, width=3).shapes(8, 2, WIDE) == []
    assert Sliding(step=1, spread=1, height=7, width=7).shapes(8, 2, WIDE) == []
    assert WINDOWS[0].shapes(1, 2, WIDE) == []
