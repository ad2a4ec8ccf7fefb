"""Prepared buffers: what compiled code computes once from params and frozen state.

A buffer is used again for a later call only if every leaf it came from is the same
read-only array as before. A leaf that can be written to is prepared again for every call,
so that a write between two calls is seen.
"""

import ctypes
from collections.abc import Callable, Sequence
from functools import cached_property
from operator import is_
from typing import Any

from lxc.errors import InternalError, LxcError
from lxc.runtime.buffers import DimSolver, Gatherer, Slot
from lxc.runtime.frame import PrepareCall, Table, start_of, table
from lxc.runtime.library import Library
from lxc.runtime.manifest import TargetRecord
from lxc.runtime.memory import Array, Watch, address, aligned_bytes
from lxc.runtime.plan import Plan
from lxc.runtime.tree_code import comparison

EKERNEL = 7
EOVERLAP = 5
Same = Callable[[Sequence[Any], Sequence[Any]], bool]
"""Tells whether two lists hold the same objects."""


class Prepared:
    """A filled buffer, its table of params, and the leaves that both came from.

    `places` are the addresses of the state, 0 where a leaf is not frozen; `symbolic` are
    those of the arrays that have dimensions, and `plans` what calls with these arrays have
    in common, by the shapes of their other arrays.
    """

    def __init__(
        self, leaves: Sequence[Any], arrays: Sequence[Array], buffer: Array
    ) -> None:
        """Keep everything alive that compiled code will read."""
        self.leaves = tuple(leaves)
        self.arrays = tuple(arrays)
        self.buffer = buffer
        self.address = address(buffer)
        self.params: Table = table([])
        self.places: list[int] = []
        self.symbolic: list[tuple[Slot, Array]] = []
        self.plans: dict[Any, Plan] = {}
        own = arrays[: len(leaves)]
        as_given = all(map(is_, leaves, own))
        self.watch = Watch(own) if as_given else None

    def serves(self, leaves: Sequence[Any], are_same: Same) -> bool:
        """Tell whether the buffer is what `leaves` would give."""
        watch = self.watch
        return watch is not None and are_same(leaves, self.leaves) and watch.hold()


class Preparer:
    """Makes prepared buffers for one model on one target."""

    def __init__(
        self,
        library: Library,
        target: TargetRecord,
        trees: tuple[Gatherer, Gatherer],
        solver: DimSolver,
        constants: Callable[[], Sequence[Array]],
        pool: int,
    ) -> None:
        """Note which leaves count: all of the params, and the frozen ones of the state."""
        self.library = library
        self.target = target
        self.params, self.state = trees
        self.solver = solver
        self.read_constants = constants
        self.pool = pool
        slots = enumerate(self.state.slots)
        self.frozen = tuple(index for index, slot in slots if slot.leaf.frozen)
        self.last: Prepared | None = None

    @cached_property
    def are_same(self) -> Same:
        """The comparison of leaves with those that a buffer came from."""
        return comparison(len(self.params.slots) + len(self.frozen))

    @cached_property
    def constants(self) -> tuple[Array, ...]:
        """The large constants of the model, read when they are first needed."""
        return tuple(self.read_constants())

    def get(self, params: Sequence[Any], state: Sequence[Any], threads: int) -> Prepared:
        """Return a buffer for these leaves: the last one if it serves, or a new one."""
        leaves = params
        if self.frozen:
            leaves = [*params, *[state[index] for index in self.frozen]]
        last = self.last
        if last is not None and last.serves(leaves, self.are_same):
            return last
        made = self.make(params, state, threads)
        watch = made.watch
        self.last = made if watch is not None and watch.were_constant else None
        return made

    def make(self, params: Sequence[Any], state: Sequence[Any], threads: int) -> Prepared:
        """Return a new buffer, filled from these leaves."""
        arrays, places = self.params.take(params, self.params.slots)
        slots = [self.state.slots[index] for index in self.frozen]
        chosen = [state[index] for index in self.frozen]
        frozen, frozen_places = self.state.take(chosen, slots)
        made = Prepared(
            [*params, *chosen],
            [*arrays, *frozen, *self.constants],
            aligned_bytes(self.target.prepared_bytes),
        )
        pairs = zip((*self.params.slots, *slots), (*arrays, *frozen), strict=True)
        made.symbolic = [(slot, array) for slot, array in pairs if slot.shape is None]
        made.params = table([*places, *map(address, self.constants)])
        made.places = [0] * len(state)
        for index, place in zip(self.frozen, frozen_places, strict=True):
            made.places[index] = place
        self.fill(made, threads)
        return made

    def fill(self, made: Prepared, threads: int) -> None:
        """Let compiled code compute a buffer."""
        dims = table(self.solver.table(self.solver.solve(made.symbolic)))
        state = table(made.places)
        call = PrepareCall(
            ctypes.sizeof(PrepareCall),
            0,
            start_of(made.params),
            start_of(state),
            made.address,
            start_of(dims),
            self.pool,
            threads,
            0,
        )
        code = self.library.prepare(ctypes.c_void_p(ctypes.addressof(call)))
        if code != 0:
            raise failure(self.library, code)


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
