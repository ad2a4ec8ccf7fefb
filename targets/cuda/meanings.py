"""What the intrinsics of cards mean, in NumPy, after the documentation of PTX.

Threads that execute one together give it arrays with one row per thread, in their order. A
warp gives 32 rows. What each thread gets back is a row of what a meaning returns.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

LANES = 32
Array: TypeAlias = NDArray[Any]
LANE = np.arange(LANES)


class Place(Protocol):
    """An address in the memory of the device for each thread."""

    def read(
        self, dtype: str, count: int, *, align: int, where: Array | None = None
    ) -> Array:
        """Return elements from here on, one row per thread, zeros where a thread has none.

        The addresses must be multiples of `align`.
        """

    def write(self, values: Array, *, align: int) -> None:
        """Write elements from here on; the addresses must be multiples of `align`."""


class Threads(Protocol):
    """Threads of the device, for what they do beside computing."""

    def copy_later(self, to: Place, values: Array) -> None:
        """Begin copies to shared memory, as part of the open groups of copies."""

    def close_copies(self) -> None:
        """Close the open group of copies of each thread."""

    def wait_copies(self, groups: Array) -> None:
        """Finish all closed groups but the last few."""

    def meet_blocks(self, counter: Place, count: Array) -> None:
        """Count this block, and wait until so many were counted."""


def nothing() -> None:
    """Do nothing beside waiting."""


def shuffle_xor(values: Array, lanes: Array) -> Array:
    """Return what another lane has, whose number differs in some bits."""
    found: Array = values[LANE ^ lanes]
    return found


def any_lane(conditions: Array) -> Array:
    """Return to all lanes whether any condition holds."""
    return np.full(LANES, int(conditions.any()), "int32")


def load_16(_: Threads, registers: Place, memory: Place) -> None:
    """Read 16 bytes at once."""
    registers.write(memory.read("uint32", 4, align=16), align=1)


def store_16(_: Threads, memory: Place, registers: Place) -> None:
    """Write 16 bytes at once."""
    memory.write(registers.read("uint32", 4, align=1), align=16)


def copy_later(size: int) -> Callable[[Threads, Place, Place, Array], None]:
    """Return the meaning of a copy of some bytes that goes on by itself."""

    def meaning(threads: Threads, to: Place, memory: Place, condition: Array) -> None:
        found = memory.read("uint32", size // 4, align=size, where=condition != 0)
        threads.copy_later(to, found)

    return meaning


def close_copies(threads: Threads) -> None:
    """Close the open group of copies of each thread."""
    threads.close_copies()


def wait_copies(threads: Threads, groups: Array) -> None:
    """Finish all closed groups but the last few."""
    threads.wait_copies(groups)


def grid_barrier(threads: Threads, counter: Place, count: Array) -> None:
    """Add 1 to a counter for the block, and wait until it has reached `count`.

    What threads of all blocks wrote before, all threads read behind it.
    """
    threads.meet_blocks(counter, count)
