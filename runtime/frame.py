"""The C structs of a call, with their tables and their scratch memory.

A frame serves one call at a time and is used again by later ones, so that a call allocates
nothing but its results. `Frames` hands them out to any number of threads.
"""

import ctypes
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any, TypeAlias

from lxc.runtime.manifest import TargetRecord
from lxc.runtime.memory import Array, address, aligned_bytes
from lxc.runtime.signature import Signature


class PrepareCall(ctypes.Structure):
    """`lxc_prepare_call` of the C header."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("params", ctypes.c_void_p),
        ("state", ctypes.c_void_p),
        ("prepared", ctypes.c_void_p),
        ("dims", ctypes.c_void_p),
        ("pool", ctypes.c_void_p),
        ("threads", ctypes.c_int32),
        ("reserved", ctypes.c_int32),
    )


CALL_WORDS = 11
PARAMS_WORD, PREPARED_WORD, THREADS_WORD = 2, 6, 10
TABLES_BYTE = 8 * CALL_WORDS
Table: TypeAlias = "array[int]"


def table(values: Sequence[int]) -> Table:
    """Return a table of addresses or of dimensions; never without memory of its own."""
    return array("q", values or (0,))


def start_of(entries: Table) -> int:
    """Return the address of a table."""
    return entries.buffer_info()[0]


def arena_of(size: int) -> tuple[Array, int]:
    """Return the scratch memory of one call and its address; an error says its size."""
    try:
        block = aligned_bytes(size)
        return block, address(block)
    except MemoryError:
        words = f"a call of the model needs {size} bytes of scratch memory (its arena)"
        raise MemoryError(words) from None


@dataclass(frozen=True, slots=True)
class Sizes:
    """The lengths of the tables and of the scratch memory of a frame."""

    inputs: int
    state: int
    outputs: int
    dims: int
    arena: int

    @classmethod
    def of(cls, signature: Signature, target: TargetRecord) -> "Sizes":
        """Return the sizes for a model on a target."""
        return cls(
            len(signature.inputs.leaves),
            len(signature.state.leaves),
            len(signature.outputs.leaves),
            len(signature.dims),
            target.arena_bytes,
        )


class Frame:
    """The struct of one call and its tables, in one block of 64-bit words, and its arena.

    The words are those of `lxc_call` in the C header, then the tables of inputs, of state
    that goes in and out, of outputs and of dimensions. A frame stays turned to the params
    of its last call, so that a call writes the tables only.
    """

    def __init__(
        self, sizes: Sizes, pool: int, arena: tuple[Any, int] | None = None
    ) -> None:
        """Allocate the block, and the arena unless it is given with its address."""
        lengths = (sizes.inputs, sizes.state, sizes.state, sizes.outputs, sizes.dims)
        self.words = (ctypes.c_int64 * (CALL_WORDS + sum(lengths)))()
        self.layout = Struct(f"={sum(lengths)}q")
        owner, place = arena or arena_of(sizes.arena)
        self.arena: Any = owner
        start = ctypes.addressof(self.words)
        self.pointer = ctypes.c_void_p(start)
        places = [start + 8 * (CALL_WORDS + sum(lengths[:i])) for i in range(5)]
        inputs, state_in, state_out, outputs, dims = places
        head = (8 * CALL_WORDS, inputs, 0, state_in, state_out, outputs)
        tail = (0, place, dims, pool, 0)
        self.words[:CALL_WORDS] = [*head, *tail]
        self.params: Table | None = None
        self.threads = 0

    def turn_to(self, params: Table, prepared: int, threads: int) -> None:
        """Let the frame call with a table of params and a prepared buffer."""
        self.words[PARAMS_WORD] = start_of(params)
        self.words[PREPARED_WORD], self.words[THREADS_WORD] = prepared, threads
        self.params, self.threads = params, threads

    def fill(self, entries: Sequence[int]) -> None:
        """Write the entries of all tables."""
        self.layout.pack_into(self.words, TABLES_BYTE, *entries)


class Frames:
    """The frames of a model that no call uses at the moment."""

    def __init__(self, sizes: Sizes, pool: int) -> None:
        """Begin without frames."""
        self.sizes = sizes
        self.pool = pool
        self.free: list[Frame] = []

    def take(self) -> Frame:
        """Return a frame for the caller alone."""
        try:
            frame = self.free.pop()
        except IndexError:
            frame = None
        # Made out here, so that a want of memory is not told as a list that was empty.
        return Frame(self.sizes, self.pool) if frame is None else frame

    def give(self, frame: Frame) -> None:
        """Let another call have `frame`."""
        self.free.append(frame)
