"""Running compiled code on leaves: what a call and a bound model have in common."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.runtime import checkpoint
from lxc.runtime.artifact import Artifact
from lxc.runtime.buffers import (
    INPUTS,
    OUTPUTS,
    PARAMS,
    STATE,
    DimSolver,
    Gatherer,
    Slot,
)
from lxc.runtime.frame import Frames, Sizes
from lxc.runtime.library import Library
from lxc.runtime.manifest import TargetRecord
from lxc.runtime.memory import Array, address
from lxc.runtime.plan import MOST_PLANS, Plan, plan_for
from lxc.runtime.prepared import Prepared, Preparer, failure
from lxc.runtime.process_pool import PROCESS_POOL
from lxc.runtime.signature import Leaf, Signature
from lxc.runtime.trees import ABSENT, builder

NO_ARRAYS: Sequence[Array] = ()


class Engine:
    """The mapped code of a model with its readers, its frames and its prepared buffers."""

    def __init__(
        self, artifact: Artifact, target: TargetRecord, library: Library, threads: int
    ) -> None:
        """Prepare everything that does not depend on a call."""
        signature = artifact.signature
        lux = signature.calling == "lux"
        self.library, self.threads, self.is_lux = library, threads, lux
        self.inputs = Gatherer(signature.inputs, INPUTS, "x" if lux else "")
        self.params = Gatherer(signature.params, PARAMS)
        self.state = Gatherer(signature.state, STATE)
        self.outputs = Gatherer(signature.outputs, OUTPUTS, "y")
        self.solver = DimSolver(signature)
        slots = self.state.slots
        self.changing = tuple(i for i, slot in enumerate(slots) if not slot.leaf.frozen)
        self.slots = tuple(slots[index] for index in self.changing)
        self.has_optional = bool(self.state.structure.optional_leaves())
        self.unwritten = [0] * len(slots)
        dims = self.solver.dims
        self.fixed_plan = None if dims else plan_for(self.solver, self.outputs.slots, {})
        pool = PROCESS_POOL.address(library)
        self.frames = Frames(Sizes.of(signature, target), pool)
        trees = (self.params, self.state)
        self.preparer = Preparer(
            library,
            target,
            trees,
            self.solver,
            lambda: stored_constants(artifact, signature),
            pool,
        )

    @cached_property
    def build_outputs(self) -> Callable[[list[Any]], Any]:
        """The builder of the tree of outputs, made when it is first needed."""
        return builder(self.outputs.structure)

    @cached_property
    def build_state(self) -> Callable[[list[Any]], Any]:
        """The builder of the tree of the state, made when it is first needed."""
        return builder(self.state.structure)

    def kaun_inputs(self, x: Any, rngs: Any, ctx: Any) -> list[Any]:
        """Return the leaves of the arguments of a Kaun call."""
        wanted = self.inputs.structure.keys
        # A context is read through its bindings, so that its class need not be known here.
        bindings = None if ctx is None else dict(getattr(ctx, "bindings", ctx))
        given = {"x": x, "rngs": rngs, "ctx": bindings}
        for name in ("rngs", "ctx"):
            if name in wanted and given[name] is None:
                raise LxcError(
                    "LXC-E0505",
                    f"the model needs {name}, and the call gives none",
                    hint=f"pass {name}=",
                )
        if bindings and "ctx" not in wanted:
            raise LxcError(
                "LXC-E0505", "the model was compiled without ctx, and one is given"
            )
        return self.inputs.leaves({name: given[name] for name in wanted})

    def run(
        self,
        prepared: Prepared,
        inputs: list[Any],
        state: list[Any],
        out: Any,
        threads: int,
    ) -> tuple[Any, Any]:
        """Return the trees of outputs and new state."""
        taken, reads = self.inputs.take(inputs, self.inputs.slots)
        if self.has_optional:
            state = self.completed(state, taken)
        before, after, states = prepared.places, self.unwritten, NO_ARRAYS
        if self.changing:
            states, before, after, state = self.renewed(prepared, state)
        plan = self.fixed_plan or self.plan(prepared, taken, states)
        outputs: list[Array]
        if out is None:
            outputs = list(map(np.empty, plan.shapes, plan.dtypes))
        else:
            outputs = self.caller_outputs(out, plan)
        frame = self.frames.take()
        try:
            if frame.params is not prepared.params or frame.threads != threads:
                frame.turn_to(prepared.params, prepared.address, threads)
            frame.fill((*reads, *before, *after, *map(address, outputs), *plan.dims))
            code = self.library.run(frame.pointer)
            if code != 0:
                raise failure(self.library, code)
        finally:
            self.frames.give(frame)
        return self.build_outputs(outputs), self.build_state(state)

    def renewed(
        self, prepared: Prepared, state: Sequence[Any]
    ) -> tuple[Sequence[Array], list[int], list[int], list[Any]]:
        """Return the changing state, where all of it is read and written, and its leaves.

        The leaves have new arrays for those that change.
        """
        states, places = self.state.take([state[i] for i in self.changing], self.slots)
        new, before, after = list(state), prepared.places.copy(), self.unwritten.copy()
        dtypes = [slot.dtype for slot in self.slots]
        made: list[Array] = list(map(np.empty, [one.shape for one in states], dtypes))
        for index, place, array in zip(self.changing, places, made, strict=True):
            new[index], before[index], after[index] = array, place, address(array)
        return states, before, after, new

    def plan(
        self, prepared: Prepared, inputs: Sequence[Array], states: Sequence[Array]
    ) -> Plan:
        """Return the plan for arrays of these shapes, from earlier calls if possible."""
        key = tuple(array.shape for array in (*inputs, *states))
        found = prepared.plans.get(key)
        if found is None:
            dims = self.dims(prepared, inputs, states)
            found = plan_for(self.solver, self.outputs.slots, dims)
            if len(prepared.plans) >= MOST_PLANS:
                prepared.plans.clear()
            prepared.plans[key] = found
        return found

    def dims(
        self, prepared: Prepared, inputs: Sequence[Array], states: Sequence[Array]
    ) -> dict[str, int]:
        """Return the values of the dimensions, given the inputs and the changing state."""
        pairs = [*zip(self.inputs.slots, inputs, strict=True)]
        pairs += zip(self.slots, states, strict=True)
        found = [(slot, array) for slot, array in pairs if slot.shape is None]
        return self.solver.solve([*found, *prepared.symbolic])

    def completed(self, state: list[Any], inputs: Sequence[Array]) -> list[Any]:
        """Return the leaves of the state with zeros for those that are absent.

        A dimension that only absent leaves have takes its lowest value.
        """
        given = [
            (slot, slot.accept(leaf))
            for slot, leaf in zip(self.state.slots, state, strict=True)
            if leaf is not ABSENT
        ]
        pairs = [*zip(self.inputs.slots, inputs, strict=True), *given]
        known = self.solver.solve(pair for pair in pairs if pair[0].shape is None)
        return self.state.with_zeros(state, {**self.solver.lowest, **known})

    def caller_outputs(self, out: Any, plan: Plan) -> list[Array]:
        """Return the caller's arrays for the outputs, each of which must fit exactly."""
        leaves = self.outputs.leaves(out)
        for slot, array, shape in zip(self.outputs.slots, leaves, plan.shapes, strict=True):
            check_writable(array, slot, shape)
        return leaves


def check_writable(array: Any, slot: Slot, shape: tuple[int, ...]) -> None:
    """Refuse an array that compiled code cannot write the leaf of `slot` into."""
    name = slot.leaf.name
    if (
        not isinstance(array, np.ndarray)
        or array.dtype != slot.dtype
        or array.shape != shape
    ):
        exact = Leaf(name, slot.leaf.dtype, shape)
        raise LxcError(
            "LXC-E0506",
            f"the array for the {slot.role.one} {name} does not fit",
            expected=f"{name}: {exact}",
            actual=f"{name}: {getattr(array, 'dtype', type(array).__name__)}"
            f"{list(getattr(array, 'shape', ()))}",
        )
    if not array.flags.carray:  # contiguous, aligned and writable
        raise LxcError(
            "LXC-E0506",
            f"the array for the {slot.role.one} {name} is not contiguous or is read-only",
            hint="pass an array made by numpy.empty",
        )


def stored_constants(artifact: Artifact, signature: Signature) -> list[Array]:
    """Return the large constants of the model in header order."""
    if not signature.data:
        return []
    found = checkpoint.decode(artifact.view("data.safetensors"))
    slots = [Slot(leaf, PARAMS) for leaf in signature.data]
    absent = [slot.leaf.name for slot in slots if slot.leaf.name not in found.arrays]
    if absent:
        raise LxcError("LXC-E0402", f"the artifact lacks the constant {absent[0]}")
    return [slot.accept(found.arrays[slot.leaf.name]) for slot in slots]
