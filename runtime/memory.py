"""Memory that compiled code reads and writes: where it is, who may write it, new blocks.

Large blocks start at a huge page and ask the system for huge pages: a kernel that walks
through megabytes would otherwise wait for address translations.
"""

import mmap
from collections.abc import Callable, Sequence
from contextlib import suppress
from ctypes import addressof, c_char
from math import prod
from operator import attrgetter
from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
ALIGNMENT = 64
HUGE_PAGE = 2 << 20
SMALL_BYTES = 4096
"""A smaller array is read and written in less time than its place takes to find."""
WRITEABLE = attrgetter("flags.writeable")

any_byte: Callable[[Any], Any] = c_char.from_buffer


class Shaped(Protocol):
    """An array of the host or of a card, of which only the type is looked at."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of every axis."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""

    @property
    def ndim(self) -> int:
        """The number of axes."""


def address(array: Array) -> int:
    """Return the address of the first element."""
    try:
        return addressof(any_byte(array))
    except (TypeError, ValueError):
        # Right for every array, but several times slower: this one is read-only, not
        # contiguous, empty, or of a type without buffers, as bfloat16 is.
        pointer: int = array.__array_interface__["data"][0]
        return pointer


def aligned_bytes(size: int) -> Array:
    """Return `size` bytes from a multiple of 64 on; many of them start at a huge page."""
    if size >= HUGE_PAGE:
        return huge_bytes(size)
    block = np.empty(size + ALIGNMENT, np.uint8)
    start = -address(block) % ALIGNMENT
    return block[start : start + size]


def new_array(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return an array of undefined content, which starts at a line unless it is small."""
    size = prod(shape) * dtype.itemsize
    if size < SMALL_BYTES:
        return np.empty(shape, dtype)
    block = np.empty(size + ALIGNMENT, np.uint8)
    start = -address(block) % ALIGNMENT
    return block[start : start + size].view(dtype).reshape(shape)


def huge_bytes(size: int) -> Array:
    """Return `size` bytes that start at a huge page; they are unmapped with the array.

    What does not fill a huge page at the end stays on small ones, so that no more memory
    is taken than was asked for.
    """
    private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    try:
        mapped = mmap.mmap(-1, size + HUGE_PAGE, flags=private)
    except (OSError, OverflowError):
        raise MemoryError(f"no memory for {size} bytes") from None
    block = np.frombuffer(mapped, np.uint8)
    start = -address(block) % HUGE_PAGE
    # A hint only: some systems have no huge pages to give.
    with suppress(AttributeError, OSError):
        mapped.madvise(mmap.MADV_HUGEPAGE, start, size // HUGE_PAGE * HUGE_PAGE)
    return block[start : start + size]


def is_constant(array: Array) -> bool:
    """Tell whether `array` is read-only, and so is what it is a view of."""
    owner: Any = array
    while isinstance(owner, np.ndarray):
        if owner.flags.writeable:
            return False
        if owner.base is None:
            return True
        owner = owner.base
    try:
        return memoryview(owner).readonly
    except TypeError:
        return False


def is_sealed(array: Any) -> bool:
    """Tell whether `array` is a view of bytes, or of a file that is mapped to be read.

    Such memory cannot be written through any array, today or later.
    """
    owner = array
    while isinstance(owner, np.ndarray):
        if owner.flags.writeable:
            return False
        owner = owner.base
    try:
        view = memoryview(owner)
    except TypeError:
        return False
    return view.readonly and type(view.obj) in (bytes, mmap.mmap)


class Watching(Protocol):
    """Arrays that were read, and whether they still hold what they held then."""

    @property
    def were_constant(self) -> bool:
        """Whether nobody could write to them when they were read."""

    def hold(self) -> bool:
        """Tell whether nobody could have written to them."""


class Watch:
    """Arrays that were read: whether they still hold what they held then.

    Only arrays count that were read-only, and so was all that they are views of. NumPy lets
    no array become writable whose memory belongs to a read-only buffer, so these need no
    second look.
    """

    def __init__(self, arrays: Sequence[Array]) -> None:
        """Note which arrays could become writable."""
        self.were_constant = all(map(is_constant, arrays))
        watched = arrays if self.were_constant else ()
        self.owners = tuple(owner for array in watched for owner in owners_of(array))

    def hold(self) -> bool:
        """Tell whether nobody could have written to them."""
        return self.were_constant and not any(map(WRITEABLE, self.owners))


def owners_of(array: Array) -> list[Array]:
    """Return an array and all that it is a view of, if NumPy owns the memory."""
    chain: list[Array] = []
    owner: Any = array
    while isinstance(owner, np.ndarray):
        chain.append(owner)
        owner = owner.base
    return chain if owner is None else []
