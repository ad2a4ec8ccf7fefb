"""A model bound to its params: prepared once, then called with inputs and state alone."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.runtime.buffers import FixedIndices, Gatherer, Slot, as_array
from lxc.runtime.engine import Engine, check_writable
from lxc.runtime.frame import Frame
from lxc.runtime.memory import Array, Watch, address
from lxc.runtime.misfit import parent
from lxc.runtime.plan import shape_of
from lxc.runtime.prepared import Prepared, failure
from lxc.runtime.trees import ABSENT, THERE


class Bound:
    """A model with params and frozen state of its own; many threads may call it at once."""

    def __init__(self, engine: Engine, params: Any, state: Any, threads: int) -> None:
        """Copy params and frozen state and prepare them."""
        self.engine = engine
        self.threads = threads
        leaves = engine.state.leaves(state)
        places = engine.preparer.frozen
        slots = [engine.state.slots[index] for index in places]
        kept = copies(engine.state, [leaves[index] for index in places], slots)
        self.frozen = dict(zip(places, kept, strict=True))
        self.state_leaves = [self.frozen.get(i, leaf) for i, leaf in enumerate(leaves)]
        self.same: dict[int, tuple[Any, Watch]] = {}
        self.prepared = self.prepare(params)

    def prepare(self, params: Any) -> Prepared:
        """Return a new buffer from a copy of `params` and the frozen state."""
        engine = self.engine
        leaves = copies(engine.params, engine.params.leaves(params), engine.params.slots)
        return engine.preparer.make(leaves, self.state_leaves, self.threads)

    def swap(self, params: Any) -> None:
        """Go over to other params in one step: a call sees all the old or all the new ones.

        Params that do not fit are refused, and the old ones stay.
        """
        self.prepared = self.prepare(params)

    def __call__(
        self, x: Any, state: Any, *, out: Any = None, **options: Any
    ) -> tuple[Any, Any]:
        """Return outputs and new state; in the Kaun family `state` is the vars."""
        if self.engine.is_lux:
            if options:
                refuse_options(options, ())
            return self.run(self.engine.inputs.leaves(x), state, out)
        refuse_options(options, ("rngs", "ctx"))
        inputs = self.engine.kaun_inputs(x, options.get("rngs"), options.get("ctx"))
        y, new = self.run(inputs, state.state, out)
        return y, replace(state, state=new)

    def run(self, inputs: list[Any], state: Any, out: Any) -> tuple[Any, Any]:
        """Run on leaves, with the frozen state that was bound."""
        engine = self.engine
        leaves = engine.state.leaves(state)
        if self.frozen:
            leaves = self.with_bound_leaves(leaves)
        return engine.run(self.prepared, inputs, leaves, out, self.threads)

    def with_bound_leaves(self, leaves: list[Any]) -> list[Any]:
        """Return `leaves` with the bound ones for the frozen; these must be equal."""
        for index, bound in self.frozen.items():
            given = leaves[index]
            if given is not bound:
                same = self.same.get(index)
                if same is None or same[0] is not given or not same[1].hold():
                    self.compare(index, given, bound)
                leaves[index] = bound
        return leaves

    def compare(self, index: int, given: Any, bound: Array) -> None:
        """Refuse a frozen leaf that is not what was bound."""
        slot = self.engine.state.slots[index]
        array = slot.accept(given)
        if array.shape != bound.shape or array.tobytes() != bound.tobytes():
            raise LxcError(
                "LXC-E0507",
                f"{slot.leaf.name} changed after the model was bound to it",
                layer=parent(slot.leaf.name) or None,
                hint="bind the model again, or call the model itself",
            )
        if isinstance(given, np.ndarray):
            self.same[index] = (given, Watch([given]))

    def at(self, *, inputs: Any, outputs: Any, state: Any = None) -> "Placed":
        """Return the call on these very arrays: it reads `inputs` and writes `outputs`.

        `inputs` is the tree of the inputs; of a Kaun model, a dict of x, rngs and ctx.
        State that is not frozen is updated in place in the arrays of `state`.
        """
        return Placed(self, inputs, outputs, state)


class Placed:
    """The smallest call: arrays and addresses are fixed; for one thread at a time."""

    def __init__(self, bound: Bound, inputs: Any, outputs: Any, state: Any) -> None:
        """Check the arrays once and write their addresses down."""
        engine = bound.engine
        self.bound = bound
        read = as_they_are(engine.inputs, engine.inputs.leaves(inputs), engine.inputs.slots)
        states = self.changing_state(state)
        dims = engine.dims(bound.prepared, read, states)
        written = engine.outputs.leaves(outputs)
        for slot, array in zip(engine.outputs.slots, written, strict=True):
            check_writable(array, slot, shape_of(slot, dims))
        for slot, array in zip(engine.slots, states, strict=True):
            check_writable(array, slot, shape_of(slot, dims))
        self.kept = (read, states, written)
        pairs = zip(engine.inputs.slots, read, strict=True)
        self.indices = [
            FixedIndices(slot, slot.indices, array) for slot, array in pairs if slot.indices
        ]
        self.frame = Frame(engine.frames.sizes, engine.frames.pool)
        places = bound.prepared.places.copy()
        for index, array in zip(engine.changing, states, strict=True):
            places[index] = address(array)
        addresses = [*map(address, read), *places, *places, *map(address, written)]
        self.frame.fill([*addresses, *engine.solver.table(dims)])
        self.run = engine.library.run
        self.pointer = self.frame.pointer
        self.prepared: Prepared | None = None

    def changing_state(self, state: Any) -> list[Array]:
        """Return the leaves of `state` that are not frozen."""
        bound, engine = self.bound, self.bound.engine
        if state is None:
            if engine.changing:
                raise LxcError("LXC-E0505", "the model has state to update: pass state=")
            return []
        leaves = bound.with_bound_leaves(engine.state.leaves(state))
        changing = [leaves[i] for i in engine.changing]
        for slot, leaf in zip(engine.slots, changing, strict=True):
            if leaf is ABSENT:
                raise LxcError(
                    "LXC-E0505",
                    "a placed call updates its state in place, and a part of it is missing",
                    actual=f"no memory for {slot.leaf.name}",
                    hint="pass lxc.Optional(numpy.zeros((), bool), value) with zeros in "
                    "the value",
                )
        own = [np.array(True) if leaf is THERE else leaf for leaf in changing]
        return as_they_are(engine.state, own, engine.slots)

    def __call__(self) -> None:
        """Run on what is in the arrays now."""
        for indices in self.indices:
            indices.check()
        prepared = self.bound.prepared
        if prepared is not self.prepared:
            self.frame.turn_to(prepared.params, prepared.address, self.bound.threads)
            self.prepared = prepared
        code = self.run(self.pointer)
        if code != 0:
            raise failure(self.bound.engine.library, code)


def copies(gatherer: Gatherer, leaves: Sequence[Any], slots: Sequence[Slot]) -> list[Array]:
    """Return read-only copies of leaves that fit."""
    arrays = gatherer.arrays(leaves, slots)
    made = [np.array(array, order="C", copy=True) for array in arrays]
    for array in made:
        array.flags.writeable = False
    return made


def as_they_are(
    gatherer: Gatherer, leaves: Sequence[Any], slots: Sequence[Slot]
) -> list[Array]:
    """Return leaves that fit and share their memory with the caller."""
    views = [as_array(leaf, slot) for slot, leaf in zip(slots, leaves, strict=True)]
    arrays = gatherer.arrays(views, slots)
    for slot, view, array in zip(slots, views, arrays, strict=True):
        if array is not view:
            raise LxcError(
                gatherer.role.code,
                f"the {slot.role.one} {slot.leaf.name} would have to be copied",
                hint="pass a contiguous array",
            )
    return arrays


def refuse_options(options: dict[str, Any], known: tuple[str, ...]) -> None:
    """Refuse keywords that a call does not have."""
    for name in options:
        if name not in known:
            raise LxcError("LXC-E0505", f"a bound model does not take {name}=")
