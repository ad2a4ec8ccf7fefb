"""Find the nodes that a kernel can compute row by row, several reductions among them.

A core begins with a reduction of whole rows and ends with a node that makes the only value
that leaves it. In between, elements per row are spread along the rows again, and rows are
reduced again. What follows a core elementwise is its epilogue.
"""

from collections.abc import Container, Iterable, Mapping, Sequence

from lxc.ir.dim import bounds
from lxc.ir.machine import Machine
from lxc.ir.node import Node
from lxc.ir.ops.reduce import reduce
from lxc.ir.ops.shape import broadcast, pad, reshape
from lxc.passes.decision import Refusal
from lxc.passes.flow import Flow
from lxc.passes.fusion_rules import outside_reads, refuse_operand_count
from lxc.passes.row_plan import MOST_REPEATED, plan_rows, steps_of
from lxc.passes.rows import Rows, rows_of, sides_of

CHEAP_STEPS = 8
"""The most steps per element that a kernel does again rather than reading a value."""


class RowFusion:
    """The cores of a region, each in order, and why they end where they do."""

    def __init__(self, flow: Flow, hoisted: frozenset[Node], machine: Machine) -> None:
        """Find all cores, the first reduction first; `hoisted` nodes run apart."""
        self.flow, self.hoisted, self.machine = flow, hoisted, machine
        self.cores: list[list[Node]] = []
        self.refused: dict[tuple[Node, Node], Refusal] = {}
        self.taken: set[Node] = set()
        found = {node: rows_of(node) for node in flow.nodes}
        self.rows = {node: rows for node, rows in found.items() if rows}
        for node in self.rows:
            core = [] if node in self.taken else self.core_from(node)
            if core:
                self.cores.append(core)
                self.taken.update(core)

    def core_from(self, seed: Node) -> list[Node]:
        """Return the core that begins with `seed`, or nothing."""
        rows = self.rows[seed]
        path, best, was_worth = [seed], 0, False
        while not self.flow.is_stored(path[-1]):
            longer = self.step(path, rows)
            if longer is None:
                break
            worth = is_worth(longer)
            new = any(node.op in (reduce, broadcast) for node in longer[len(path) :])
            if worth and (new or not was_worth):
                best = len(longer)
            path, was_worth = longer, worth
        return self.flow.in_order(path[:best])

    def step(self, path: list[Node], rows: Rows) -> list[Node] | None:
        """Return a path up to where all readers of its end have come together again."""
        end = self.flow.meeting.get(path[-1])
        if end is None:
            return None
        between = self.flow.between(path[-1], end)
        wrong = [node for node in between if not self.may_join(node, path[0])]
        beside = self.beside([*path, *between], rows)
        longer = [*path, *beside, *between]
        refusal = (
            refuse_other_rows(path, wrong[:1] or between)
            if wrong or sides_of(self.flow.in_order(longer), rows) is None
            else self.refuse_whole(self.flow.in_order(longer), end, rows)
        )
        if refusal is None:
            return longer
        for user in self.flow.users_of(path[-1]):
            self.refused[path[-1], user] = refusal
        return None

    def may_join(self, node: Node, seed: Node) -> bool:
        """Return whether a node is of a kind that rows are made of, and free."""
        fitting = node.op.kind == "elementwise" or node.op in (reduce, broadcast, reshape)
        same_time = (node in self.hoisted) == (seed in self.hoisted)
        return fitting and same_time and node not in self.taken

    def beside(self, path: Sequence[Node], rows: Rows) -> list[Node]:
        """Return other reductions that lead to the path alone, with their ways."""
        found: list[Node] = []
        inside = set(path)
        for node in self.before(path):
            if node not in inside and self.rows.get(node) == rows:
                way = self.way_into(node, inside)
                found += way
                inside.update(way)
        return found

    def before(self, path: Sequence[Node]) -> list[Node]:
        """Return the reductions that a path reads from with no other in between."""
        seen = set(path)
        pending = [value for node in path for value in node.operands]
        found: list[Node] = []
        while pending:
            node = self.flow.made.get(pending.pop())
            if node and node not in seen and self.may_join(node, path[0]):
                seen.add(node)
                if node.op is reduce:
                    found.append(node)
                else:
                    pending += node.operands
        return self.flow.in_order(found)

    def way_into(self, start: Node, inside: Container[Node]) -> list[Node]:
        """Return the nodes from a reduction to those `inside`, if all ways lead there."""
        way = [start]
        while self.may_join(way[-1], start) and not self.flow.is_stored(way[-1]):
            end = self.flow.meeting.get(way[-1])
            if end is None:
                return []
            between = self.flow.between(way[-1], end)
            outside = [node for node in between if node not in inside]
            if any(not self.may_join(node, start) for node in outside):
                return []
            if end in inside:
                return [*way, *outside]
            way += outside
        return []

    def refuse_whole(self, nodes: Sequence[Node], end: Node, rows: Rows) -> Refusal | None:
        """Say why a kernel of these nodes, which ends with `end`, would not pay."""
        machine = self.machine
        size = bounds(rows.length)[0] * end.result.type.dtype.bytes
        if size > machine.second_cache:
            return Refusal(
                "long-rows",
                f"a row has {rows.length} elements and would not stay in the cache",
                f"rows of at most {machine.second_cache} bytes",
            )
        return refuse_work(nodes, end, machine)

    def epilogue(self, core: list[Node], members: Mapping[Node, object]) -> list[Node]:
        """Return the nodes that follow a core elementwise, in order.

        `members` tells which nodes have a kernel already.
        """
        path, rows = core, next(self.rows[node] for node in core if node in self.rows)
        while not self.flow.is_stored(path[-1]):
            end = self.flow.meeting.get(path[-1])
            if end is None:
                break
            between = self.flow.between(path[-1], end)
            longer = self.flow.in_order([*path, *between])
            follows = all(
                self.may_join(node, path[0])
                and not members[node]
                and (node.op.kind == "elementwise" or node.op is reshape)
                for node in between
            )
            if not follows or sides_of(longer, rows) is None:
                break
            if refuse_work(longer, end, self.machine):
                break
            path = longer
        return [node for node in path if node not in core]

    def refuse_prologue(
        self, node: Node, members: Iterable[Node], end: Node
    ) -> Refusal | None:
        """Say why `node` cannot be computed in front of the others of a row kernel."""
        if node.op is pad:
            return Refusal(
                "padding",
                "a check of bounds in the inner loop would cost more than a copy",
                "no padding",
            )
        if steps_of(node) == 0:
            return None
        before = self.flow.in_order(members)
        longer = self.flow.in_order([*members, node])
        most = repeated_steps(before, end) + CHEAP_STEPS
        return refuse_work(longer, end, self.machine, most)


def is_worth(nodes: Sequence[Node]) -> bool:
    """Return whether only a row kernel can hold a path; none ends with a mere view."""
    if nodes[-1].op in (broadcast, reshape):
        return False
    several = sum(node.op is reduce for node in nodes) > 1
    return several or any(node.op in (broadcast, reshape) for node in nodes)


def refuse_other_rows(path: Sequence[Node], found: Sequence[Node]) -> Refusal:
    """Say that a node has no place among the rows of a path."""
    other = found[0]
    return Refusal(
        "other-rows",
        f"{other.op} does not go along the rows that {path[0].op} goes over",
        "elementwise nodes, and reductions over the same last axes",
    )


def repeated_steps(nodes: Sequence[Node], end: Node, enough: int = 0) -> int:
    """Return how many steps per element are done in more than one walk along a row.

    Up to `enough` steps, the answer may be any number up to `enough`.
    """
    work = sum(map(steps_of, nodes)) * sum(node.op is reduce for node in nodes)
    plan = plan_rows(nodes, end.result) if work > enough else None
    return plan.repeated if plan else 0


def refuse_work(
    nodes: Sequence[Node], end: Node, machine: Machine, most: int = MOST_REPEATED
) -> Refusal | None:
    """Refuse a kernel that reads too much, or does more than `most` steps again."""
    repeated = repeated_steps(nodes, end, most)
    if repeated <= most:
        return refuse_operand_count(outside_reads(nodes), machine.registers)
    return Refusal(
        "repeated",
        f"{repeated} steps per element would be done in several walks along a row",
        "less work, or a result whose memory can hold what it makes",
    )
