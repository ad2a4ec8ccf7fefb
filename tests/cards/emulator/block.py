"""The threads of one block, which execute a kernel statement by statement together."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.cards.emulator.accesses import WARP, Numbers, Who
from tests.cards.emulator.faults import Fault


class Block:
    """Which threads are active, what the variables of all hold, how many barriers passed.

    A number has one row per thread, or a single row where all have the same; its columns
    are the lanes of a vector.
    """

    def __init__(self, number: int, threads: int) -> None:
        if threads % WARP:
            raise ValueError(f"{threads} threads are no whole warps")
        self.number, self.threads = number, threads
        self.values: dict[int, Any] = {}
        self.rows: Numbers = np.arange(threads)
        self.phase = self.grid_phase = 0
        self.warp_phases = np.zeros(threads // WARP, dtype=np.int64)

    @contextmanager
    def only(self, condition: NDArray[np.bool_]) -> Iterator[bool]:
        """Leave those threads active for which a condition holds; yields whether any is."""
        before = self.rows
        if len(condition) > 1:
            self.rows = before[condition[before, 0]]
        elif not condition[0, 0]:
            self.rows = before[:0]
        try:
            yield self.rows.size > 0
        finally:
            self.rows = before

    def who(self, threads: Numbers) -> Who:
        """Return threads as those that access memory now."""
        warps = self.warp_phases[threads // WARP]
        return Who(self.number, self.phase, threads, warps, self.grid_phase)

    def meet(self, name: str) -> None:
        """Pass a barrier of all threads."""
        if self.rows.size != self.threads:
            missing = np.setdiff1d(np.arange(self.threads), self.rows)
            raise Fault("divergence", f"thread {missing[0]} does not come to {name}")
        self.phase += 1

    def meet_blocks(self, name: str, wait: Callable[[], None]) -> None:
        """Pass a barrier of all blocks, which `wait` for each other."""
        self.meet(name)
        wait()
        self.grid_phase += 1

    def warps(self, name: str) -> list[Numbers]:
        """Return the threads of each active warp; all of its lanes must be active."""
        numbers = np.unique(self.rows // WARP)
        whole = np.concatenate([number * WARP + np.arange(WARP) for number in numbers])
        missing = np.setdiff1d(whole, self.rows)
        if missing.size:
            raise Fault("divergence", f"thread {missing[0]} does not come to {name}")
        return [number * WARP + np.arange(WARP) for number in numbers]

    def meet_in_warps(self) -> None:
        """Pass a barrier of the threads of each active warp."""
        self.warp_phases[np.unique(self.rows // WARP)] += 1
