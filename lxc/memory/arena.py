"""What the arena of a call is taken for: which values lie where, and for how long."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from lxc.errors import InternalError
from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value, walk
from lxc.ir.work_text import ops_line
from lxc.passes.liveness import timeline_of
from lxc.passes.loop_memory import is_alias
from lxc.passes.plan_memory import stored_by_caller

CARRY = "carry of a loop"
"""What is said of a value that no kernel alone makes."""


@dataclass(frozen=True)
class Tenant:
    """A value in the arena: bytes from `offset` on, from step `first` to `last`.

    `made_by` are the ops of the kernel that writes it, `layers` the paths it belongs to.
    """

    type: str
    offset: int
    bytes: int
    first: int
    last: int
    made_by: str
    layers: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {
            "type": self.type,
            "offset": self.offset,
            "bytes": self.bytes,
            "first_step": self.first,
            "last_step": self.last,
            "ops": self.made_by,
            "layers": list(self.layers),
        }


@dataclass(frozen=True)
class ArenaUse:
    """The arena of one call: its size, its steps and who lies in it, in order of time.

    So many bytes at its end are `behind` the values: what kernels of the call take to do
    their work, and copies of values that change places.
    """

    bytes: int
    steps: tuple[str, ...]
    tenants: tuple[Tenant, ...]
    behind: int = 0

    def of_code(self, whole: int) -> "ArenaUse":
        """Return the arena that code takes, which is so large."""
        return replace(self, bytes=whole, behind=whole - self.bytes)

    def taken_at(self, step: int) -> int:
        """Return how many bytes hold a value that is needed in a step."""
        spans = sorted(
            (one.offset, one.offset + one.bytes)
            for one in self.tenants
            if one.first <= step <= one.last
        )
        taken = end = 0
        for start, stop in spans:
            taken += max(0, stop - max(start, end))
            end = max(end, stop)
        return taken

    @property
    def fullest(self) -> int:
        """The first step in which most bytes are needed."""
        return max(range(len(self.steps)), key=self.taken_at, default=0)


def arena_use(graph: Graph) -> ArenaUse:
    """Return what a graph with a plan of its memory takes its arena for.

    A step is a kernel; one pass over the body of a loop stands for all of its steps.
    """
    if graph.arena_bytes is None:
        raise InternalError("the memory report", "the graph has no plan of its memory")
    timeline = timeline_of(graph, stored_by_caller(graph))
    kernels = [(tick, node) for tick, node in timeline.kernels if not is_alias(node)]
    makers = {value: node for node in walk(graph.nodes) for value in node.results}
    found: dict[Value, Tenant] = {}
    roots: dict[Value, Value] = {}
    for value, offset in graph.places.items():
        life, maker = timeline.lives[value], makers.get(value)
        inside = [
            n for n, (tick, _) in enumerate(kernels) if life.first <= tick <= life.last
        ]
        source = maker.operands[0] if maker and is_alias(maker) else value
        root = roots[value] = roots.get(source, source)
        if root in found:
            # Another view of memory that is listed already.
            older = found[root]
            found[root] = replace(older, last=max([older.last, *inside]))
        elif inside:
            found[root] = tenant(value, offset, inside, maker)
    steps = tuple(ops_line(node) for _, node in kernels)
    ordered = sorted(found.values(), key=lambda one: (one.first, one.offset))
    return ArenaUse(graph.arena_bytes, steps, tuple(ordered))


def tenant(value: Value, offset: int, steps: list[int], maker: Node | None) -> Tenant:
    """Return a value with its place and its time."""
    return Tenant(
        type=str(value.type),
        offset=offset,
        bytes=value.type.max_bytes,
        first=min(steps),
        last=max(steps),
        made_by=ops_line(maker) if maker else CARRY,
        layers=maker.location.layers if maker else (),
    )


def largest(use: ArenaUse, most: int) -> Iterator[Tenant]:
    """Yield the tenants that take most bytes."""
    yield from sorted(use.tenants, key=lambda one: (-one.bytes, one.first))[:most]
