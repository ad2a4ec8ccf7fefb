"""Single reductions on a card whose neighbours lie along the reduced axes.

Each result is reduced by a warp, or by a block if there is much to reduce.
"""

from collections.abc import Sequence

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
from lxc.targets.kernels.anchor_forms import ANCHORS
from lxc.targets.kernels.anchors import Anchor
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.finish import finish
from lxc.targets.kernels.group import group_of
from lxc.targets.kernels.halo import write_halo
from lxc.targets.kernels.node_work import NodeWork
from lxc.targets.kernels.place import unravel
from lxc.targets.kernels.rows.vectors import Vector
from lxc.targets.kernels.sizes import product
from lxc.targets.kernels.tile import Work
from lxc.targets.kernels.variants import Variants
from lxc.targets.tvm_api import Index, as_index, is_equal, load

SUITED = frozenset({"reduce", "reduce_window"})


def write_row_reduction(
    writer: GridWriter, work: NodeWork, variants: Variants
) -> str | None:
    """Write a reduction along rows; return None if this node is something else."""
    kernel = row_reduction(writer, work, variants)
    if kernel is None:
        return None
    vectors = vectors_of(writer, work, kernel.anchor)
    if vectors is None:
        return None
    loops = kernel.anchor.loops
    write_halo(writer, kernel.source, kernel.group, kernel.result, 1)

    def results() -> None:
        with writer.team_loop(product(loops), vectors.team) as number:
            at = tuple(map(writer.name, unravel(number, loops), loops))
            write_result(writer, kernel, vectors, at)

    if vectors.width == 1:
        results()
    else:
        writer.when_aligned([*work.operands, work.result], results)
    where = "warps" if vectors.team == WARP else "blocks"
    return f"{kernel.anchor.node.op} by {where}"


def row_reduction(writer: GridWriter, work: NodeWork, variants: Variants) -> Work | None:
    """Return the parts of a kernel that reduces once, along its last axis."""
    if work.node.op.name != "fused" or rows_in(work.node.bodies[0].nodes):
        return None
    (body,) = work.node.bodies
    reductions = [node for node in body.nodes if node.op.kind == "reduction"]
    if len(reductions) != 1 or reductions[0].op.name not in SUITED:
        return None
    group = group_of(body)
    source = Source(body, dict(zip(body.parameters, work.operands, strict=True)))
    anchor = ANCHORS[reductions[0].op.name](reductions[0], writer.dims, source)
    if anchor.lane is not None or not anchor.depth or anchor.pairs:
        return None
    return Work(writer, source, group, anchor, work.result, variants)


def vectors_of(writer: GridWriter, work: NodeWork, anchor: Anchor) -> TeamVectors | None:
    """Return how a team takes what is reduced, or None if that is little."""
    *outer, size = anchor.depth
    parts = product(outer)
    sizes = [value.type.dtype.bytes for value in anchor.node.operands]
    width = widest(writer, lanes_for(sizes), size)
    most = writer.prover.most(parts * size)
    if most <= FEWEST:
        return None
    team = team_size(-(-most // width))
    return TeamVectors(parts, size, width, CHAINS, team, writer.member(team))


def write_result(
    writer: GridWriter, kernel: Work, vectors: TeamVectors, at: Sequence[Index]
) -> None:
    """Write one result of a team, which one of its threads stores."""
    anchor = kernel.anchor
    results = TeamResults(writer, anchor, vectors, vectors.team)

    def step(part: Index, run: Sequence[Vector]) -> None:
        for one in run:
            deep = (*unravel(part, anchor.depth[:-1]), one.inner)
            elements = Elements(writer, kernel.source, one.width)
            results.add_term(anchor.term_at(elements, at, deep), one.chain)

    vectors.write(writer, step)
    total = load(results.merged(), 0)
    leads = is_equal(as_index(vectors.member), as_index(0))
    writer.choose(leads, lambda: finish(kernel, total, at, 1), lambda: None)
