"""What calls of a model have in common, whatever machine runs them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any

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
from lxc.runtime.frame import Frame, Sizes
from lxc.runtime.library import failure
from lxc.runtime.manifest import TargetRecord
from lxc.runtime.memory import Array, Shaped, Watching
from lxc.runtime.plan import MOST_PLANS, Plan, plan_for
from lxc.runtime.prepared import Prepared, Preparer
from lxc.runtime.signature import Signature
from lxc.runtime.trees import ABSENT, builder


class Engine(ABC):
    """The readers and builders of a model's trees, and how a machine runs its code.

    A `way` is what a machine is told of a call: the number of threads, or the stream.
    """

    usual: int
    """The way of calls that say nothing."""
    preparer: Preparer
    library: Any
    """The functions of the mapped code, of a kind that the machine has."""
    frames: Any
    """The structs of calls, of a kind that the machine has."""

    def __init__(self, artifact: Artifact, target: TargetRecord) -> None:
        """Prepare everything that does not depend on a call or on the machine."""
        signature = artifact.signature
        lux = signature.calling == "lux"
        self.is_lux, self.target = lux, target
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
        self.sizes = Sizes.of(signature, target)
        self.constants = partial(stored_constants, artifact, signature)

    @abstractmethod
    def way(self, threads: int | None, stream: Any) -> int:
        """Return the way of a call; refuse what the machine has no use for."""

    @abstractmethod
    def run(
        self, prepared: Prepared, inputs: list[Any], state: list[Any], out: Any, way: int
    ) -> tuple[Any, Any]:
        """Return the trees of outputs and new state."""

    @abstractmethod
    def copies(
        self, gatherer: Gatherer, leaves: Sequence[Any], slots: Sequence[Slot]
    ) -> list[Any]:
        """Return copies that nobody else can write, where the machine reads them."""

    @abstractmethod
    def seen(self, slot: Slot, value: Any) -> Shaped:
        """Return a leaf that fits its slot, as the machine would read it."""

    @abstractmethod
    def contents(self, slot: Slot, value: Any) -> Array:
        """Return a leaf that fits its slot, in the memory of the host."""

    @abstractmethod
    def watch(self, value: Any) -> Watching | None:
        """Return what tells whether a leaf changed, if anything can."""

    @abstractmethod
    def views(
        self, gatherer: Gatherer, leaves: Sequence[Any], slots: Sequence[Slot]
    ) -> list[Any]:
        """Return leaves that fit, and share their memory with the caller."""

    @abstractmethod
    def writable(self, array: Any, slot: Slot, shape: tuple[int, ...]) -> Any:
        """Return an array of the caller that the leaf of a slot can be written to."""

    @abstractmethod
    def address(self, array: Any) -> int:
        """Return where the elements are of what `views` or `writable` returned."""

    @abstractmethod
    def guards(self, read: Sequence[Any], way: int) -> list[Any]:
        """Return what is to be checked, by `check()`, before every call on these inputs."""

    @abstractmethod
    def new_frame(self) -> Frame:
        """Return a frame for calls on fixed arrays."""

    def turn(self, frame: Frame, prepared: Prepared, way: int) -> None:
        """Let the calls of a frame, which go this way, read another prepared buffer."""
        frame.turn_to(prepared.params, prepared.address, way)

    @abstractmethod
    def starter(
        self, frame: Frame, read: Sequence[Any], written: Sequence[Any], way: int
    ) -> Callable[[], int]:
        """Return the function that runs a frame, and returns 0 or the code of a failure."""

    @abstractmethod
    def to_machine(self, tree: Any) -> Any:
        """Return a tree with its arrays in the memory of the machine."""

    @abstractmethod
    def prepared_bytes(self, prepared: Prepared) -> Array:
        """Return what a prepared buffer holds, in the memory of the host."""

    @abstractmethod
    def scratch_bytes(self) -> Array:
        """Return what the last usual call left in its arena, in the memory of the host."""

    def failure(self, code: int) -> Exception:
        """Return the error for a call that did not return 0."""
        return failure(self.library, code)

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

    def plan(
        self, prepared: Prepared, inputs: Sequence[Shaped], states: Sequence[Shaped]
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
        self, prepared: Prepared, inputs: Sequence[Shaped], states: Sequence[Shaped]
    ) -> dict[str, int]:
        """Return the values of the dimensions, given the inputs and the changing state."""
        pairs = [*zip(self.inputs.slots, inputs, strict=True)]
        pairs += zip(self.slots, states, strict=True)
        found = [(slot, array) for slot, array in pairs if slot.shape is None]
        return self.solver.solve([*found, *prepared.symbolic])

    def completed(self, state: list[Any], inputs: Sequence[Shaped]) -> list[Any]:
        """Return the leaves of the state with zeros for those that are absent.

        A dimension that only absent leaves have takes its lowest value.
        """
        given = [
            (slot, self.seen(slot, leaf))
            for slot, leaf in zip(self.state.slots, state, strict=True)
            if leaf is not ABSENT
        ]
        pairs = [*zip(self.inputs.slots, inputs, strict=True), *given]
        known = self.solver.solve(pair for pair in pairs if pair[0].shape is None)
        return self.state.with_zeros(state, {**self.solver.lowest, **known})


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
