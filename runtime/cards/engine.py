"""Running compiled code on a card: arrays of the host go there and back.

What lies on the card already is taken as it is. A call with an input on the card returns
outputs on the card, and does not wait for them; state comes back where it came from.
"""

import weakref
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.runtime.artifact import Artifact
from lxc.runtime.buffers import Gatherer, Slot
from lxc.runtime.cards.calls import Call, IndexGuard, note_uses
from lxc.runtime.cards.frames import CardFrame, CardFrames
from lxc.runtime.cards.leaves import Leaves, is_on_card
from lxc.runtime.cards.library import CardLibrary
from lxc.runtime.cards.order import DEFAULT, Moment, stream_of
from lxc.runtime.cards.preparer import CardPreparer, CardWatch, blocks_of
from lxc.runtime.cards.store import Store
from lxc.runtime.engine import Engine
from lxc.runtime.frame import Frame
from lxc.runtime.host_engine import check_threads, unfit_output
from lxc.runtime.library import mapped
from lxc.runtime.manifest import TargetRecord
from lxc.runtime.memory import Array, Shaped, Watching, address
from lxc.runtime.prepared import Prepared
from lxc.runtime.trees import ABSENT
from lxc.tree import map_leaves


def open_card(artifact: Artifact, target: TargetRecord, number: int) -> "CardEngine":
    """Return the engine of a model on the card of this number."""
    library = mapped(artifact, target, CardLibrary)
    library.use(number)
    return CardEngine(artifact, target, library, number)


class CardEngine(Engine):
    """The mapped code of a model with its memory on the card.

    The way of a call is its stream.
    """

    usual = DEFAULT

    def __init__(
        self, artifact: Artifact, target: TargetRecord, library: CardLibrary, number: int
    ) -> None:
        """Prepare everything that does not depend on a call."""
        super().__init__(artifact, target)
        self.library: CardLibrary = library
        weakref.finalize(self, library.card.close).atexit = False
        self.store = Store(library, number)
        self.leaves = Leaves(self.store)
        self.frames: CardFrames = CardFrames(self.sizes, self.store)
        trees = (self.params, self.state)
        self.preparer = CardPreparer(
            self.leaves, library, target, trees, self.solver, self.constants, 0
        )

    def way(self, threads: int | None, stream: Any) -> int:
        """Return the handle of the stream of a call; the number of threads is of no use."""
        if threads is not None:
            check_threads(threads)
        return stream_of(stream)

    def run(
        self, prepared: Prepared, inputs: list[Any], state: list[Any], out: Any, way: int
    ) -> tuple[Any, Any]:
        """Return the trees of outputs and new state."""
        try:
            return self.computed(prepared, inputs, state, out, way)
        except BaseException:
            # Copies may be under way from or to memory of the host that is free now.
            self.library.card.wait(way)
            raise

    def computed(
        self, prepared: Prepared, inputs: list[Any], state: list[Any], out: Any, way: int
    ) -> tuple[Any, Any]:
        """Return what `run` does."""
        self.store.let_go()
        call = Call(self.leaves, way)
        taken = call.gather(self.inputs, inputs, self.inputs.slots)
        stays = any(map(is_on_card, inputs))
        where = [stays if leaf is ABSENT else is_on_card(leaf) for leaf in state]
        if self.has_optional:
            state = self.completed(state, taken)
        states = call.gather(self.state, [state[i] for i in self.changing], self.slots)
        plan = self.fixed_plan or self.plan(prepared, taken, states)
        made = [call.empty(one.shape, one.dtype) for one in states]
        given = None if out is None else self.outputs.leaves(out)
        outputs = [
            call.output(slot, shape, None if given is None else given[place])
            for place, (slot, shape) in enumerate(
                zip(self.outputs.slots, plan.shapes, strict=True)
            )
        ]
        before, after = prepared.places.copy(), self.unwritten.copy()
        for index, old, new in zip(self.changing, states, made, strict=True):
            before[index], after[index] = old.address, new.address
        reads, writes = ([one.address for one in each] for each in (taken, outputs))
        entries = (*reads, *before, *after, *writes, *plan.dims)
        call.launch(self.library, self.frames, prepared, entries)
        results = call.results(outputs, given, stays=stays)
        leaves = list(state)
        for index, new in zip(self.changing, made, strict=True):
            leaves[index] = new if where[index] else call.downloaded(new)
        call.finish()
        return self.build_outputs(results), self.build_state(leaves)

    def copies(
        self, gatherer: Gatherer, leaves: Sequence[Any], slots: Sequence[Slot]
    ) -> list[Any]:
        """Return copies on the card."""
        taken = self.leaves.gather(gatherer, leaves, slots, DEFAULT)
        made = [
            self.leaves.duplicate(array, DEFAULT) if is_on_card(leaf) else array
            for leaf, array in zip(leaves, taken, strict=True)
        ]
        self.library.wait(DEFAULT)
        return made

    def seen(self, slot: Slot, value: Any) -> Shaped:
        """Return a leaf that fits its slot, on the card or the host."""
        found = self.leaves.on_card(slot, value, DEFAULT)
        return slot.accept(value) if found is None else found

    def contents(self, slot: Slot, value: Any) -> Array:
        """Return a leaf that fits its slot, in the memory of the host."""
        found = self.leaves.on_card(slot, value, DEFAULT)
        if found is None:
            return slot.accept(value)
        return self.leaves.host_copy(found, DEFAULT)

    def watch(self, value: Any) -> Watching | None:
        """Return what tells whether an array of the host or the card changed."""
        return CardWatch([value])

    def views(
        self, gatherer: Gatherer, leaves: Sequence[Any], slots: Sequence[Slot]
    ) -> list[Any]:
        """Return leaves that fit and lie on the card."""
        for slot, leaf in zip(slots, leaves, strict=True):
            if not is_on_card(leaf):
                raise LxcError(
                    gatherer.role.code,
                    f"the {slot.role.one} {slot.leaf.name} would have to be copied",
                    hint="pass an array that lies on the card: model.to_machine(x)",
                )
        return self.leaves.gather(gatherer, leaves, slots, DEFAULT)

    def writable(self, array: Any, slot: Slot, shape: tuple[int, ...]) -> Any:
        """Return an array of the caller on the card that a leaf can be written to."""
        if not is_on_card(array):
            raise unfit_output(slot, shape, array)
        found = self.leaves.writable(array, slot, shape, DEFAULT)
        if found.block is not None:
            found.block.memory.may_change = True  # by every call on these arrays
        return found

    def address(self, array: Any) -> int:
        """Return where the elements of an array are on the card."""
        place: int = array.address
        return place

    def guards(self, read: Sequence[Any], way: int) -> list[Any]:
        """Return the tests of inputs that are indices, which wait for the card."""
        pairs = zip(self.inputs.slots, read, strict=True)
        return [IndexGuard(self.leaves, s, a, way) for s, a in pairs if s.indices]

    def new_frame(self) -> Frame:
        """Return a frame for calls on fixed arrays, with scratch memory of its own."""
        return CardFrame(self.sizes, self.store.take(self.sizes.arena, DEFAULT))

    def turn(self, frame: Frame, prepared: Prepared, way: int) -> None:
        """Let the calls of a frame, in this stream, read another prepared buffer.

        The buffer may be dropped while they go on, and nothing marks where they end: who
        gets its memory waits for all streams.
        """
        super().turn(frame, prepared, way)
        for block in blocks_of(prepared.kept) if way != DEFAULT else ():
            block.memory.is_open = True

    def starter(
        self, frame: Frame, read: Sequence[Any], written: Sequence[Any], way: int
    ) -> Callable[[], int]:
        """Return the function that gives a frame to a stream."""
        start = partial(self.library.enqueue, frame.pointer, way)
        for array in read:
            if array.block is not None:
                array.block.before_read(way)
        if way == DEFAULT:
            note_uses(read, written, Moment(DEFAULT, None))
            return start
        return partial(self.start_and_note, start, read, written, way)

    def start_and_note(
        self,
        start: Callable[[], int],
        read: Sequence[Any],
        written: Sequence[Any],
        stream: int,
    ) -> int:
        """Give a frame to a stream that may be gone when the arrays are."""
        code = start()
        if code == 0:
            note_uses(read, written, self.store.order.mark(stream))
        return code

    def to_machine(self, tree: Any) -> Any:
        """Return a tree with its arrays on the card."""
        moved = map_leaves(self.moved, tree)
        self.library.wait(DEFAULT)
        return moved

    def prepared_bytes(self, prepared: Prepared) -> Array:
        """Return a copy of what a prepared buffer holds."""
        return self.fetched(prepared.address, self.target.prepared_bytes)

    def scratch_bytes(self) -> Array:
        """Return a copy of what the last usual call left in its arena."""
        frame = self.frames.free[self.usual][-1]
        return self.fetched(frame.block.address, self.sizes.arena)

    def fetched(self, place: int, size: int) -> Array:
        """Return a copy of memory of the card."""
        made = np.empty(size, np.uint8)
        self.library.download(address(made), place, size, DEFAULT)
        self.library.wait(DEFAULT)
        return made

    def moved(self, leaf: Any) -> Any:
        """Return a leaf on the card if it is an array of the host."""
        if is_on_card(leaf) or not hasattr(leaf, "__array__"):
            return leaf
        array = self.leaves.copied(np.asarray(leaf, order="C"), DEFAULT)
        note_uses([], [array], Moment(DEFAULT, None))
        return array
