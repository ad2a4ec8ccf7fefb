"""Memory on a card: blocks that are given back with their last reader.

Blocks of one size are kept for the next one who wants one, for the driver waits for all
work on the card before it gives memory back. Work may go on in a block when nothing refers
to it any more: who takes it next waits for that, on its stream.
"""

import threading
import weakref
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lxc.errors import LxcError
from lxc.runtime.cards.library import CardLibrary
from lxc.runtime.cards.order import Event, Moment, Order
from lxc.runtime.cards.sizes import block_size

MOST_READS = 8
"""Longer lists of readers are looked through for those that are done."""


@dataclass(slots=True)
class Memory:
    """A place on the card, and who uses it: who wrote it last, who has read it since.

    Of memory that is `open` it is not known yet when the work in it ends. What was `lent`
    to another library may be in use on streams that nobody told of. `writes` counts who
    got it to write to it; what `may_change` others write to whenever they want.
    """

    place: int
    size: int
    written: Moment | None = None
    reads: list[Moment] = field(default_factory=list)
    is_open: bool = False
    is_lent: bool = False
    may_change: bool = False
    writes: int = 0


class Store:
    """The blocks on the card that belong to one model, used or free."""

    def __init__(self, library: CardLibrary, number: int) -> None:
        """Begin without memory; `number` is that of the card."""
        self.library, self.number = library, number
        self.order = Order(library)
        self.lock = threading.Lock()
        self.free: dict[int, list[Memory]] = {}
        self.pending: deque[tuple[Event, Sequence[Any]]] = deque()
        weakref.finalize(self, release_all, library, self.free).atexit = False

    def take(self, size: int, stream: int) -> "Block":
        """Return a block of at least `size` bytes, for a stream to write."""
        whole = block_size(max(1, size))
        try:
            memory = self.free[whole].pop()
        except LookupError:
            memory = Memory(self.allocate(whole), whole)
        memory.may_change = False
        block = Block(memory, self)
        block.before_write(stream)
        return block

    def allocate(self, size: int) -> int:
        """Return new memory; if there is none, that of free blocks is given back first."""
        try:
            return self.library.allocate(size)
        except LxcError as error:
            if error.code != "LXC-E0601" or not any(self.free.values()):
                raise
        release_all(self.library, self.free)
        return self.library.allocate(size)

    def hold(self, owners: Sequence[Any], moment: Moment) -> None:
        """Keep what others own until a moment has passed."""
        if owners:
            event = moment.event or self.order.event(moment.stream)
            self.pending.append((event, owners))

    def let_go(self) -> None:
        """Stop to keep what is of no use to any stream any more."""
        past = []
        with self.lock:
            while self.pending and self.library.has_passed(self.pending[0][0].handle):
                past.append(self.pending.popleft())
        # What is dropped last may call back, so nothing is locked any more.
        del past


class Block:
    """Memory on the card, given back when nothing refers to this object any more."""

    def __init__(self, memory: Memory, store: Store) -> None:
        """Own memory."""
        self.memory, self.store = memory, store
        give = store.free.setdefault(memory.size, []).append
        weakref.finalize(self, give, memory).atexit = False

    @property
    def address(self) -> int:
        """The address of the first byte."""
        return self.memory.place

    def before_read(self, stream: int) -> None:
        """Let a stream wait for who wrote the block."""
        if self.memory.written is not None:
            self.store.order.follow(stream, self.memory.written)

    def before_write(self, stream: int) -> None:
        """Let a stream wait for all who use the block; `was_written` must follow."""
        memory = self.memory
        if memory.is_lent or memory.is_open:
            self.store.library.wait_for_all()
            memory.written, memory.reads, memory.is_lent = None, [], False
        self.before_read(stream)
        for moment in memory.reads:
            self.store.order.follow(stream, moment)
        memory.is_open = True
        memory.writes += 1

    def lend(self) -> None:
        """Note that another library has the block from now on."""
        self.memory.is_lent = self.memory.may_change = True

    def was_read(self, moment: Moment) -> None:
        """Note a reader."""
        memory = self.memory
        if moment.event is None and moment in memory.reads:
            return
        with self.store.lock:
            if len(memory.reads) >= MOST_READS:
                memory.reads = [one for one in memory.reads if self.is_going_on(one)]
            memory.reads.append(moment)

    def was_written(self, moment: Moment) -> None:
        """Note who wrote the block."""
        memory = self.memory
        memory.written, memory.reads, memory.is_open = moment, [], False

    def is_going_on(self, moment: Moment) -> bool:
        """Tell whether the work up to a moment may still go on."""
        event = moment.event
        return event is None or not self.store.library.has_passed(event.handle)


def release_all(library: CardLibrary, free: dict[int, list[Memory]]) -> None:
    """Give free blocks back to the driver, which waits for all work."""
    for blocks in list(free.values()):
        while blocks:
            library.card.release(blocks.pop().place)
