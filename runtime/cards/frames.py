"""The frames of a model on a card: structs of calls, with scratch memory on the card.

A frame is free again as soon as its call is in a stream. The next call on that stream may
have it at once, for it comes later; one on another stream would have to wait, and gets a
frame of its own, up to a limit.
"""

from lxc.runtime.cards.store import Block, Store
from lxc.runtime.frame import Frame, Sizes, Table

MOST = 16
"""Calls on more streams share scratch memory, one after the other."""


class CardFrame(Frame):
    """The struct of a call whose scratch memory is a block on the card."""

    def __init__(self, sizes: Sizes, block: Block) -> None:
        """Allocate the struct and its tables."""
        super().__init__(sizes, 0, (block, block.address))
        self.block = block

    def turn_to(self, params: Table, prepared: int, threads: int) -> None:
        """Let the frame call with a table of params; a card has no use for threads."""
        super().turn_to(params, prepared, 0)


class CardFrames:
    """The frames that no call fills at the moment, by the stream of their last call."""

    def __init__(self, sizes: Sizes, store: Store) -> None:
        """Begin without frames."""
        self.sizes, self.store = sizes, store
        self.free: dict[int, list[CardFrame]] = {}
        self.made = 0

    def take(self, stream: int) -> CardFrame:
        """Return a frame for a call on a stream."""
        frame = self.free_one(stream)
        if frame is None:
            return self.new(stream)
        frame.block.before_write(stream)
        return frame

    def free_one(self, stream: int) -> CardFrame | None:
        """Return a free frame, of another stream only if there are many already."""
        others = list(self.free) if self.made >= MOST else []
        for key in (stream, *others):
            try:
                return self.free[key].pop()
            except LookupError:
                pass
        return None

    def new(self, stream: int) -> CardFrame:
        """Return a new frame."""
        frame = CardFrame(self.sizes, self.store.take(self.sizes.arena, stream))
        self.made += 1
        return frame

    def give(self, frame: CardFrame, stream: int) -> None:
        """Let another call have a frame, whose call is in a stream."""
        self.free.setdefault(stream, []).append(frame)
