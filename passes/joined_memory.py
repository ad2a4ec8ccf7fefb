"""Joins whose parts lie where they belong as soon as they are made: nothing is copied."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value
from lxc.ir.ops.scratch import scratch
from lxc.ir.ops.shape import concat
from lxc.ir.ops.structure import scan
from lxc.passes.liveness import Timeline
from lxc.passes.loop_memory import is_alias
from lxc.passes.nodes import attributes_of, is_symbolic, producers


@dataclass(frozen=True)
class Part:
    """Where a value lies: so many bytes behind the start of another one."""

    whole: Value
    offset: int


def joined_in_place(graph: Graph, timeline: Timeline, alignment: int) -> dict[Value, Part]:
    """Return where the parts of joins lie, for all joins that can do without a copy.

    The parts of such a join are one after the other in memory, in places that values may
    have, and each is made by a kernel that can write it there. A part of a join that is a
    part itself lies in the outermost one.
    """
    made = producers(graph.nodes)
    looped = {*timeline.carries, *timeline.heirs, *timeline.heirs.values()}
    found: dict[Value, Part] = {}
    for node in graph.nodes:
        if node.op is not concat or node.result not in timeline.lives:
            continue
        parts = dict(parts_of(node))
        free = timeline.lives.keys() - looped - found.keys()
        if (
            is_one_after_the_other(node)
            and len(parts) == len(node.operands)
            and all(value in free and is_written(made.get(value)) for value in parts)
            and not any(part.offset % alignment for part in parts.values())
        ):
            found |= parts
    return {value: outermost(part, found) for value, part in found.items()}


def is_one_after_the_other(join: Node) -> bool:
    """Return whether the elements of each operand of a join are side by side in it."""
    shape, axis = join.result.type.shape, attributes_of(join)["axis"]
    return not is_symbolic(shape) and prod(map(int, shape[:axis])) == 1


def parts_of(join: Node) -> Iterator[tuple[Value, Part]]:
    """Yield the operands of a join with where they would lie in its result."""
    offset = 0
    for value in join.operands:
        yield value, Part(join.result, offset)
        offset += value.type.max_bytes


def is_written(maker: Node | None) -> bool:
    """Return whether a kernel writes the result of a node, wherever that lies."""
    return maker is not None and maker.op not in (scan, scratch) and not is_alias(maker)


def outermost(part: Part, found: dict[Value, Part]) -> Part:
    """Return where a part lies in the join that is a part of no other one."""
    while part.whole in found:
        outer = found[part.whole]
        part = Part(outer.whole, outer.offset + part.offset)
    return part
