"""Leaves on their way to a card: what lies there is taken as it is, the rest is copied."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.runtime.buffers import Gatherer, Slot
from lxc.runtime.cards import dlpack
from lxc.runtime.cards.array import CardArray
from lxc.runtime.cards.order import DEFAULT_BY_NUMBER, stream_of
from lxc.runtime.cards.pinned import PinnedMemory
from lxc.runtime.cards.store import Store
from lxc.runtime.host_engine import unfit_output
from lxc.runtime.memory import Array, address

ON_CARD = (dlpack.CUDA, dlpack.CUDA_MANAGED)


class Leaves:
    """The way to the card and back for the leaves of one model."""

    def __init__(self, store: Store) -> None:
        """Note where memory comes from."""
        self.store = store
        self.pinned = PinnedMemory(store.library)

    def empty(self, shape: tuple[int, ...], dtype: np.dtype[Any], stream: int) -> CardArray:
        """Return a new array on the card, for a stream to write."""
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        block = self.store.take(size, stream)
        return CardArray(self.store, block, block.address, shape, dtype)

    def copied(self, array: Array, stream: int) -> CardArray:
        """Return an array of the host as a stream copies it to the card."""
        made = self.empty(array.shape, array.dtype, stream)
        if array.nbytes:
            library = self.store.library
            library.upload(made.address, address(array), array.nbytes, stream)
        return made

    def duplicate(self, array: CardArray, stream: int) -> CardArray:
        """Return a copy of an array of the card, as a stream makes it."""
        made = self.empty(array.shape, array.dtype, stream)
        if array.nbytes:
            self.store.library.copy(made.address, array.address, array.nbytes, stream)
        return made

    def downloaded(self, array: CardArray, stream: int) -> Array:
        """Return an array of the host that a stream fills: wait for it."""
        made = self.pinned.array(array.shape, array.dtype)
        self.download(array, made, stream)
        return made

    def download(self, array: CardArray, target: Array, stream: int) -> None:
        """Let a stream copy an array to the host."""
        if target.nbytes:
            library = self.store.library
            library.download(address(target), array.address, target.nbytes, stream)

    def gather(
        self, gatherer: Gatherer, leaves: Sequence[Any], slots: Sequence[Slot], stream: int
    ) -> list[CardArray]:
        """Return each leaf as an array on the card; name all that do not fit."""
        pairs = [*zip(slots, leaves, strict=True)]
        accept = partial(self.accept, stream=stream)
        try:
            return [accept(slot, leaf) for slot, leaf in pairs]
        except LxcError as first:
            if first.code != gatherer.role.code:  # the card failed, not the leaf
                raise
            raise gatherer.all_misfits(pairs, first, accept) from None

    def accept(self, slot: Slot, value: Any, stream: int) -> CardArray:
        """Return a leaf that fits its slot, on the card, for a stream to read."""
        found = self.on_card(slot, value, stream)
        return self.copied(slot.accept(value), stream) if found is None else found

    def on_card(self, slot: Slot, value: Any, stream: int) -> CardArray | None:
        """Return a leaf that lies on the card and fits its slot, or None."""
        if not is_on_card(value):
            return None
        found = self.viewed(slot, value, stream)
        if found.dtype != slot.dtype or (
            found.shape != slot.shape and not slot.fits(found)
        ):
            raise slot.misfit(found)
        if slot.indices is not None:
            slot.check_indices(self.host_copy(found, stream))
        return found

    def viewed(self, slot: Slot, value: Any, stream: int) -> CardArray:
        """Return an array on the card that shares its memory, in order for a stream."""
        if isinstance(value, CardArray):
            self.check_card(slot, value.store.number)
            if value.block is not None:
                value.block.before_read(stream)
            return value
        if hasattr(value, "__dlpack_device__"):
            return self.imported(slot, value, stream)
        return self.described(slot, value.__cuda_array_interface__, value, stream)

    def writable(
        self, value: Any, slot: Slot, shape: tuple[int, ...], stream: int
    ) -> CardArray:
        """Return an array of the caller that a stream may write the leaf of a slot to."""
        found = self.viewed(slot, value, stream)
        if found.dtype != slot.dtype or found.shape != shape:
            raise unfit_output(slot, shape, found)
        if found.is_read_only:
            raise LxcError(
                "LXC-E0506",
                f"the array for the {slot.role.one} {slot.leaf.name} is read-only",
                hint="pass an array that its library lets others write to",
            )
        if found.block is not None:
            found.block.before_write(stream)
        return found

    def host_copy(self, array: CardArray, stream: int) -> Array:
        """Return the contents of an array, when a stream that may read it got there."""
        made = self.downloaded(array, stream)
        self.store.library.wait(stream)
        return made

    def imported(self, slot: Slot, value: Any, stream: int) -> CardArray:
        """Return an array of another library, which shares its memory through DLPack."""
        wanted = stream or DEFAULT_BY_NUMBER
        try:
            try:
                capsule = value.__dlpack__(stream=wanted, max_version=dlpack.VERSION)
            except TypeError:  # a producer from before there were versions
                capsule = value.__dlpack__(stream=wanted)
            seen = dlpack.look_into(capsule)
        except (BufferError, RuntimeError, TypeError, ValueError) as error:
            raise LxcError(
                slot.role.code,
                f"DLPack gives no access to the {slot.role.one} {slot.leaf.name}: {error}",
            ) from None
        self.check_card(slot, seen.device[1])
        if not seen.is_contiguous:
            raise scattered(slot)
        kind = seen.shape, seen.dtype, seen.is_read_only
        return CardArray(self.store, capsule, seen.place, *kind)

    def described(
        self, slot: Slot, found: dict[str, Any], owner: Any, stream: int
    ) -> CardArray:
        """Return an array that has a `__cuda_array_interface__`."""
        dtype, shape = np.dtype(found["typestr"]), tuple(found["shape"])
        steps = [step * dtype.itemsize for step in dlpack.strides_of(shape)]
        if found.get("strides") not in (None, tuple(steps)):
            raise scattered(slot)
        if found.get("stream") is not None:
            order = self.store.order
            order.follow(stream, order.mark(stream_of(found["stream"])))
        place, is_read_only = found["data"]
        return CardArray(self.store, owner, place, shape, dtype, bool(is_read_only))

    def check_card(self, slot: Slot, number: int) -> None:
        """Refuse a leaf that lies on another card."""
        if number != self.store.number:
            raise LxcError(
                slot.role.code,
                f"the {slot.role.one} {slot.leaf.name} lies on card {number}, "
                f"and the model runs on card {self.store.number}",
                hint="copy it there, or load the model with card=",
            )


def is_on_card(value: Any) -> bool:
    """Tell whether an array of another library lies on a card."""
    if type(value) is np.ndarray:
        return False
    if not hasattr(value, "__dlpack_device__"):
        return hasattr(value, "__cuda_array_interface__")
    kind, _ = value.__dlpack_device__()
    return int(kind) in ON_CARD


def scattered(slot: Slot) -> LxcError:
    """Return the error for an array whose elements do not follow each other."""
    return LxcError(
        slot.role.code,
        f"the {slot.role.one} {slot.leaf.name} is not contiguous on the card",
        hint="pass a contiguous array: x.contiguous() in PyTorch",
    )
