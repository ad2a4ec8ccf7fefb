"""Write one kernel for a card: the threads of a grid share what runs in parallel.

Every thread takes every so many-th turn of a parallel loop, so a kernel is right for any
number of threads. What a generator stores outside of parallel loops, one thread stores;
regions of one kernel do not read what others write.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, reduce

import numpy as np

from lxc.targets.cuda.intrinsics import LOAD_16, SETTLED, STORE_16
from lxc.targets.cuda.shared_memory import SharedArray, shared_arrays
from lxc.targets.kernels.cost import Cost
from lxc.targets.kernels.node_work import NodeWork
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    Stmt,
    address,
    address_of,
    allocate,
    as_index,
    bind,
    branch,
    cast,
    constant,
    divide,
    intrinsic,
    is_equal,
    load,
    modulo,
    sequence,
    store,
    variable,
)
from lxc.targets.tvm_grid import (
    dtype_of,
    register_array,
    replaced,
    strided_loop,
    thread_extent,
    unrolled_loop,
)

THREADS = 128
"""Threads of one block, unless a kernel says otherwise."""


@dataclass(frozen=True)
class Following:
    """What a second kernel of the same node writes: it reads what the first one left.

    That lies in `memory`, of so many `bytes`. `cost` is what the second kernel takes.
    """

    memory: Buffer
    bytes: int
    cost: Cost
    write: Callable[["GridWriter", NodeWork, Buffer], str]


class GridWriter(Writer):
    """A writer whose kernels run on any number of blocks of `threads` threads.

    `extents` are the numbers of turns of all parallel loops, `thread` is the number of a
    thread in its block, and `shared_bytes` is the memory that a block shares. What is
    written while `is_aligned` may read and write memory 16 bytes at once. What is
    `following`, if anything, is a kernel that is launched behind this one.
    """

    def __init__(self, dims: Mapping[str, Expr]) -> None:
        """Start an empty kernel."""
        super().__init__(dims)
        self.blocks = variable("blocks")
        self.thread = variable("thread", "int32")
        self.threads = THREADS
        self.shared_bytes = 0
        self.extents: list[Index] = []
        self._first = variable("first")
        self._is_shared = False
        self._registers: set[Buffer] = set()
        self.is_aligned = self._is_wide = False
        self.following: Following | None = None

    @property
    def body(self) -> Stmt:
        """Everything that was written, as every thread executes it."""
        block = variable("block", "int32")
        number = cast("int64", block) * self.threads + cast("int64", self.thread)
        inside = sequence([bind(self._first, number), super().body])
        inside = thread_extent("threadIdx.x", self.thread, self.threads, inside)
        return thread_extent("blockIdx.x", block, cast("int32", self.blocks), inside)

    @contextmanager
    def loop(self, extent: Index, *, parallel: bool = False) -> Iterator[Index]:
        """Write a loop; the threads share the turns of an outermost parallel one."""
        if not parallel or self._is_shared:
            with super().loop(extent) as counter:
                yield counter
            return
        with self.team_loop(extent, 1) as counter:
            yield counter

    @contextmanager
    def team_loop(self, extent: Index, size: int) -> Iterator[Index]:
        """Write a loop whose turns are shared by teams of `size` neighbouring threads.

        All threads of a team are in the same turn.
        """
        counter = variable(self.fresh("i"))
        self.prover.bind(counter, 0, extent)
        self._is_shared = True
        with self.block() as inner:
            yield counter
        self._is_shared = False
        if inner:
            self.extents.append(extent * size)
            first, step = divide(self._first, size), self.blocks * (self.threads // size)
            self.write(strided_loop(counter, first, extent, step, sequence(inner)))

    def shared(self, *wanted: SharedArray) -> tuple[Buffer, ...]:
        """Return arrays that the threads of a block share; a kernel asks once."""
        memory = shared_arrays(*wanted)
        self.shared_bytes = memory.bytes
        for declaration in memory.declarations:
            self.write(declaration)
        return memory.arrays

    def member(self, size: int) -> Index:
        """Return the number of this thread in its team of `size` threads."""
        return modulo(self._first, size)

    def store(self, buffer: Buffer, index: Index, value: Expr, width: int) -> None:
        """Write one vector; outside of parallel loops one thread does what all see."""
        if buffer in self._registers:
            self._store_lanes(buffer, index, value, width)
            return
        if self._is_shared:
            self._store_memory(buffer, index, value, width)
            return
        with self.block() as inner:
            self._store_memory(buffer, index, value, width)
        alone = is_equal(self._first, as_index(0))
        self.write(branch(alone, sequence(inner), None))

    def _store_lanes(self, buffer: Buffer, index: Index, value: Expr, width: int) -> None:
        """Write one vector, lane by lane."""
        statement = store(buffer, index, value)
        if width > 1:
            statement = unrolled_loop(self.lane(width), width, statement)
        self.write(statement)

    def _store_memory(self, buffer: Buffer, index: Index, value: Expr, width: int) -> None:
        """Write one vector to memory, 16 bytes at once where it lies so."""
        start = self._wide_start(buffer, index, width)
        if start is None:
            self._store_lanes(buffer, index, value, width)
            return
        vector = self.array(dtype_of(buffer), width)
        self._store_lanes(vector, self.lane(width), value, width)
        for lane in range(0, width, lanes_of_16_bytes(buffer)):
            there = address_of(buffer, start + lane)
            self.write(STORE_16.statement(there, address_of(vector, lane)))

    def load(self, buffer: Buffer, index: Index, width: int) -> Expr:
        """Return one vector of memory, read 16 bytes at once where it lies so."""
        start = self._wide_start(buffer, index, width)
        if start is None:
            return load(buffer, index)
        vector = self.array(dtype_of(buffer), width)
        for lane in range(0, width, lanes_of_16_bytes(buffer)):
            here = address_of(buffer, start + lane)
            self.write(LOAD_16.statement(address_of(vector, lane), here))
        return load(vector, self.lane(width))

    def _wide_start(self, buffer: Buffer, index: Index, width: int) -> Index | None:
        """Return where a vector starts that is whole stretches of 16 bytes, or None."""
        whole = lanes_of_16_bytes(buffer)
        if not self.is_aligned or width % whole or buffer in self._registers:
            return None
        index = as_index(index)
        start = replaced(index, self.lane(width), 0)
        in_order = is_equal(index, start + self.lane(width))
        wholly = is_equal(as_index(modulo(start, whole)), as_index(0))
        found = self.prover.holds(in_order) and self.prover.holds(wholly)
        self._is_wide = self._is_wide or found
        return self.prover.simplify(start) if found else None

    def when_aligned(self, buffers: Sequence[Buffer], body: Callable[[], None]) -> None:
        """Write `body` twice: for arrays that begin at multiples of 16 bytes, and any.

        It is written once if it makes no use of that.
        """
        self.is_aligned, self._is_wide = True, False
        with self.block() as wide:
            body()
        self.is_aligned = False
        if not self._is_wide:
            for statement in wide:
                self.write(statement)
            return
        together = address(buffers[0])
        for buffer in buffers[1:]:
            together = intrinsic("or", together, address(buffer))
        rest = intrinsic("and", together, constant(15, "int64"))
        aligned = is_equal(rest, constant(0, "int64"))
        self.choose(aligned, lambda: self.write(sequence(wide)), body)

    def need_alignment(self) -> None:
        """Note that what is being written is for arrays at multiples of 16 bytes alone."""
        self._is_wide = True

    def any_bit(self, vector: Buffer, width: int) -> Expr:
        """Return the bits that any lane of a vector of int32 has."""
        lanes = [load(vector, lane) for lane in range(width)]
        return reduce(partial(intrinsic, "or"), lanes)

    def fetch(self, buffer: Buffer, index: Index, *, nearest: bool = False) -> None:
        """Write nothing: while one thread waits for memory, others go on."""

    def settled(self, dtype: str, value: Expr) -> Expr:
        """Return a number as it is rounded: no product is fused with what follows it."""
        # No sums are computed in float16, which has no registers of its own either.
        return SETTLED.value(dtype, value) if dtype in ("float32", "float64") else value

    def multiply_add(self, x: Expr, y: Expr, z: Expr) -> Expr:
        """Return x * y + z, which the compiler of cards fuses."""
        return x * y + z

    def array(self, dtype: str, width: int, *, stays: bool = False) -> Buffer:
        """Return a new array of one vector, which every thread has for itself."""
        buffer = register_array(self.fresh("t"), dtype, width)
        self._registers.add(buffer)
        self.write(allocate(buffer))
        return buffer


def lanes_of_16_bytes(buffer: Buffer) -> int:
    """Return how many elements of an array lie in 16 bytes."""
    return 16 // np.dtype(dtype_of(buffer)).itemsize
