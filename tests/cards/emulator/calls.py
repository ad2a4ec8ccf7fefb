"""Calls of intrinsics: each is executed as its meaning says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lxc.targets.cuda.intrinsic import Intrinsic
from lxc.targets.cuda.intrinsics import BARRIER, INTRINSICS, WARP_BARRIER
from tests.cards.emulator.accesses import Numbers
from tests.cards.emulator.block import Block
from tests.cards.emulator.copies import Copying
from tests.cards.emulator.memory import Array, Location

NAMED = {intrinsic.name: intrinsic for intrinsic in INTRINSICS}


@dataclass(frozen=True)
class Addresses:
    """The address of an element of an array, which may differ from thread to thread."""

    array: Array
    index: NDArray[Any]

    def numbers(self) -> NDArray[Any]:
        """Return the addresses as numbers."""
        skipped = self.index.astype(np.int64) * self.array.dtype.itemsize
        return self.array.memory.address + self.array.starts + skipped

    def of(self, block: Block, threads: Numbers) -> Location:
        """Return the addresses that some threads have."""
        at = rows_of(self.numbers() - self.array.memory.address, threads)
        return Location(self.array, block, threads, at)


def rows_of(value: NDArray[Any], threads: Numbers) -> NDArray[Any]:
    """Return what some threads have of a number."""
    found: NDArray[Any] = value[threads, 0] if len(value) > 1 else value[:, 0]
    return found if len(value) > 1 else np.repeat(found, len(threads))


def intrinsic_named(name: str) -> Intrinsic | None:
    """Return an intrinsic by its name, or none."""
    return NAMED.get(name)


def called(
    block: Block,
    intrinsic: Intrinsic,
    arguments: Sequence[Any],
    dtype: np.dtype[Any] | None,
    copying: Copying,
) -> NDArray[Any]:
    """Return what a call returns to all active threads."""
    results = np.zeros((block.threads, 1), np.uint8 if dtype is None else dtype)
    if intrinsic is BARRIER:
        block.meet(intrinsic.name)
        return results
    is_shared = intrinsic.together == "warp"
    for threads in block.warps(intrinsic.name) if is_shared else [block.rows]:
        given = [
            one.of(block, threads) if isinstance(one, Addresses) else rows_of(one, threads)
            for one in arguments
        ]
        found = intrinsic.meaning(*([] if is_shared else [copying]), *given)
        if dtype is not None:
            results[threads, 0] = found
    if intrinsic is WARP_BARRIER:
        block.meet_in_warps()
    return results
