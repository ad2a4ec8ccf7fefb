"""The one pool of threads that all models of the process share."""

import threading

from lxc.runtime.library import Library


class ProcessPool:
    """The address of the pool of the first library that was loaded."""

    def __init__(self) -> None:
        """Begin without a pool."""
        self.lock = threading.Lock()
        self.first: int | None = None

    def address(self, library: Library) -> int:
        """Return the address of the pool, which is that of `library` if it comes first."""
        with self.lock:
            if self.first is None:
                self.first = int(library.pool())
            return self.first


# Threads are a resource of the process: a pool per model would start too many of them.
PROCESS_POOL = ProcessPool()
