"""Elementwise kernels on a card: each thread takes 16 bytes of what it reads at once."""

from dataclasses import replace

from lxc.passes.rows import rows_in
from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.templates.teams import lanes_for
from lxc.targets.kernels.element import Source
from lxc.targets.kernels.group import group_of
from lxc.targets.kernels.node_work import NodeWork
from lxc.targets.kernels.pointwise import write_pointwise
from lxc.targets.kernels.variants import Variants


def write_stream(writer: GridWriter, work: NodeWork, variants: Variants) -> str | None:
    """Write a kernel without reductions; return None if this node has some."""
    node = work.node
    if node.op.name != "fused" or rows_in(node.bodies[0].nodes):
        return None
    (body,) = node.bodies
    if any(inner.op.kind == "reduction" for inner in body.nodes):
        return None
    source = Source(body, dict(zip(body.parameters, work.operands, strict=True)))
    group = group_of(body)
    count = group.stored.type.element_count
    values = (*body.parameters, group.stored)
    alike = [one.type.dtype.bytes for one in values if one.type.element_count == count]
    machine = replace(work.machine, lanes=lanes_for(alike))

    def write() -> None:
        write_pointwise(writer, source, group, work.result, machine, parallel=True)

    writer.when_aligned([*work.operands, work.result], write)
    return "pointwise"
