"""Give every value its place in one block of memory."""

from collections.abc import Iterable, Mapping

from lxc.ir.graph import Graph, Program
from lxc.ir.node import Node, Value
from lxc.passes.joined_memory import Part, joined_in_place
from lxc.passes.liveness import Life, Timeline, timeline_of
from lxc.passes.loop_memory import is_alias, replaceable_operands
from lxc.passes.state_memory import states_in_place

ALIGNMENT = 64


class Buffer:
    """A piece of memory that one value after the other lives in, or parts of one.

    `offsets` has the bytes in front of each value.
    """

    def __init__(self, whole: Value, life: Life) -> None:
        """Make room for a value, from the time of a life on; it is not here yet."""
        self.offsets: dict[Value, int] = {}
        self.first, self.last = life.first, life.last
        self.bytes = -(-whole.type.max_bytes // ALIGNMENT) * ALIGNMENT

    def take(self, value: Value, life: Life, offset: int) -> None:
        """Keep `value` here too."""
        self.offsets[value] = offset
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
    Neither has new state that may be written over the old. Parts of a joined value lie in
    it where they can.
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
    buffers = share(timeline, joined_in_place(graph, timeline, ALIGNMENT))
    offsets = arrange(buffers)
    found = {
        value: offsets[buffer] + offset
        for buffer in buffers
        for value, offset in buffer.offsets.items()
    }
    places = {value: found[value] for value in timeline.lives if value in found}
    arena = max((offsets[buffer] + buffer.bytes for buffer in buffers), default=0)
    return graph.replaced(places=places, arena_bytes=arena)


def share(timeline: Timeline, joined: Mapping[Value, Part]) -> list[Buffer]:
    """Return the buffers, after results took over those of their operands."""
    heirs = {node.results[0]: (tick, node) for tick, node in timeline.kernels}
    wholes = {part.whole for part in joined.values()}
    buffers: dict[Value, Buffer] = {}
    for value, life in timeline.lives.items():
        tick, node = heirs.get(value, (0, None))
        if node and is_alias(node) and node.operands[0] not in buffers:
            continue
        part = joined.get(value, Part(value, 0))
        if part.whole in wholes:
            buffer = buffers.setdefault(part.whole, Buffer(part.whole, life))
            buffer.take(value, life, part.offset)
            buffers[value] = buffer
            continue
        older = inherited(node, tick, buffers, timeline.carries) if node else None
        older = timeline.heirs.get(value, older)
        buffers[value] = buffers[older] if older else Buffer(value, life)
        buffers[value].take(value, life, buffers[older].offsets[older] if older else 0)
    return list(dict.fromkeys(buffers.values()))


def inherited(
    node: Node, tick: int, buffers: Mapping[Value, Buffer], carries: set[Value]
) -> Value | None:
    """Return the operand whose memory the result of `node` can have, if any.

    The carries of a loop are written at the end of each step, in some order, so a reshape
    of one is a copy.
    """
    used = [buffers.get(operand) for operand in node.operands]
    if is_alias(node):
        (operand,) = node.operands
        return None if operand in carries else operand
    for operand in replaceable_operands(node):
        buffer = buffers.get(operand)
        if buffer and buffer.last == tick and used.count(buffer) == 1:
            return operand
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
