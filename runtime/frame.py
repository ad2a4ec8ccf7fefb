"""The C structs of a call, with their tables and their scratch memory.

A frame serves one call at a time and is used again by later ones, so that a call allocates
nothing but its results. `Frames` hands them out to any number of threads.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

from lxc.runtime.buffers import address, aligned_bytes
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


class RunCall(ctypes.Structure):
    """`lxc_call` of the C header."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("inputs", ctypes.c_void_p),
        ("params", ctypes.c_void_p),
        ("state_in", ctypes.c_void_p),
        ("state_out", ctypes.c_void_p),
        ("outputs", ctypes.c_void_p),
        ("prepared", ctypes.c_void_p),
        ("arena", ctypes.c_void_p),
        ("dims", ctypes.c_void_p),
        ("pool", ctypes.c_void_p),
        ("threads", ctypes.c_int32),
        ("reserved", ctypes.c_int32),
    )


Table = ctypes.Array[ctypes.c_int64]


def table(values: Sequence[int]) -> Table:
    """Return a table of addresses or of dimensions; never without memory of its own."""
    return (ctypes.c_int64 * max(len(values), 1))(*values)


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
    """The struct of one call, its tables and its arena."""

    def __init__(self, sizes: Sizes, pool: int) -> None:
        """Allocate everything and point the struct at it."""
        self.inputs = table([0] * sizes.inputs)
        self.state_in = table([0] * sizes.state)
        self.state_out = table([0] * sizes.state)
        self.outputs = table([0] * sizes.outputs)
        self.dims = table([0] * sizes.dims)
        self.arena = aligned_bytes(sizes.arena)
        self.call = RunCall(size=ctypes.sizeof(RunCall), pool=pool)
        self.call.inputs = ctypes.addressof(self.inputs)
        self.call.state_in = ctypes.addressof(self.state_in)
        self.call.state_out = ctypes.addressof(self.state_out)
        self.call.outputs = ctypes.addressof(self.outputs)
        self.call.dims = ctypes.addressof(self.dims)
        self.call.arena = address(self.arena)
        self.address = ctypes.addressof(self.call)


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
            return self.free.pop()
        except IndexError:
            return Frame(self.sizes, self.pool)

    def give(self, frame: Frame) -> None:
        """Let another call have `frame`."""
        self.free.append(frame)
