"""Rows on a card: each row is walked by a warp, a long one by a block.

What all threads of a team need of a row, such as its sum, all of them compute, from the
same numbers in the same order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from lxc.ir.dim import bounds
from lxc.ir.node import Value
from lxc.passes.row_plan import RowPlan, plan_rows
from lxc.passes.rows import rows_in
from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.templates.teams import (
    CHAINS,
    FEWEST,
    WARP,
    TeamResults,
    TeamVectors,
    lanes_for,
    team_size,
    widest,
)
from lxc.targets.kernels.anchors import Anchor
from lxc.targets.kernels.node_work import NodeWork
from lxc.targets.kernels.rows.facts import facts_of
from lxc.targets.kernels.rows.kernel import RowKernel
from lxc.targets.kernels.rows.numbers import Numbers
from lxc.targets.kernels.rows.parts import Parts
from lxc.targets.kernels.rows.scalars import row_scalars
from lxc.targets.kernels.rows.vectors import Vectors
from lxc.targets.kernels.sizes import index_of
from lxc.targets.kernels.streams import Streams
from lxc.targets.kernels.variants import Variants
from lxc.targets.tvm_api import Index, as_index, is_equal


def write_row_teams(writer: GridWriter, work: NodeWork, variants: Variants) -> str | None:
    """Write a kernel that goes row by row; return None if this node has no long rows."""
    node = work.node
    plan = None
    if node.op.name == "fused" and rows_in(node.bodies[0].nodes):
        plan = plan_rows(node.bodies[0].nodes, node.bodies[0].outputs[0])
    if plan is None or bounds(plan.rows.length)[1] <= FEWEST:
        return None
    kernel = with_lanes(team_rows(writer, work, plan))
    count = index_of(plan.rows.count, writer.dims)

    def rows() -> None:
        with writer.team_loop(count, kernel.team) as row:
            kernel.write(row, 1)

    if kernel.lanes == 1:
        rows()
    else:
        writer.when_aligned([*work.operands, work.result], rows)
    return "rows by warps" if kernel.team == WARP else "rows by blocks"


def team_rows(writer: GridWriter, work: NodeWork, plan: RowPlan) -> "TeamRows":
    """Return what all rows of a kernel share, elements still taken one by one."""
    (body,) = work.node.bodies
    facts = facts_of(body.nodes, plan)
    buffers = dict(zip(body.parameters, work.operands, strict=True))
    scalars = row_scalars(body, plan, facts)
    return TeamRows(
        writer, plan, facts, scalars, buffers, work.result, work.machine, writer, WARP, 1
    )


def with_lanes(kernel: "TeamRows") -> "TeamRows":
    """Return a kernel with as many lanes as all walks can read, and its team."""
    writer, rows = kernel.grid, kernel.plan.rows
    lanes = lanes_for(kernel.row_bytes())
    for walk in kernel.plan.walks:
        parts = kernel.steps(walk).parts
        lanes = widest(writer, lanes, kernel.size(parts.size))
    team = team_size(-(-bounds(rows.length)[1] // lanes))
    return replace(kernel, team=team, lanes=lanes)


@dataclass(frozen=True)
class TeamRows(RowKernel):
    """Rows that a team of `team` threads walks together, `lanes` elements at once."""

    grid: GridWriter
    team: int
    lanes: int

    def row_bytes(self) -> list[int]:
        """Return the sizes of elements of what lies in memory row by row."""
        rows = self.plan.rows
        values: Iterable[Value] = (*self.buffers, self.plan.stored)
        return [
            value.type.dtype.bytes
            for value in values
            if value.type.element_count == rows.count * rows.length
        ]

    def vectors(self, parts: Parts, kinds: Sequence[str], *, long: bool) -> TeamVectors:
        """Return the vectors of one thread of a team."""
        count, size = self.size(parts.count), self.size(parts.size)
        chains, member = 1 if long else CHAINS, self.grid.member(self.team)
        return TeamVectors(count, size, self.lanes, chains, self.team, member)

    def partial(self, anchor: Anchor, vectors: Vectors, count: int) -> TeamResults:
        """Write the start of a reduction along a row and return it."""
        return TeamResults(self.grid, anchor, vectors, self.team)

    def streams(self) -> Streams:
        """Return nothing: other warps go on while one waits for memory."""
        return Streams(())

    def save_numbers(self, first: Index, numbers: Numbers) -> None:
        """Write the number of a row, by one thread of the team."""
        member = as_index(self.grid.member(self.team))

        def save() -> None:
            super(TeamRows, self).save_numbers(first, numbers)

        self.grid.choose(is_equal(member, as_index(0)), save, lambda: None)
