"""Give every value its place in one block of memory."""

from collections.abc import Iterable, Mapping

from lxc.ir.graph import Graph, Program
from lxc.ir.node import Node, Value
from lxc.passes.liveness import Life, Timeline, timeline_of
from lxc.passes.loop_memory import is_alias, replaceable_operands
from lxc.passes.state_memory import states_in_place

ALIGNMENT = 64


class Buffer:
    """A piece of memory that one value after the other lives in."""

    def __init__(self, value: Value, life: Life) -> None:
        """Start with one value."""
        self.values = [value]
        self.first, self.last = life.first, life.last
        self.bytes = -(-value.type.max_bytes // ALIGNMENT) * ALIGNMENT

    def take(self, value: Value, life: Life) -> None:
        """Keep `value` here too."""
        self.values.append(value)
        self.last = max(self.last, life.last)

    def meets(self, other: "Buffer") -> bool:
        """Return whether the two are needed at the same time."""
        return self.first <= other.last and other.first <= self.last


def plan_memory(program: Graph | Program) -> Graph | Program:
    """Attach a byte offset for every value that needs memory, reusing what is free again.

    Sizes are those at the upper bounds of the dimensions, so offsets are constants. Outputs
    of the calls are written where the caller wants them and have no place; what `prepare`
    returns lies in its block, next to what it needs on the way. A reshape of a value that
    has no place of its own, such as an input, is that value's memory and has none either.
    Neither has new state that may be written over the old.
    """
    if isinstance(program, Graph):
        return planned(program, stored_by_caller(program))
    run = planned(program.run, stored_by_caller(program.run))
    return Program(planned(program.prepare, ()), run)


def stored_by_caller(graph: Graph) -> list[Value]:
    """Return the values that are written to memory of the caller."""
    return [*graph.outputs, *states_in_place(graph)]


def planned(graph: Graph, stored_elsewhere: Iterable[Value]) -> Graph:
    """Return `graph` with places for all values but those stored elsewhere."""
    timeline = timeline_of(graph, stored_elsewhere)
    buffers = share(timeline)
    offsets = arrange(buffers)
    found = {value: offsets[buffer] for buffer in buffers for value in buffer.values}
    places = {value: found[value] for value in timeline.lives if value in found}
    arena = max((offsets[buffer] + buffer.bytes for buffer in buffers), default=0)
    return graph.replaced(places=places, arena_bytes=arena)


def share(timeline: Timeline) -> list[Buffer]:
    """Return the buffers, after results took over those of their operands."""
    heirs = {node.results[0]: (tick, node) for tick, node in timeline.kernels}
    buffers: dict[Value, Buffer] = {}
    for value, life in timeline.lives.items():
        tick, node = heirs.get(value, (0, None))
        if node and is_alias(node) and node.operands[0] not in buffers:
            continue
        taken = inherited(node, tick, buffers, timeline.carries) if node else None
        if value in timeline.heirs:
            taken = buffers[timeline.heirs[value]]
        if taken:
            taken.take(value, life)
        buffers[value] = taken or Buffer(value, life)
    return list(dict.fromkeys(buffers.values()))


def inherited(
    node: Node, tick: int, buffers: Mapping[Value, Buffer], carries: set[Value]
) -> Buffer | None:
    """Return the buffer of an operand that the result of `node` can have, if any.

    The carries of a loop are written at the end of each step, in some order, so a reshape
    of one is a copy.
    """
    used = [buffers.get(operand) for operand in node.operands]
    if is_alias(node):
        return None if node.operands[0] in carries else used[0]
    for operand in replaceable_operands(node):
        buffer = buffers.get(operand)
        if buffer and buffer.last == tick and used.count(buffer) == 1:
            return buffer
    return None


def arrange(buffers: Iterable[Buffer]) -> dict[Buffer, int]:
    """Return an offset for each buffer: the largest first, each in the tightest gap."""
    order = sorted(buffers, key=lambda buffer: (-buffer.bytes, buffer.first))
    offsets: dict[Buffer, int] = {}
    for buffer in order:
        busy = sorted(
            (place, place + other.bytes)
            for other, place in offsets.items()
            if other.meets(buffer)
        )
        offsets[buffer] = tightest_gap(busy, buffer.bytes)
    return offsets


def tightest_gap(busy: list[tuple[int, int]], size: int) -> int:
    """Return the start of the smallest gap between busy ranges that `size` fits into."""
    best: tuple[int, int] | None = None
    end = 0
    for start, stop in busy:
        gap = start - end
        if gap >= size and (best is None or gap < best[0]):
            best = (gap, end)
        end = max(end, stop)
    return best[1] if best else end
