"""The order of work in different streams of a card.

Streams do what they are given one thing after the other, and know nothing of each other.
What one writes and another reads is ordered by an event: the second waits for it. A handle
of a stream may stand for another stream later on, when the first is gone; so what was given
to a stream is marked by an event at once, not when somebody asks. Only the default stream
always stays the same.
"""

import weakref
from dataclasses import dataclass
from typing import Any

from lxc.errors import LxcError
from lxc.runtime.cards.library import CardLibrary

DEFAULT = 0
DEFAULT_BY_NUMBER = 1
"""What CUDA and DLPack call the default stream where 0 could stand for none."""


class Event:
    """An event of the driver; another one may have it when nothing refers to this."""

    def __init__(self, handle: int, free: list[int]) -> None:
        """Own the event."""
        self.handle = handle
        weakref.finalize(self, free.append, handle).atexit = False


@dataclass(frozen=True, slots=True)
class Moment:
    """The end of what a stream was given at some time.

    There is no event on the default stream: what waits, waits for all of it.
    """

    stream: int
    event: Event | None


class Order:
    """Marks moments of streams, and lets streams wait for them."""

    def __init__(self, library: CardLibrary) -> None:
        """Begin without events."""
        self.library = library
        self.free: list[int] = []
        weakref.finalize(self, forget_all, library, self.free).atexit = False

    def mark(self, stream: int) -> Moment:
        """Return the end of what a stream was given so far."""
        return Moment(stream, None if stream == DEFAULT else self.event(stream))

    def event(self, stream: int) -> Event:
        """Return an event at the end of what a stream was given so far."""
        try:
            handle = self.free.pop()
        except IndexError:
            handle = 0
        return Event(self.library.mark(stream, handle), self.free)

    def follow(self, stream: int, moment: Moment) -> None:
        """Let a stream wait for a moment."""
        event = moment.event
        if event is None:
            if stream == moment.stream:
                return
            event = self.event(moment.stream)
        self.library.follow(stream, event.handle)


def forget_all(library: CardLibrary, events: list[int]) -> None:
    """Give events back to the driver."""
    while events:
        library.card.forget(events.pop())


def stream_of(value: Any) -> int:
    """Return the handle of a stream: None, a number, or an object of another library."""
    if value is None:
        return DEFAULT
    found = value
    if hasattr(value, "__cuda_stream__"):
        found = value.__cuda_stream__()[1]
    for name in ("cuda_stream", "ptr", "handle"):
        if hasattr(value, name):
            found = getattr(value, name)
            break
    if type(found) is not int or found < 0:
        raise LxcError(
            "LXC-E0505",
            f"stream is the handle of a stream of CUDA, not {value!r}",
            hint="pass a number, torch.cuda.current_stream(), or a stream of CuPy",
        )
    return DEFAULT if found == DEFAULT_BY_NUMBER else found
