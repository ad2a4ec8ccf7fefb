"""One call on a card: what it reads and writes, and what goes back to the host."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lxc.runtime.buffers import Gatherer, Slot
from lxc.runtime.cards.array import CardArray
from lxc.runtime.cards.frames import CardFrames
from lxc.runtime.cards.leaves import Leaves, is_on_card
from lxc.runtime.cards.library import CardLibrary
from lxc.runtime.cards.order import DEFAULT, Moment
from lxc.runtime.host_engine import check_writable
from lxc.runtime.memory import Array
from lxc.runtime.prepared import Prepared


class Call:
    """Work for one stream, from the leaves that go in to those that come out."""

    def __init__(self, leaves: Leaves, stream: int) -> None:
        """Begin without leaves."""
        self.leaves, self.stream = leaves, stream
        self.given: list[CardArray] = []
        self.made: list[CardArray] = []
        self.must_wait = False

    def gather(
        self, gatherer: Gatherer, leaves: Sequence[Any], slots: Sequence[Slot]
    ) -> list[CardArray]:
        """Return leaves as arrays on the card."""
        arrays = self.leaves.gather(gatherer, leaves, slots, self.stream)
        for leaf, array in zip(leaves, arrays, strict=True):
            if is_on_card(leaf):
                self.given.append(array)
            else:
                # The caller may write to an array of the host when the call returns.
                self.made.append(array)
                self.must_wait = True
        return arrays

    def empty(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> CardArray:
        """Return a new array that the call writes."""
        array = self.leaves.empty(shape, dtype, self.stream)
        self.made.append(array)
        return array

    def output(self, slot: Slot, shape: tuple[int, ...], target: Any) -> CardArray:
        """Return the array that an output is written to: the caller's, or a new one."""
        if target is not None and is_on_card(target):
            array = self.leaves.writable(target, slot, shape, self.stream)
            self.made.append(array)
            return array
        if target is not None:
            check_writable(target, slot, shape)
        return self.empty(shape, slot.dtype)

    def launch(
        self,
        library: CardLibrary,
        frames: CardFrames,
        prepared: Prepared,
        entries: Sequence[int],
    ) -> None:
        """Give the call to the stream, and note who reads and writes what until when."""
        frame = frames.take(self.stream)
        try:
            frame.turn_to(prepared.params, prepared.address, 0)
            frame.fill(entries)
            library.check(library.enqueue(frame.pointer, self.stream))
            moment = self.leaves.store.order.mark(self.stream)
            frame.block.was_written(moment)
        finally:
            frames.give(frame, self.stream)
        note_uses(self.given, self.made, moment)
        owners = [one.owner for one in (*self.given, *self.made) if one.block is None]
        if self.stream != DEFAULT:
            owners.append(prepared)
        self.leaves.store.hold(owners, moment)

    def results(
        self, outputs: Sequence[CardArray], given: Sequence[Any] | None, *, stays: bool
    ) -> list[Any]:
        """Return the outputs where they are wanted; those on the host when `finish` was."""
        if given is None:
            return [one if stays else self.downloaded(one) for one in outputs]
        for array, target in zip(outputs, given, strict=True):
            if not is_on_card(target):
                self.leaves.download(array, target, self.stream)
                self.must_wait = True
        return list(given)

    def downloaded(self, array: CardArray) -> Array:
        """Return an array of the host with the contents of another when `finish` was."""
        self.must_wait = True
        return self.leaves.downloaded(array, self.stream)

    def finish(self) -> None:
        """Wait for the stream, if anything of the host takes part."""
        if self.must_wait:
            self.leaves.store.library.wait(self.stream)


def note_uses(
    given: Sequence[CardArray], made: Sequence[CardArray], moment: Moment
) -> None:
    """Note that work up to a moment reads some arrays and writes others."""
    for array in given:
        if array.block is not None:
            array.block.was_read(moment)
    for array in made:
        if array.block is not None:
            array.block.was_written(moment)


class IndexGuard:
    """An array of indices on the card that is looked at again before every call."""

    def __init__(self, leaves: Leaves, slot: Slot, array: CardArray, stream: int) -> None:
        """Prepare the test of an array that stays where it is."""
        self.leaves, self.slot, self.array, self.stream = leaves, slot, array, stream

    def check(self) -> None:
        """Refuse what is in the array if an index is outside of its table."""
        self.slot.check_indices(self.leaves.host_copy(self.array, self.stream))
