"""Fetch what a kernel reads and writes soon, where it goes once through much memory.

The machine fetches lines ahead by itself, but stops at every page, and does not see far
when each line costs much work. What fits into the second-level cache is left to it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lxc.ir.machine import Machine
from lxc.ir.node import Node, Value
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import Buffer, Index

LINE_BYTES = 64
IN_ORDER = frozenset({"broadcast", "reshape", "constant", "reduce"})
"""Ops that read what is as large as their result, or as what they reduce, in its order."""


@dataclass(frozen=True)
class Stream:
    """Memory that is gone through from front to back, with elements of some bytes."""

    buffer: Buffer
    size: int
    is_read: bool


@dataclass(frozen=True)
class Streams:
    """All the memory that a kernel goes through at the same time, position by position."""

    streams: tuple[Stream, ...]

    def fetch(
        self, writer: Writer, position: Index, count: int, *, further: Index = 0
    ) -> None:
        """Write what fetches the lines of some elements from a position on.

        Of memory that is read they are so much `further`.
        """
        for stream in self.streams:
            start = position + further if stream.is_read else position
            for offset in range(0, count, max(1, LINE_BYTES // stream.size)):
                place = writer.prover.simplify(start + offset)
                writer.fetch(stream.buffer, place, nearest=True)


def streams_of(
    nodes: Iterable[Node],
    whole: Value,
    buffers: Mapping[Value, Buffer],
    result: tuple[Value, Buffer],
    machine: Machine,
) -> Streams:
    """Return what is read and written in the order of `whole`, if that is much memory.

    `result` is the value that is stored, with its memory.
    """
    count = whole.type.element_count
    if any(n.op.kind != "elementwise" and n.op.name not in IN_ORDER for n in nodes):
        return Streams(())
    found = {**buffers, result[0]: result[1]}
    alike = {
        value: one for value, one in found.items() if value.type.element_count == count
    }
    if sum(value.type.max_bytes for value in alike) <= machine.second_cache:
        return Streams(())
    return Streams(
        tuple(
            Stream(one, value.type.dtype.bytes, value in buffers)
            for value, one in alike.items()
        )
    )
