"""A model bound to its params: prepared once, then called with inputs and state alone.

What is bound may change under calls: each call reads the version in force once, so that it
sees all of one version's params and nothing of another's.
"""

from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.runtime.engine import Engine
from lxc.runtime.memory import Watching, is_sealed
from lxc.runtime.misfit import parent
from lxc.runtime.plan import shape_of
from lxc.runtime.prepared import Prepared
from lxc.runtime.trees import ABSENT, THERE

KAUN_OPTIONS = ("rngs", "ctx", "stream")


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """Params that are or were in force; it keeps their memory alive.

    `number` counts from 1 and is never used twice by one bound model; `owner` tells which.
    """

    number: int
    prepared: Prepared
    owner: object


class Bound:
    """A model with params and frozen state of its own; many threads may call it at once."""

    def __init__(self, engine: Engine, params: Any, state: Any, way: int) -> None:
        """Copy params and frozen state and prepare them."""
        self.engine = engine
        self.way = way
        leaves = engine.state.leaves(state)
        places = engine.preparer.frozen
        slots = [engine.state.slots[index] for index in places]
        kept = engine.copies(engine.state, [leaves[index] for index in places], slots)
        self.frozen = dict(zip(places, kept, strict=True))
        self.state_leaves = [self.frozen.get(i, leaf) for i, leaf in enumerate(leaves)]
        self.same: dict[int, tuple[Any, Watching]] = {}
        self.turn, self.last_number, self.owner = Lock(), 1, object()
        self.current = Version(1, self.prepare(params), self.owner)

    @property
    def version(self) -> int:
        """The number of the params in force: 1, and one more with every swap."""
        return self.current.number

    def prepare(self, params: Any) -> Prepared:
        """Return a buffer from `params` and the frozen state, which nobody can change.

        Where all of them are views of a file or of bytes, models that are bound to the same
        ones have one buffer.
        """
        engine = self.engine
        trees = engine.params
        leaves = engine.copies(trees, trees.leaves(params), trees.slots)
        sealed = all(map(is_sealed, (*leaves, *self.frozen.values())))
        make = engine.preparer.get if sealed else engine.preparer.make
        return make(leaves, self.state_leaves, self.way)

    def swap(self, params: Any) -> Version:
        """Go over to other params in one step, and return the version that they replace.

        A call sees all the old or all the new ones. Params that do not fit are refused, and
        the old ones stay. What is returned is for `restore`; dropped, its memory is free as
        soon as the last call that began with it returns.
        """
        prepared = self.prepare(params)
        with self.turn:
            self.last_number += 1
            before = self.current
            self.current = Version(self.last_number, prepared, self.owner)
        return before

    def restore(self, version: Version) -> Version:
        """Go back to what an earlier `swap` returned, at once, and return what it replaces.

        The params have the number again that they had.
        """
        if getattr(version, "owner", None) is not self.owner:
            raise LxcError(
                "LXC-E0505",
                "what is to be restored was not replaced in this bound model",
                hint="restore takes what swap or restore of the same bound model returned",
            )
        with self.turn:
            before, self.current = self.current, version
        return before

    def __call__(
        self, x: Any, state: Any, *, out: Any = None, **options: Any
    ) -> tuple[Any, Any]:
        """Return outputs and new state; in the Kaun family `state` is the vars."""
        way = self.way
        if options:
            refuse_options(options, ("stream",) if self.engine.is_lux else KAUN_OPTIONS)
            if options.get("stream") is not None:
                way = self.engine.way(None, options["stream"])
        if self.engine.is_lux:
            return self.run(self.engine.inputs.leaves(x), state, out, way)
        inputs = self.engine.kaun_inputs(x, options.get("rngs"), options.get("ctx"))
        y, new = self.run(inputs, state.state, out, way)
        return y, replace(state, state=new)

    def run(self, inputs: list[Any], state: Any, out: Any, way: int) -> tuple[Any, Any]:
        """Run on leaves, with the frozen state that was bound."""
        engine = self.engine
        leaves = engine.state.leaves(state)
        if self.frozen:
            leaves = self.with_bound_leaves(leaves)
        return engine.run(self.current.prepared, inputs, leaves, out, way)

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

    def compare(self, index: int, given: Any, bound: Any) -> None:
        """Refuse a frozen leaf that is not what was bound."""
        slot = self.engine.state.slots[index]
        array, kept = (self.engine.contents(slot, one) for one in (given, bound))
        if array.shape != kept.shape or array.tobytes() != kept.tobytes():
            raise LxcError(
                "LXC-E0507",
                f"{slot.leaf.name} changed after the model was bound to it",
                layer=parent(slot.leaf.name) or None,
                hint="bind the model again, or call the model itself",
            )
        watch = self.engine.watch(given)
        if watch is not None:
            self.same[index] = (given, watch)

    def at(
        self, *, inputs: Any, outputs: Any, state: Any = None, stream: Any = None
    ) -> "Placed":
        """Return the call on these very arrays: it reads `inputs` and writes `outputs`.

        `inputs` is the tree of the inputs; of a Kaun model, a dict of x, rngs and ctx.
        State that is not frozen is updated in place in the arrays of `state`. On a card,
        the arrays lie there, and the call returns when it is in the stream.
        """
        way = self.way if stream is None else self.engine.way(None, stream)
        return Placed(self, inputs, outputs, state, way)


class Placed:
    """The smallest call: arrays and addresses are fixed; for one thread at a time."""

    def __init__(
        self, bound: Bound, inputs: Any, outputs: Any, state: Any, way: int
    ) -> None:
        """Check the arrays once and write their addresses down."""
        engine = bound.engine
        self.bound, self.way = bound, way
        read = engine.views(
            engine.inputs, engine.inputs.leaves(inputs), engine.inputs.slots
        )
        states = self.changing_state(state)
        prepared = bound.current.prepared
        self.dims = dims = engine.dims(prepared, read, states)
        written = [
            engine.writable(leaf, slot, shape_of(slot, dims))
            for slot, leaf in zip(
                (*engine.outputs.slots, *engine.slots),
                (*engine.outputs.leaves(outputs), *states),
                strict=True,
            )
        ]
        self.read, self.states, self.written = read, states, written
        self.guards = engine.guards(read, way)
        self.frame = engine.new_frame()
        places = prepared.places.copy()
        for index, array in zip(engine.changing, states, strict=True):
            places[index] = engine.address(array)
        results = written[: len(engine.outputs.slots)]
        first, last = (list(map(engine.address, arrays)) for arrays in (read, results))
        self.frame.fill([*first, *places, *places, *last, *engine.solver.table(dims)])
        self.start = engine.starter(self.frame, read, written, way)
        self.prepared: Prepared | None = None

    def changing_state(self, state: Any) -> list[Any]:
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
        return engine.views(engine.state, own, engine.slots)

    def __call__(self) -> None:
        """Run on what is in the arrays now."""
        for guard in self.guards:
            guard.check()
        prepared = self.bound.current.prepared
        if prepared is not self.prepared:
            self.turn_to(prepared)
        code = self.start()
        if code != 0:
            raise self.bound.engine.failure(code)

    def turn_to(self, prepared: Prepared) -> None:
        """Let the next call read other params, if its arrays have the lengths for them."""
        if prepared.symbolic:
            dims = self.bound.engine.dims(prepared, self.read, self.states)
            if dims != self.dims:
                raise LxcError(
                    "LXC-E0502",
                    "the params in force have other lengths than those of the placed call",
                    expected=lengths_text(self.dims),
                    actual=lengths_text(dims),
                    hint="place the call again, with `at`",
                )
        self.bound.engine.turn(self.frame, prepared, self.way)
        self.prepared = prepared


def lengths_text(dims: dict[str, int]) -> str:
    """Return dimensions with their values: `N = 3, V = 10`."""
    return ", ".join(f"{name} = {value}" for name, value in dims.items())


def refuse_options(options: dict[str, Any], known: tuple[str, ...]) -> None:
    """Refuse keywords that a call does not have."""
    for name in options:
        if name not in known:
            raise LxcError("LXC-E0505", f"a bound model does not take {name}=")
