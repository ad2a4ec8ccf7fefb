"""The C structs of a call, with their tables and their scratch memory.

A frame serves one call at a time and is used again by later ones, so that a call allocates
nothing but its results. `Frames` hands them out to any number of threads.
"""

import ctypes
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from struct import Struct

from lxc.runtime.buffers import Array, address, aligned_bytes
from lxc.runtime.manifest import TargetRecord
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
PARAMS_WORD, PREPARED_WORD = 2, 6
Table = ctypes.Array[ctypes.c_int64]


def table(values: Sequence[int]) -> Table:
    """Return a table of addresses or of dimensions; never without memory of its own."""
    return (ctypes.c_int64 * max(len(values), 1))(*values)


def arena_of(size: int) -> Array:
    """Return the scratch memory of one call; an error says how much that is."""
    try:
        return aligned_bytes(size)
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
    that goes in and out, of outputs and of dimensions. One write fills them all.
    """

    def __init__(self, sizes: Sizes, pool: int) -> None:
        """Allocate the block and the arena."""
        lengths = (sizes.inputs, sizes.state, sizes.state, sizes.outputs, sizes.dims)
        count = CALL_WORDS + sum(lengths)
        self.words = (ctypes.c_int64 * count)()
        self.layout = Struct(f"={count}q")
        self.arena = arena_of(sizes.arena)
        self.address = ctypes.addressof(self.words)
        starts = [self.address + 8 * (CALL_WORDS + sum(lengths[:i])) for i in range(5)]
        self.inputs, self.state_in, self.state_out, self.outputs, self.dims = starts
        self.size, self.pool, self.arena_address = 8 * CALL_WORDS, pool, address(self.arena)

    def fill(self, params: int, prepared: int, threads: int, tables: Iterable[int]) -> None:
        """Write a call: its own words, then the entries of all tables."""
        self.layout.pack_into(
            self.words,
            0,
            self.size,
            self.inputs,
            params,
            self.state_in,
            self.state_out,
            self.outputs,
            prepared,
            self.arena_address,
            self.dims,
            self.pool,
            threads,
            *tables,
        )

    def turn_to(self, params: int, prepared: int) -> None:
        """Change the params of a call that is filled."""
        self.words[PARAMS_WORD], self.words[PREPARED_WORD] = params, prepared


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
