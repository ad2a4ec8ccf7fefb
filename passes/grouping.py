"""Put the nodes of one region, a graph or the body of a loop, into groups: one per kernel.

A group has one result, made by its root. What works on the same rows comes first. Then
every reduction takes what follows it elementwise, up to the point where all its readers
have come together again (its immediate post-dominator), as long as that lasts. Then every
other node, the last first, joins the group of its readers if that is a single one. A view
that costs nothing to look through is copied to each of its readers instead.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lxc.ir.machine import Machine
from lxc.ir.node import Node, Value
from lxc.ir.ops.reduce import reduce
from lxc.ir.ops.shape import pad, reshape, reverse, slice, transpose
from lxc.passes.block_exits import follows_in_exit
from lxc.passes.decision import Decision, Refusal, decided
from lxc.passes.flow import Flow
from lxc.passes.fusion_rules import (
    ALWAYS_COPIED,
    COMPARISONS,
    HALOED,
    Access,
    is_counted,
    operand_accesses,
    outside_reads,
    refuse_access,
    refuse_kind,
    refuse_operand_count,
    refuse_reduction,
)
from lxc.passes.nodes import attributes_of
from lxc.passes.row_fusion import RowFusion


@dataclass(eq=False)
class Group:
    """The nodes of one kernel; `accesses` tells for each how its result is asked for.

    `by_rows` is set if it works row by row, and may so hold several reductions.
    """

    root: Node
    anchor: Node | None = None
    by_rows: bool = False
    accesses: dict[Node, dict[Access, None]] = field(default_factory=dict)

    def reads_with(self, *more: Node) -> int:
        """Return how many values come from outside, with some more members."""
        return outside_reads([*self.accesses, *more])


class Grouping(Flow):
    """The groups of one region, and why each pair of nodes shares one or not."""

    def __init__(
        self,
        nodes: Sequence[Node],
        results: Iterable[Value],
        hoisted: frozenset[Node],
        machine: Machine,
    ) -> None:
        """Group `nodes`; `results` must be stored, `hoisted` nodes run apart."""
        super().__init__(nodes, results)
        self.hoisted = hoisted
        self.machine = machine
        self.groups: list[Group] = []
        self.members: dict[Node, list[Group]] = {node: [] for node in nodes}
        self.refused: dict[tuple[Node, Node], Refusal] = {}
        self.rows = RowFusion(self, hoisted, machine)
        self.grow_reductions()
        for node in reversed(self.nodes):
            self.place(node)
        self.groups.sort(key=lambda group: self.position[group.root])

    def grow_reductions(self) -> None:
        """Give every reduction a group with its epilogue, the last reduction first.

        Where two reductions meet in one node, the later one takes it, so that no kernel has
        to wait for another one that could run before it. Reductions of the same rows share
        a group.
        """
        cores = {core[-1]: self.core_group(core) for core in self.rows.cores}
        for node in reversed(self.nodes):
            if node in cores:
                self.extend_rows(cores[node])
            elif node.op.kind == "reduction" and not self.members[node]:
                path = self.epilogue(node)
                group = Group(path[-1], node)
                self.groups.append(group)
                for member in reversed(path):
                    self.join(member, group, self.accesses_in(member, group))

    def core_group(self, core: list[Node]) -> Group:
        """Return a group of what has to be computed row by row together."""
        group = Group(core[-1], core[0], by_rows=True)
        self.groups.append(group)
        for member in core:
            self.join(member, group, {Access(): None})
        return group

    def extend_rows(self, group: Group) -> None:
        """Let a group that works row by row take what follows it."""
        for member in self.rows.epilogue(list(group.accesses), self.members):
            self.join(member, group, {Access(): None})
            group.root = member

    def epilogue(self, anchor: Node) -> list[Node]:
        """Return `anchor` and the nodes that follow it in its kernel, in order."""
        path = [anchor]
        while not self.is_stored(path[-1]):
            end = self.meeting.get(path[-1])
            if end is None or path[-1].op in (pad, slice):
                break
            between = self.between(path[-1], end)
            if not all(self.may_follow(node, path, between) for node in between):
                break
            if outside_reads([*path, *between]) > self.machine.registers:
                break
            path += between
        return path

    def may_follow(self, node: Node, path: list[Node], between: list[Node]) -> bool:
        """Return whether `node` may stand behind a reduction and its `path` in a kernel."""
        anchor, end = path[0], between[-1]
        if self.members[node] or (node in self.hoisted) != (anchor in self.hoisted):
            return False
        if node is not end and self.is_stored(node):
            return False
        if node.op is transpose or path[-1].op in (transpose, reshape):
            return between == [node] and follows_in_exit(node, path, anchor)
        if node.op is reshape:
            return between == [node]
        if node.op is pad:
            return between == [node] and self.is_halo(node, anchor)
        same_shape = node.results[0].type.shape == anchor.result.type.shape
        return node.op.kind == "elementwise" and same_shape

    def is_halo(self, node: Node, anchor: Node) -> bool:
        """Return whether a kernel with `anchor` writes its result inside of the pad `node`.

        Vectors run along the last axis, so that one has no edges.
        """
        filling = self.made.get(node.operands[1])
        facts = attributes_of(node)
        edges = (*facts["low"], *facts["high"])
        return (
            anchor.op in HALOED
            and filling is not None
            and filling.op.kind == "source"
            and all(isinstance(entry, int) and entry >= 0 for entry in edges)
            and not any(facts["interior"])
            and facts["low"][-1] == facts["high"][-1] == 0
        )

    def place(self, node: Node) -> None:
        """Let `node` join the groups of its readers, or start a group of its own."""
        if self.members[node]:
            (group,) = self.members[node]
            if group.root is node:
                self.explain_end(node, group)
            return
        accepted = self.accepting(node)
        for group in accepted:
            self.join(node, group, self.accesses_in(node, group))
        readers_left = any((node, user) in self.refused for user in self.users_of(node))
        if self.is_stored(node) or readers_left or not accepted:
            group = Group(node)
            self.groups.append(group)
            self.join(node, group, {Access(): None})

    def accepting(self, node: Node) -> list[Group]:
        """Return the groups that `node` joins, and record why other readers refuse it."""
        copied = self.is_copied(node)
        homes = {user: self.members[user] for user in self.users_of(node)}
        every = list(dict.fromkeys(group for groups in homes.values() for group in groups))
        verdicts = {group: self.refuse(node, group) for group in every}
        whole = None if copied else self.refuse_whole(node, every)
        for user, groups in homes.items():
            refusals = [
                refuse_kind(node, user),
                whole,
                *(verdicts[group] for group in groups),
            ]
            refusal = next((entry for entry in refusals if entry), None)
            if refusal:
                self.refused[node, user] = refusal
        if not copied and any((node, user) in self.refused for user in homes):
            return []
        return [
            group
            for group in every
            if not any(
                (node, user) in self.refused for user in homes if user in group.accesses
            )
        ]

    def is_copied(self, node: Node) -> bool:
        """Return whether each reader may have `node` for itself: it only finds elements."""
        if node in self.hoisted:
            return False
        if node.op.kind == "source" or node.op in ALWAYS_COPIED:
            return True
        if node.op in COMPARISONS:
            return all(is_counted(value, self.made) for value in node.operands)
        if node.op not in (transpose, reverse):
            return False
        maker = self.made.get(node.operands[0])
        return maker is None or self.is_copied(maker)

    def refuse(self, node: Node, group: Group) -> Refusal | None:
        """Say why `node` cannot join `group`, if it cannot."""
        if not self.is_copied(node) and (node in self.hoisted) != (
            group.root in self.hoisted
        ):
            return Refusal(
                "prepared",
                "it follows from the parameters alone and is computed once for all calls",
                "a value that depends on the inputs",
            )
        refusal = refuse_access(node, self.accesses_in(node, group))
        if group.by_rows:
            refusal = refusal or self.rows.refuse_prologue(node, group.accesses, group.root)
        reads = group.reads_with(node)
        return refusal or refuse_operand_count(reads, self.machine.registers)

    def refuse_whole(self, node: Node, groups: list[Group]) -> Refusal | None:
        """Say why the result of `node` must be in memory whatever its readers are."""
        if self.is_stored(node):
            return Refusal(
                "stored",
                "the value leaves the model or the loop, so it is in memory anyway",
                "a value that only this reader needs",
            )
        if len(groups) < 2:
            return None
        meeting = self.meeting.get(node)
        where = f", which meet in {meeting.op}" if meeting else ""
        return Refusal(
            "several-kernels",
            f"{len(groups)} kernels read it{where}, and it is computed once",
            "readers that fit into one kernel",
        )

    def explain_end(self, node: Node, group: Group) -> None:
        """Record why the kernel of a reduction ends at its root `node`."""
        readers = self.users_of(node)
        every = list(dict.fromkeys(home for user in readers for home in self.members[user]))
        for user in readers:
            homes = self.members[user]
            anchored = any(home.anchor for home in homes)
            refusal = refuse_kind(node, user) or self.refuse_whole(node, every)
            if not refusal and (node in self.hoisted) != (user in self.hoisted):
                refusal = self.refuse(node, homes[0])
            crowd = refuse_operand_count(group.reads_with(user), self.machine.registers)
            refusal = refusal or (None if anchored else crowd)
            refusal = refusal or self.rows.refused.get((node, user))
            self.refused[node, user] = refusal or refuse_reduction(node, user, anchored)

    def accesses_in(self, node: Node, group: Group) -> dict[Access, None]:
        """Return how `group` would ask for the result of `node`."""
        if node is group.root:
            return {Access(): None}
        found: dict[Access, None] = {}
        for user in self.users_of(node):
            if group.by_rows and user.op in (reduce, reshape) and user in group.accesses:
                # A row that is walked several times is still read at one index at a time.
                found |= group.accesses[user]
            elif user in group.accesses:
                found |= operand_accesses(user, group.accesses[user])
        return found

    def join(self, node: Node, group: Group, accesses: dict[Access, None]) -> None:
        """Make `node` a member of `group`."""
        group.accesses[node] = accesses
        self.members[node].append(group)

    def decisions(self) -> list[Decision]:
        """Return one decision per pair of a node and one that reads it, in order."""
        return [
            self.decision(node, user) for node in self.nodes for user in self.users_of(node)
        ]

    def decision(self, node: Node, user: Node) -> Decision:
        """Return what was decided about one pair."""
        refusal = self.refused.get((node, user))
        if refusal:
            return decided(node, user, refusal)
        anchor = self.members[user][0].anchor
        if self.is_copied(node):
            return decided(
                node, user, None, "view", "its elements are read through an index"
            )
        if self.members[user][0].by_rows:
            return decided(
                node, user, None, "rows", "a row is finished while it is at hand"
            )
        if anchor in (node, None) or self.position[node] > self.position[anchor]:
            rule = "epilogue" if anchor else "elementwise"
            return decided(node, user, None, rule, "each element is used where it is made")
        return decided(node, user, None, "operand", f"computed inside of the {anchor.op}")
