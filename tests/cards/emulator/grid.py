"""The blocks of one launch that wait for each other, which go on in turns."""

from collections.abc import Callable, Sequence
from threading import Semaphore, Thread

import numpy as np

from tests.cards.emulator.faults import Fault


class Turn:
    """One block of a launch, which goes on when it is let, up to where all blocks meet."""

    def __init__(self, execute: Callable[["Turn"], None]) -> None:
        self.execute = execute
        self.begin, self.end = Semaphore(0), Semaphore(0)
        self.is_done = False
        self.is_dropped = False
        self.fault: BaseException | None = None
        self.count = 0
        self.thread = Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        """Execute the block, when it is let for the first time."""
        self.begin.acquire()
        try:
            if not self.is_dropped:
                # Each thread of Python has its own way to treat such numbers.
                with np.errstate(all="ignore"):
                    self.execute(self)
        except BaseException as fault:
            self.fault = fault
        self.is_done = True
        self.end.release()

    def advance(self) -> None:
        """Let the block go on until it meets others, or is done."""
        self.begin.release()
        self.end.acquire()

    def meet(self, count: int) -> None:
        """Wait until all blocks are here, which are to be counted up to `count`."""
        self.count = count
        self.end.release()
        self.begin.acquire()
        if self.is_dropped:
            raise Fault("divergence", "a block waits that others left")

    def drop(self) -> None:
        """Leave the block where it is."""
        self.is_dropped = True
        if not self.is_done:
            self.advance()


class Grid:
    """The blocks of a launch that meet; `count` is what the counter of all blocks holds."""

    def __init__(self) -> None:
        self.counted: Callable[[], int] | None = None

    def run(self, blocks: Sequence[Callable[[Turn], None]]) -> None:
        """Run all blocks in turns. Raises the first fault."""
        turns = [Turn(execute) for execute in blocks]
        try:
            while not all(turn.is_done for turn in turns):
                for turn in turns:
                    if not turn.is_done:
                        turn.advance()
                    if turn.fault is not None:
                        raise turn.fault
                self.check(turns)
        finally:
            for turn in turns:
                turn.drop()

    def check(self, turns: Sequence[Turn]) -> None:
        """Raise unless all blocks are at one barrier, or done."""
        waiting = [turn for turn in turns if not turn.is_done]
        if waiting and len(waiting) < len(turns):
            raise Fault("divergence", "a block is done, for which others wait")
        for turn in waiting:
            counted = self.counted() if self.counted else 0
            if counted != turn.count:
                where = f"a block waits for {turn.count} on a counter of {counted}"
                raise Fault("divergence", where)
