"""Where the arrays that the threads of a block share lie."""

from dataclasses import dataclass

import numpy as np

from lxc.targets.tvm_api import Buffer, Stmt, allocate
from lxc.targets.tvm_grid import shared_array, shared_memory

ALIGNMENT = 128
"""Bytes at whose multiples arrays start."""


@dataclass(frozen=True)
class SharedArray:
    """A flat array that a kernel wants: its name, its element type, how many elements.

    Layers lie in the same place: threads that use one wait until none needs another.
    """

    name: str
    dtype: str
    count: int
    layer: int = 0

    @property
    def bytes(self) -> int:
        """How many bytes it takes, with what keeps the next one aligned."""
        size = np.dtype(self.dtype).itemsize * self.count
        return -(-size // ALIGNMENT) * ALIGNMENT


@dataclass(frozen=True)
class SharedMemory:
    """The arrays of one kernel, in the order they were asked for.

    Those of one layer lie one after the other.
    `declarations` stand before all that uses them. `bytes` is what a launch must give.
    """

    arrays: tuple[Buffer, ...]
    declarations: tuple[Stmt, ...]
    bytes: int


def shared_arrays(*wanted: SharedArray) -> SharedMemory:
    """Return arrays in the shared memory of a block."""
    ends: dict[int, int] = {}
    for one in wanted:
        ends[one.layer] = ends.get(one.layer, 0) + one.bytes
    memory = shared_memory("shared", max(ends.values()))
    arrays, declarations, starts = [], [allocate(memory)], dict.fromkeys(ends, 0)
    for one in wanted:
        start = starts[one.layer]
        view, declared = shared_array(memory, start, one.name, one.dtype, one.count)
        arrays.append(view)
        declarations.append(declared)
        starts[one.layer] = start + one.bytes
    return SharedMemory(tuple(arrays), tuple(declarations), max(ends.values()))
