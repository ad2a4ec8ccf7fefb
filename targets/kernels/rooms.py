"""Work in rows of scratch memory, of which every task has one of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lxc.targets.kernels.split import vectors
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import Buffer, Index, as_index, constant, intrinsic, select


@dataclass(frozen=True)
class Share:
    """What is done in one row: `count` pieces of work, from the `first` one on."""

    row: Index
    first: Index
    count: Index


@contextmanager
def shares(writer: Writer, rows: int, pieces: Index, *, parallel: bool) -> Iterator[Share]:
    """Write a loop around what is done in one row of some for a part of all pieces.

    A thread alone does everything in the first row, which stays in its caches.
    """
    if not parallel or rows == 1:
        yield Share(0, 0, pieces)
        return
    wanted = select(writer.has_threads(), as_index(rows), as_index(1))
    used = writer.name(wanted, rows + 1)
    with writer.loop(used, parallel=True) as row:
        first = intrinsic("truncating_divide", pieces * row, used)
        end = intrinsic("truncating_divide", pieces * (row + 1), used)
        first = writer.name(first, pieces + 1)
        yield Share(row, first, writer.name(end - first, pieces + 1))


def write_zeros(
    writer: Writer, memory: Buffer, start: Index, length: int, lanes: int
) -> None:
    """Write zeros to some elements of scratch memory, from `start` on."""
    for piece in vectors(0, length, lanes):
        with writer.loop(piece.count) as number:
            place = writer.prover.simplify(start + piece.start + number * piece.size)
            zero, lane = constant(0.0, "float32"), writer.lane(piece.size)
            writer.store(memory, place + lane, zero, piece.size)
