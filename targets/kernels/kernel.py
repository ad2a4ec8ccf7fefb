"""The body of one kernel per fused node or opaque op."""

from collections.abc import Callable, Mapping

from lxc.errors import LxcError
from lxc.ir.machine import Machine
from lxc.ir.node import Value
from lxc.ir.types import TensorType
from lxc.passes.rows import rows_in
from lxc.targets.kernels.anchor_forms import ANCHORS
from lxc.targets.kernels.attention.kernel import write_attention
from lxc.targets.kernels.chains import write_chains
from lxc.targets.kernels.convolutions.staged import write_staged
from lxc.targets.kernels.convolutions.stretched import write_stretched
from lxc.targets.kernels.element import Source
from lxc.targets.kernels.group import group_of
from lxc.targets.kernels.interleaved import interleaves, write_interleaved
from lxc.targets.kernels.node_work import NodeWork
from lxc.targets.kernels.opaque import OPAQUE
from lxc.targets.kernels.pairs.instructions import write_pairs
from lxc.targets.kernels.pointwise import write_pointwise
from lxc.targets.kernels.rows.blocks import write_rows
from lxc.targets.kernels.sizes import index_of
from lxc.targets.kernels.squares import write_squares
from lxc.targets.kernels.storage import stored
from lxc.targets.kernels.tile import Work
from lxc.targets.kernels.tiles import write_tiles
from lxc.targets.kernels.turns import turn_in
from lxc.targets.kernels.variants import Variants
from lxc.targets.kernels.winograd.kernel import write_winograd
from lxc.targets.kernels.winograd_rows.kernel import write_winograd_rows
from lxc.targets.tvm_api import Buffer, Expr, array

GroupKernel = Callable[[NodeWork, Variants], str]


def array_of(name: str, kind: TensorType, dims: Mapping[str, Expr]) -> Buffer:
    """Return the flat array that holds a tensor."""
    return array(name, stored(kind.dtype), index_of(kind.element_count, dims))


def write_kernel(work: NodeWork, variants: Variants) -> str:
    """Write the body of a kernel and return the name of the algorithm."""
    node = work.node
    if node.op.name in OPAQUE:
        OPAQUE[node.op.name](work)
        return node.op.name
    if node.op.name not in GROUPS:
        raise LxcError(
            "LXC-E0304",
            f"this target has no code for {node.op}",
            layer=", ".join(node.location.layers) or None,
            op=str(node.op),
        )
    return GROUPS[node.op.name](work, variants)


def write_fused(work: NodeWork, variants: Variants) -> str:
    """Write one kernel for all nodes of a body; return the algorithm."""
    writer, result = work.writer, work.result
    machine, parallel = work.machine, work.parallel
    (body,) = work.node.bodies
    if rows_in(body.nodes):
        return write_rows(writer, body, work.operands, result, machine, parallel=parallel)
    buffers: dict[Value, Buffer] = dict(zip(body.parameters, work.operands, strict=True))
    source, group = Source(body, buffers), group_of(body)
    if group.anchor is None and interleaves(source, group, machine):
        write_interleaved(writer, source, group, result, machine, parallel=parallel)
        return "interleaved"
    turn = None if group.anchor else turn_in(source, group, machine)
    if turn:
        write_squares(writer, source, group, result, machine, turn, parallel=parallel)
        return "turned in squares"
    if group.anchor is None:
        write_pointwise(writer, source, group, result, machine, parallel=parallel)
        return "pointwise"
    if group.anchor.op.name in WHOLE:
        write = WHOLE[group.anchor.op.name]
        return write(writer, source, group, group.anchor, result, machine, parallel)
    anchor = ANCHORS[group.anchor.op.name](group.anchor, writer.dims, source)
    anchored = Work(
        writer,
        source,
        group,
        anchor,
        result,
        variants,
        resident=machine.second_cache,
        registers=machine.registers,
    )
    return write_anchored(anchored, machine, parallel)


GROUPS: Mapping[str, GroupKernel] = {"fused": write_fused}
"""How nodes with a body become one kernel."""

WHOLE = {"attention": write_attention}
"""Reductions of several steps, which have kernels of their own."""


STAGED = {
    "winograd_conv": write_winograd,
    "winograd_row_conv": write_winograd_rows,
    "staged_conv": write_staged,
    "stretched_conv": write_stretched,
}
"""Reductions that bring what they read into scratch memory first."""


def write_anchored(work: Work, machine: Machine, parallel: bool) -> str:
    """Write a reduction along the axis that suits it; return the algorithm."""
    anchor = work.anchor
    if anchor.node.op.name in STAGED:
        return STAGED[anchor.node.op.name](work, machine, parallel=parallel)
    if anchor.pairs:
        return write_pairs(work, machine, parallel=parallel)
    if anchor.lane is None and anchor.depth:
        write_chains(work, machine, parallel=parallel)
        return f"{anchor.node.op} by chains"
    write_tiles(work, machine, parallel=parallel)
    return f"{anchor.node.op} by tiles"
