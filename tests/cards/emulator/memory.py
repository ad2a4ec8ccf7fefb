"""The memories of a card, and the arrays in them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.cards.emulator.accesses import Accesses, Numbers
from tests.cards.emulator.block import Block
from tests.cards.emulator.faults import Fault

Bytes = NDArray[np.uint8]
WIDEST = 16
"""Bytes of the largest access of one thread."""


class Memory:
    """Some bytes, which of them were written, and who touched those that threads share.

    `address` is that of the first one.
    """

    def __init__(
        self, name: str, content: Bytes, *, written: bool, shared: bool, address: int = 0
    ) -> None:
        self.name, self.content, self.address = name, content, address
        self.written = np.full(content.size, written)
        self.in_flight = np.zeros(content.size, dtype=np.bool_)
        self.accesses = Accesses(content.size) if shared else None

    def read(self, block: Block, threads: Numbers, at: Numbers) -> Bytes:
        """Return bytes, of which each thread reads one row."""
        self.check_landed(threads, at)
        unknown = ~self.written[at].all(axis=1)
        if unknown.any():
            raise Fault("uninitialised", f"{self.touched(threads, at, unknown)} is read")
        if self.accesses:
            who = block.who(np.repeat(threads, at.shape[1]))
            races = self.accesses.read(at.reshape(-1), who)
            self.check_races(threads, at, races, "reads what another wrote")
        return self.content[at]

    def write(self, block: Block, threads: Numbers, at: Numbers, values: Bytes) -> None:
        """Write bytes, of which each thread writes one row."""
        self.claim(block, threads, at)
        self.content[at] = values
        self.written[at] = True

    def claim(self, block: Block, threads: Numbers, at: Numbers) -> None:
        """Check and note that threads write bytes."""
        self.check_landed(threads, at)
        if self.accesses:
            who = block.who(np.repeat(threads, at.shape[1]))
            races = self.accesses.write(at.reshape(-1), who)
            self.check_races(threads, at, races, "writes what another touches")

    def check_landed(self, threads: Numbers, at: Numbers) -> None:
        """Raise if copies to these bytes still go on."""
        moving = self.in_flight[at].any(axis=1)
        if moving.any():
            raise Fault("copy in flight", self.touched(threads, at, moving))

    def check_races(
        self, threads: Numbers, at: Numbers, races: NDArray[np.bool_], what: str
    ) -> None:
        """Raise if any access is not in order with another one."""
        if races.any():
            wrong = races.reshape(at.shape).any(axis=1)
            raise Fault("race", f"{self.touched(threads, at, wrong)}, {what}")

    def check_alignment(self, threads: Numbers, at: Numbers, align: int) -> None:
        """Raise if an address is not a multiple of the size of an access."""
        wrong = (at + self.address) % align != 0
        if wrong.any():
            where = self.touched(threads, at[:, None], wrong)
            raise Fault("misaligned", f"{where}, not at a multiple of {align}")

    def touched(self, threads: Numbers, at: Numbers, wrong: Any) -> str:
        """Return the first of some accesses in words."""
        first = int(np.flatnonzero(wrong)[0])
        return f"thread {threads[first]}, byte {at[first, 0]} of {self.name}"


@dataclass(frozen=True)
class Array:
    """Elements in a memory; each thread may have its own, from its own start on."""

    name: str
    memory: Memory
    starts: Numbers
    dtype: np.dtype[Any]
    count: int

    def load(self, block: Block, index: NDArray[Any]) -> NDArray[Any]:
        """Return an element, or neighbouring ones, per active thread."""
        if self.is_register(index):
            return self.load_register(block, int(index[0, 0]))
        at = self.places(block, index)
        found = self.memory.read(block, block.rows, at)
        result = np.zeros((block.threads, index.shape[1]), self.dtype)
        result[block.rows] = found.view(self.dtype)
        return result

    def store(self, block: Block, index: NDArray[Any], value: NDArray[Any]) -> None:
        """Write an element, or neighbouring ones, per active thread."""
        if self.is_register(index):
            self.store_register(block, int(index[0, 0]), value)
            return
        at = self.places(block, index)
        shape = (block.threads, index.shape[1])
        chosen = np.broadcast_to(value, shape)[block.rows].astype(self.dtype, copy=False)
        content = np.ascontiguousarray(chosen).view(np.uint8).reshape(at.shape)
        self.memory.write(block, block.rows, at, content)

    def is_register(self, index: NDArray[Any]) -> bool:
        """Return whether all threads take the same element of arrays of their own."""
        return self.memory.accesses is None and index.shape == (1, 1)

    def load_register(self, block: Block, index: int) -> NDArray[Any]:
        """Return what each thread has in one place."""
        self.check_index(block, index)
        known = self.memory.written.reshape(block.threads, self.count, -1)[:, index, 0]
        if not known[block.rows].all():
            first = block.rows[~known[block.rows]][0]
            raise Fault("uninitialised", f"thread {first}, {self.name}[{index}] is read")
        held = self.memory.content.view(self.dtype).reshape(block.threads, self.count)
        return held[:, index : index + 1].copy()

    def store_register(self, block: Block, index: int, value: NDArray[Any]) -> None:
        """Write what each active thread has in one place."""
        self.check_index(block, index)
        held = self.memory.content.view(self.dtype).reshape(block.threads, self.count)
        known = self.memory.written.reshape(block.threads, self.count, -1)
        held[block.rows, index] = value[block.rows if len(value) > 1 else 0, 0]
        known[block.rows, index] = True

    def check_index(self, block: Block, index: int) -> None:
        """Raise if an index is outside."""
        if not 0 <= index < self.count:
            where = f"thread {block.rows[0]}, {self.name}[{index}] of {self.count}"
            raise Fault("bounds", where)

    def places(self, block: Block, index: NDArray[Any]) -> Numbers:
        """Return the places of all bytes, one row per active thread."""
        shape = (block.threads, index.shape[1])
        wanted = np.broadcast_to(index, shape)[block.rows].astype(np.int64)
        outside = ((wanted < 0) | (wanted >= self.count)).any(axis=1)
        if outside.any():
            first = int(np.flatnonzero(outside)[0])
            index_there = wanted[first].tolist()
            where = f"thread {block.rows[first]}, {self.name}{index_there} of {self.count}"
            raise Fault("bounds", where)
        size = self.dtype.itemsize
        starts = np.broadcast_to(self.starts, (block.threads, 1))[block.rows]
        at = starts + wanted * size
        if shape[1] > 1 and self.memory.accesses:
            align = min(size * shape[1], WIDEST)
            self.memory.check_alignment(block.rows, at[:, 0], align)
        return (at[:, :, None] + np.arange(size)).reshape(len(at), -1)


@dataclass(frozen=True)
class Location:
    """The address of an element of an array, for each of some threads."""

    array: Array
    block: Block
    threads: Numbers
    at: Numbers

    def read(
        self, dtype: str, count: int, *, align: int, where: NDArray[Any] | None = None
    ) -> NDArray[Any]:
        """Return elements from here on, one row per thread, zeros where it has none.

        The addresses must be multiples of `align`.
        """
        if where is not None:
            found = np.zeros((len(self.threads), count), dtype)
            if where.any():
                found[where] = self.part(where).read(dtype, count, align=align)
            return found
        at = self.places(np.dtype(dtype).itemsize * count, align)
        return self.array.memory.read(self.block, self.threads, at).view(dtype)

    def write(self, values: NDArray[Any], *, align: int) -> None:
        """Write elements from here on; the addresses must be multiples of `align`."""
        content = np.ascontiguousarray(values).view(np.uint8)
        at = self.places(content.shape[1], align)
        self.array.memory.write(self.block, self.threads, at, content)

    def part(self, where: NDArray[Any]) -> "Location":
        """Return the address for some of the threads."""
        return Location(self.array, self.block, self.threads[where], self.at[where])

    def places(self, size: int, align: int) -> Numbers:
        """Return the places of some bytes from here on, one row per thread."""
        array = self.array
        low = np.broadcast_to(array.starts, (self.block.threads, 1))[self.threads, 0]
        high = low + array.count * array.dtype.itemsize
        outside = (self.at < low) | (self.at > high - size)
        if outside.any():
            first = int(np.flatnonzero(outside)[0])
            where = f"thread {self.threads[first]}, byte {self.at[first] - low[first]}"
            of = f"{array.name}, {size} of {high[first] - low[first]} bytes"
            raise Fault("bounds", f"{where} of {of}")
        if array.memory.accesses:
            array.memory.check_alignment(self.threads, self.at, align)
        return self.at[:, None] + np.arange(size)
