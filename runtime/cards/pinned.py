"""Memory of the host that a card's copies reach without the host's help."""

import weakref
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.runtime.cards.library import CardLibrary
from lxc.runtime.cards.sizes import block_size
from lxc.runtime.memory import Array


class PinnedMemory:
    """Memory for results; beyond a limit to what is in use and kept, it is usual memory."""

    MOST = 256 << 20

    def __init__(self, library: CardLibrary) -> None:
        """Begin without memory."""
        self.library = library
        self.free: dict[int, list[int]] = {}
        self.taken = 0
        weakref.finalize(self, release_pinned, library, self.free).atexit = False

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """Return a new array."""
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        whole = block_size(max(1, size))
        place = self.take(whole)
        if place == 0:
            return np.empty(shape, dtype)
        owner = PinnedBytes(place, size, self)
        weakref.finalize(
            owner, self.free.setdefault(whole, []).append, place
        ).atexit = False
        made: Array = np.asarray(owner).view(dtype).reshape(shape)
        return made

    def take(self, whole: int) -> int:
        """Return the address of memory, or 0 if there is no more to be had."""
        try:
            return self.free[whole].pop()
        except LookupError:
            pass
        if self.taken + whole > self.MOST:
            return 0
        try:
            place = self.library.allocate_host(whole)
        except LxcError:
            return 0
        self.taken += whole
        return place


class PinnedBytes:
    """Bytes that NumPy takes as an array, which keeps this object alive."""

    def __init__(self, place: int, size: int, memory: PinnedMemory) -> None:
        """Describe memory at an address, which goes back to `memory`."""
        self.memory = memory
        self.__array_interface__ = {
            "version": 3,
            "shape": (size,),
            "typestr": "|u1",
            "data": (place, False),
        }


def release_pinned(library: CardLibrary, free: dict[int, list[int]]) -> None:
    """Give memory of the host back."""
    for places in list(free.values()):
        while places:
            library.card.release_host(places.pop())
