"""Prepared buffers: what compiled code computes once from params and frozen state.

A buffer is used again for a later call only if every leaf it came from is the same
read-only array as before. A leaf that can be written to is prepared again for every call,
so that a write between two calls is seen.
"""

import ctypes
from collections.abc import Sequence
from operator import is_
from typing import Any

import numpy as np

from lxc.errors import InternalError, LxcError
from lxc.runtime.buffers import (
    Array,
    DimSolver,
    Gatherer,
    Slot,
    address,
    aligned_bytes,
    is_constant,
)
from lxc.runtime.frame import PrepareCall, table
from lxc.runtime.library import Library
from lxc.runtime.manifest import TargetRecord

EKERNEL = 7
EOVERLAP = 5


class Prepared:
    """A filled buffer, its table of params, and the leaves that both came from.

    `places` are the addresses of the state, 0 where a leaf is not frozen; `symbolic` are
    those of the arrays that have dimensions.
    """

    def __init__(
        self, leaves: Sequence[Any], arrays: Sequence[Array], buffer: Array
    ) -> None:
        """Keep everything alive that compiled code will read."""
        self.leaves = tuple(leaves)
        self.arrays = tuple(arrays)
        self.buffer = buffer
        self.address = address(buffer)
        self.params: Any = None
        self.params_address = 0
        self.places: list[int] = []
        self.symbolic: list[tuple[Slot, Array]] = []
        constant = all(
            a is b and is_constant(b) for a, b in zip(leaves, arrays, strict=False)
        )
        self.owners = owners(arrays[: len(leaves)]) if constant else None

    def serves(self, leaves: Sequence[Any]) -> bool:
        """Tell whether the buffer is what `leaves` would give."""
        if self.owners is None or not all(map(is_, leaves, self.leaves)):
            return False
        return not any(owner.flags.writeable for owner in self.owners)


def owners(arrays: Sequence[Array]) -> tuple[Array, ...]:
    """Return `arrays` and all arrays that they are views of."""
    found: dict[int, Array] = {}
    for array in arrays:
        owner: Any = array
        while isinstance(owner, np.ndarray):
            found[id(owner)] = owner
            owner = owner.base
    return tuple(found.values())


class Preparer:
    """Makes prepared buffers for one model on one target."""

    def __init__(
        self,
        library: Library,
        target: TargetRecord,
        trees: tuple[Gatherer, Gatherer],
        solver: DimSolver,
        constants: Sequence[Array],
        pool: int,
    ) -> None:
        """Note which leaves count: all of the params, and the frozen ones of the state."""
        self.library = library
        self.target = target
        self.params, self.state = trees
        self.solver = solver
        self.constants = tuple(constants)
        self.pool = pool
        slots = enumerate(self.state.slots)
        self.frozen = tuple(index for index, slot in slots if slot.leaf.frozen)
        self.last: Prepared | None = None

    def get(self, params: Sequence[Any], state: Sequence[Any], threads: int) -> Prepared:
        """Return a buffer for these leaves: the last one if it serves, or a new one."""
        leaves = [*params, *[state[index] for index in self.frozen]]
        last = self.last
        if last is not None and last.serves(leaves):
            return last
        made = self.make(params, state, threads)
        self.last = made if made.owners is not None else None
        return made

    def make(self, params: Sequence[Any], state: Sequence[Any], threads: int) -> Prepared:
        """Return a new buffer, filled from these leaves."""
        arrays = self.params.arrays(params)
        frozen = {i: self.state.slots[i].accept(state[i]) for i in self.frozen}
        slots = [*zip(self.params.slots, arrays, strict=True)]
        slots += [(self.state.slots[i], array) for i, array in frozen.items()]
        symbolic = [(slot, array) for slot, array in slots if slot.shape is None]
        dims = table(self.solver.table(self.solver.solve(symbolic)))
        leaves = [*params, *[state[index] for index in self.frozen]]
        kept = [*arrays, *frozen.values(), *self.constants]
        made = Prepared(leaves, kept, aligned_bytes(self.target.prepared_bytes))
        made.symbolic = symbolic
        made.params = table([address(array) for array in (*arrays, *self.constants)])
        made.params_address = ctypes.addressof(made.params)
        made.places = [address(frozen[i]) if i in frozen else 0 for i in range(len(state))]
        state_table = table(made.places)
        call = PrepareCall(size=ctypes.sizeof(PrepareCall), pool=self.pool, threads=threads)
        call.params, call.prepared = made.params_address, made.address
        call.state, call.dims = ctypes.addressof(state_table), ctypes.addressof(dims)
        code = self.library.prepare(ctypes.addressof(call))
        if code != 0:
            raise failure(self.library, code)
        return made


def failure(library: Library, code: int) -> Exception:
    """Return the error for a call that did not return 0."""
    said = library.failure()
    if code == EOVERLAP:
        return LxcError(
            "LXC-E0506",
            f"memory of this call overlaps: {said}",
            hint="give every output and every state that comes out memory of its own",
        )
    if code == EKERNEL:
        return LxcError("LXC-E0508", f"the compiled code failed: {said}")
    return InternalError("a call of the compiled code", f"{said} (status {code})")
