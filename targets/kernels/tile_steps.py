"""The steps of a reduction, in loops: how many of them stand one after the other."""

from collections.abc import Callable, Sequence

from lxc.targets.kernels.anchors import Anchor
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import Index

TERMS_UNROLLED = 16
"""So many terms at most stand one after the other in the innermost loop, ..."""
TERMS_WHOLE = 32
"""... but a reduction of no more than these is written without a loop, ..."""
TERMS_OVERLAPPING = 48
"""... and so many, at most, along an axis where rows read what their neighbours do."""

Steps = Callable[[tuple[Index, ...]], None]


def most_steps(anchor: Anchor, sums: int, registers: int) -> int:
    """Return how many steps of a tile of so many sums stand one after the other.

    Elements that overlapping rows share are loaded once where their steps do. There are
    about as many of them as there are sums, most of which are at hand all the time.
    """
    most = max(1, TERMS_UNROLLED // max(1, sums))
    last = anchor.depth[-1] if anchor.overlapping else 0
    if not isinstance(last, int) or last * sums > TERMS_OVERLAPPING:
        return most
    return max(most, last) if 2 * (sums + last) <= registers * 5 // 4 else most


def write_steps(writer: Writer, depth: Sequence[Index], most: int, body: Steps) -> None:
    """Write `body` for all coordinates of `depth`; up to `most` bodies stand in a row."""
    if not depth:
        body(())
        return
    *outer, last = depth
    if isinstance(last, int) and last <= most:

        def row_of_bodies(deep: tuple[Index, ...]) -> None:
            for k in range(last):
                body((*deep, k))

        write_steps(writer, outer, most // max(1, last), row_of_bodies)
        return
    with writer.loops(outer) as counters:
        if not isinstance(last, int) or most < 2:
            with writer.loop(last) as k:
                body((*counters, k))
            return
        unrolled = 1 << (most.bit_length() - 1)
        with writer.loop(last // unrolled) as turn:
            for k in range(unrolled):
                body((*counters, turn * unrolled + k))
        for k in range(last // unrolled * unrolled, last):
            body((*counters, k))
