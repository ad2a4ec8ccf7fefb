"""The tiles of a panel fetch every line of the next one."""

from types import SimpleNamespace
from typing import Any

import pytest

from lxc.targets.kernels.ahead import MOST_STREAMS, Ahead
from lxc.targets.tvm_api import array

SIZE, LINE = 4, 16


class Lines:
    """Notes the lines that are fetched instead of writing the code for it."""

    def __init__(self) -> None:
        self.fetched: list[int] = []
        self.prover = SimpleNamespace(simplify=lambda position: position)

    def fetch(self, buffer: Any, position: int) -> None:
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
