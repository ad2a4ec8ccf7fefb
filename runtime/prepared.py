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

from lxc.runtime.buffers import DimSolver, Gatherer, Slot
from lxc.runtime.frame import PrepareCall, Table, start_of, table
from lxc.runtime.library import MappedCode, failure
from lxc.runtime.manifest import TargetRecord
from lxc.runtime.memory import Array, Shaped, Watch, Watching, address, aligned_bytes
from lxc.runtime.plan import Plan
from lxc.runtime.tree_code import comparison

Same = Callable[[Sequence[Any], Sequence[Any]], bool]
"""Tells whether two lists hold the same objects."""


class Prepared:
    """A filled buffer, its table of params, and the leaves that both came from.

    `places` are the addresses of the state, 0 where a leaf is not frozen; `symbolic` are
    those of the arrays that have dimensions, and `plans` what calls with these arrays have
    in common, by the shapes of their other arrays.
    """

    def __init__(
        self,
        leaves: Sequence[Any],
        kept: Sequence[Any],
        place: int,
        watch: Watching | None,
    ) -> None:
        """Keep everything alive that compiled code will read; the buffer is at `place`.

        `watch` tells whether the leaves still hold what they held; None stands for no.
        """
        self.leaves = tuple(leaves)
        self.kept = tuple(kept)
        self.address = place
        self.watch = watch
        self.params: Table = table([])
        self.places: list[int] = []
        self.symbolic: list[tuple[Slot, Shaped]] = []
        self.plans: dict[Any, Plan] = {}

    def serves(self, leaves: Sequence[Any], are_same: Same) -> bool:
        """Tell whether the buffer is what `leaves` would give."""
        watch = self.watch
        return watch is not None and are_same(leaves, self.leaves) and watch.hold()


class Preparer:
    """Makes prepared buffers for one model on one target."""

    def __init__(
        self,
        library: MappedCode,
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
    def placed_constants(self) -> tuple[Sequence[Any], list[int]]:
        """The large constants of the model with their addresses, read when needed."""
        constants = tuple(self.read_constants())
        return constants, list(map(address, constants))

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
        slots = [self.state.slots[index] for index in self.frozen]
        chosen = [state[index] for index in self.frozen]
        leaves = [*params, *chosen]
        arrays, places = self.take(self.params, params, self.params.slots)
        frozen, frozen_places = self.take(self.state, chosen, slots)
        constants, constant_places = self.placed_constants
        buffer, place = self.room(self.target.prepared_bytes)
        read = [*arrays, *frozen]
        watch = self.watch(leaves, read)
        made = Prepared(leaves, [*read, *constants, buffer], place, watch)
        pairs = zip((*self.params.slots, *slots), read, strict=True)
        made.symbolic = [(slot, array) for slot, array in pairs if slot.shape is None]
        made.params = table([*places, *constant_places])
        made.places = [0] * len(state)
        for index, at in zip(self.frozen, frozen_places, strict=True):
            made.places[index] = at
        self.fill(made, threads)
        return made

    def take(
        self, gatherer: Gatherer, leaves: Sequence[Any], slots: Sequence[Slot]
    ) -> tuple[Sequence[Any], list[int]]:
        """Return leaves as arrays that compiled code can read, and the address of each."""
        return gatherer.take(leaves, slots)

    def room(self, size: int) -> tuple[Any, int]:
        """Return memory for a buffer, and its address."""
        block = aligned_bytes(size)
        return block, address(block)

    def watch(self, leaves: Sequence[Any], arrays: Sequence[Any]) -> Watching | None:
        """Return what tells whether leaves changed, if they are what is read."""
        return Watch(arrays) if all(map(is_, leaves, arrays)) else None

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
