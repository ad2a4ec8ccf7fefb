"""The functions of a library for cards."""

import ctypes

from lxc.errors import LxcError
from lxc.runtime.library import MappedCode, failure

POINTER, PLACE, SIZE = ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p), ctypes.c_int64
STATUS = ctypes.c_int32
CARD_VERSION = 1


class CardFunctions(ctypes.Structure):
    """`lxc_card` of the C header."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("version", ctypes.c_uint32),
        ("use", ctypes.CFUNCTYPE(STATUS, STATUS)),
        ("allocate", ctypes.CFUNCTYPE(STATUS, SIZE, PLACE)),
        ("release", ctypes.CFUNCTYPE(STATUS, POINTER)),
        ("allocate_host", ctypes.CFUNCTYPE(STATUS, SIZE, PLACE)),
        ("release_host", ctypes.CFUNCTYPE(STATUS, POINTER)),
        ("upload", ctypes.CFUNCTYPE(STATUS, POINTER, POINTER, SIZE, POINTER)),
        ("download", ctypes.CFUNCTYPE(STATUS, POINTER, POINTER, SIZE, POINTER)),
        ("copy", ctypes.CFUNCTYPE(STATUS, POINTER, POINTER, SIZE, POINTER)),
        ("wait", ctypes.CFUNCTYPE(STATUS, POINTER)),
        ("wait_for_all", ctypes.CFUNCTYPE(STATUS)),
        ("mark", ctypes.CFUNCTYPE(STATUS, POINTER, PLACE)),
        ("follow", ctypes.CFUNCTYPE(STATUS, POINTER, POINTER)),
        ("has_passed", ctypes.CFUNCTYPE(STATUS, POINTER, ctypes.POINTER(STATUS))),
        ("forget", ctypes.CFUNCTYPE(STATUS, POINTER)),
        ("close", ctypes.CFUNCTYPE(STATUS)),
    )


class CardLibrary(MappedCode):
    """The functions of one mapped library; all release the GIL.

    Addresses, on the card or the host, streams and events are ints. Functions raise what
    the library reports.
    """

    def __init__(self, handle: ctypes.CDLL, prefix: str) -> None:
        """Look the functions of the model `prefix` up in `handle`."""
        super().__init__(handle, prefix)
        self.enqueue = handle[f"{prefix}_enqueue"]
        self.enqueue.restype = ctypes.c_int32
        self.enqueue.argtypes = [POINTER, POINTER]
        card = handle[f"{prefix}_card"]
        card.restype = ctypes.POINTER(CardFunctions)
        self.card: CardFunctions = card().contents
        found, wanted = (self.card.version, self.card.size), ctypes.sizeof(CardFunctions)
        if found[0] != CARD_VERSION or found[1] < wanted:
            raise LxcError(
                "LXC-E0407",
                "the library in the artifact has another interface for cards than this lxc",
                expected=f"version {CARD_VERSION}, {wanted} bytes",
                actual=f"version {found[0]}, {found[1]} bytes",
            )

    def use(self, number: int) -> None:
        """Let the model run on the card of this number."""
        self.check(self.card.use(number))

    def allocate(self, size: int) -> int:
        """Return the address of new memory on the card."""
        made = ctypes.c_void_p()
        self.check(self.card.allocate(size, ctypes.byref(made)))
        return made.value or 0

    def allocate_host(self, size: int) -> int:
        """Return the address of new memory of the host that copies reach by themselves."""
        made = ctypes.c_void_p()
        self.check(self.card.allocate_host(size, ctypes.byref(made)))
        return made.value or 0

    def upload(self, place: int, host: int, size: int, stream: int) -> None:
        """Let a stream copy memory of the host to the card."""
        self.check(self.card.upload(place, host, size, stream))

    def download(self, host: int, place: int, size: int, stream: int) -> None:
        """Let a stream copy memory of the card to the host."""
        self.check(self.card.download(host, place, size, stream))

    def copy(self, to: int, place: int, size: int, stream: int) -> None:
        """Let a stream copy memory of the card to another place on it."""
        self.check(self.card.copy(to, place, size, stream))

    def wait(self, stream: int) -> None:
        """Return when a stream has done all that it was given."""
        self.check(self.card.wait(stream))

    def wait_for_all(self) -> None:
        """Return when all streams have done what they were given."""
        self.check(self.card.wait_for_all())

    def mark(self, stream: int, event: int) -> int:
        """Return the event, a new one for 0, that marks what a stream was given so far."""
        place = ctypes.c_void_p(event or None)
        self.check(self.card.mark(stream, ctypes.byref(place)))
        return place.value or 0

    def follow(self, stream: int, event: int) -> None:
        """Let a stream wait for an event."""
        self.check(self.card.follow(stream, event))

    def has_passed(self, event: int) -> bool:
        """Tell whether the work before an event is done."""
        passed = ctypes.c_int32()
        self.check(self.card.has_passed(event, ctypes.byref(passed)))
        return bool(passed.value)

    def check(self, code: int) -> None:
        """Raise the error of a call that did not return 0."""
        if code != 0:
            raise failure(self, code)
