"""Running compiled code on the processors of this machine."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.runtime.artifact import Artifact
from lxc.runtime.buffers import FixedIndices, Gatherer, Slot, as_array
from lxc.runtime.engine import Engine
from lxc.runtime.frame import Frame, Frames
from lxc.runtime.library import Library, failure
from lxc.runtime.manifest import TargetRecord
from lxc.runtime.memory import (
    Array,
    Shaped,
    Watch,
    Watching,
    address,
    is_sealed,
    new_array,
)
from lxc.runtime.plan import Plan
from lxc.runtime.prepared import Prepared, Preparer
from lxc.runtime.process_pool import PROCESS_POOL
from lxc.runtime.signature import Leaf

NO_ARRAYS: Sequence[Array] = ()


class HostEngine(Engine):
    """The mapped code of a model with its frames and its prepared buffers.

    The way of a call is its number of threads, 0 for all that the pool has.
    """

    def __init__(
        self, artifact: Artifact, target: TargetRecord, library: Library, threads: int
    ) -> None:
        """Prepare everything that does not depend on a call."""
        super().__init__(artifact, target)
        self.library: Library = library
        self.usual = threads
        pool = PROCESS_POOL.address(library)
        self.frames: Frames = Frames(self.sizes, pool)
        trees = (self.params, self.state)
        self.preparer = Preparer(library, target, trees, self.solver, self.constants, pool)

    def way(self, threads: int | None, stream: Any) -> int:
        """Return the number of threads of a call."""
        if stream is not None:
            raise LxcError(
                "LXC-E0505",
                "a call takes a stream only where the model runs on a card",
                hint="compile the model for cuda too, or leave stream= out",
            )
        return self.usual if threads is None else check_threads(threads)

    def run(
        self, prepared: Prepared, inputs: list[Any], state: list[Any], out: Any, way: int
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
            outputs = list(map(new_array, plan.shapes, plan.dtypes))
        else:
            outputs = self.caller_outputs(out, plan)
        frame = self.frames.take()
        try:
            if frame.params is not prepared.params or frame.threads != way:
                frame.turn_to(prepared.params, prepared.address, way)
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
        made: list[Array] = list(map(new_array, [one.shape for one in states], dtypes))
        for index, place, array in zip(self.changing, places, made, strict=True):
            new[index], before[index], after[index] = array, place, address(array)
        return states, before, after, new

    def caller_outputs(self, out: Any, plan: Plan) -> list[Array]:
        """Return the caller's arrays for the outputs, each of which must fit exactly."""
        leaves = self.outputs.leaves(out)
        for slot, array, shape in zip(self.outputs.slots, leaves, plan.shapes, strict=True):
            check_writable(array, slot, shape)
        return leaves

    def copies(
        self, gatherer: Gatherer, leaves: Sequence[Any], slots: Sequence[Slot]
    ) -> list[Any]:
        """Return read-only copies of leaves that fit; what is sealed needs no copy."""
        return list(map(kept_copy, gatherer.arrays(leaves, slots)))

    def seen(self, slot: Slot, value: Any) -> Shaped:
        """Return a leaf that fits its slot."""
        return slot.accept(value)

    def contents(self, slot: Slot, value: Any) -> Array:
        """Return a leaf that fits its slot."""
        return slot.accept(value)

    def watch(self, value: Any) -> Watching | None:
        """Return what tells whether an array of NumPy changed."""
        return Watch([value]) if isinstance(value, np.ndarray) else None

    def views(
        self, gatherer: Gatherer, leaves: Sequence[Any], slots: Sequence[Slot]
    ) -> list[Any]:
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

    def writable(self, array: Any, slot: Slot, shape: tuple[int, ...]) -> Any:
        """Return an array of the caller after checking it."""
        check_writable(array, slot, shape)
        return array

    def address(self, array: Any) -> int:
        """Return where the elements of an array are."""
        return address(array)

    def guards(self, read: Sequence[Any], way: int) -> list[Any]:
        """Return the tests of inputs that are indices."""
        pairs = zip(self.inputs.slots, read, strict=True)
        return [FixedIndices(slot, slot.indices, a) for slot, a in pairs if slot.indices]

    def new_frame(self) -> Frame:
        """Return a frame for calls on fixed arrays."""
        return Frame(self.frames.sizes, self.frames.pool)

    def starter(
        self, frame: Frame, read: Sequence[Any], written: Sequence[Any], way: int
    ) -> Callable[[], int]:
        """Return the function that runs a frame."""
        return partial(self.library.run, frame.pointer)

    def to_machine(self, tree: Any) -> Any:
        """Return a tree as it is: processors read the memory of the host."""
        return tree

    def prepared_bytes(self, prepared: Prepared) -> Array:
        """Return the memory of a prepared buffer."""
        block: Array = prepared.kept[-1]
        return block

    def scratch_bytes(self) -> Array:
        """Return the arena of the last call."""
        arena: Array = self.frames.free[-1].arena
        return arena


def kept_copy(array: Array) -> Array:
    """Return a read-only copy, or the array itself if nobody can write to its memory.

    Params in a mapped file are then in memory once, whatever number of processes has them.
    """
    if is_sealed(array):
        return array
    made = np.array(array, order="C", copy=True)
    made.flags.writeable = False
    return made


def check_threads(threads: int) -> int:
    """Return a number of threads that a call can have."""
    if isinstance(threads, int) and 0 < threads < 2**16:
        return threads
    raise LxcError("LXC-E0505", f"threads is a positive number, not {threads!r}")


def check_writable(array: Any, slot: Slot, shape: tuple[int, ...]) -> None:
    """Refuse an array that compiled code cannot write the leaf of `slot` into."""
    name = slot.leaf.name
    if (
        not isinstance(array, np.ndarray)
        or array.dtype != slot.dtype
        or array.shape != shape
    ):
        raise unfit_output(slot, shape, array)
    if not array.flags.carray:  # contiguous, aligned and writable
        raise LxcError(
            "LXC-E0506",
            f"the array for the {slot.role.one} {name} is not contiguous or is read-only",
            hint="pass an array made by numpy.empty",
        )


def unfit_output(slot: Slot, shape: tuple[int, ...], array: Any) -> LxcError:
    """Return the error for an array of another type or shape than what is to go there."""
    name = slot.leaf.name
    return LxcError(
        "LXC-E0506",
        f"the array for the {slot.role.one} {name} does not fit",
        expected=f"{name}: {Leaf(name, slot.leaf.dtype, shape)}",
        actual=f"{name}: {getattr(array, 'dtype', type(array).__name__)}"
        f"{list(getattr(array, 'shape', ()))}",
    )
