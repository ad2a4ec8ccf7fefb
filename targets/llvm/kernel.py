"""One kernel per fused node or opaque op: its function, and what to say about it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lxc.errors import LxcError
from lxc.ir.dim import Dim
from lxc.ir.machine import Machine
from lxc.ir.node import Node, Value
from lxc.ir.types import TensorType
from lxc.passes.records import NO_RECORDS, Answer, Records, subject_of
from lxc.passes.rows import rows_in
from lxc.targets.llvm.anchor_forms import ANCHORS
from lxc.targets.llvm.attention import write_attention
from lxc.targets.llvm.chains import write_chains
from lxc.targets.llvm.cost import Cost, cost_of
from lxc.targets.llvm.element import Source
from lxc.targets.llvm.group import group_of
from lxc.targets.llvm.node_work import NodeWork
from lxc.targets.llvm.opaque import OPAQUE
from lxc.targets.llvm.pair_kernels import write_pairs
from lxc.targets.llvm.pointwise import write_pointwise
from lxc.targets.llvm.rows import write_rows
from lxc.targets.llvm.sizes import index_of
from lxc.targets.llvm.staged import write_staged
from lxc.targets.llvm.storage import stored
from lxc.targets.llvm.stretched import write_stretched
from lxc.targets.llvm.tile import Work
from lxc.targets.llvm.tiles import write_tiles
from lxc.targets.llvm.variants import Variants
from lxc.targets.llvm.winograd import write_winograd
from lxc.targets.llvm.writer import Writer
from lxc.targets.tvm_api import Buffer, Expr, Function, array, variable
from lxc.targets.tvm_functions import function

GroupKernel = Callable[[NodeWork, Variants], str]


@dataclass(frozen=True)
class Kernel:
    """A function of the addresses of operands and result, then of the dimensions.

    `answer` says which variant it is, if there are several.
    """

    name: str
    function: Function
    algorithm: str
    cost: Cost
    answer: Answer | None


def make_kernel(
    name: str,
    node: Node,
    dims: Sequence[Dim],
    machine: Machine,
    *,
    noalias: bool,
    records: Records = NO_RECORDS,
) -> Kernel:
    """Return the kernel of a fused node or of an opaque op."""
    variables = {dim.name: variable(dim.name) for dim in dims}
    writer = Writer(variables, has_look_up=machine.has_look_up)
    for dim in dims:
        writer.prover.bind(variables[dim.name], dim.low, dim.high - dim.low + 1)
    operands = [
        array_of(f"x{number}", value.type, variables)
        for number, value in enumerate(node.operands)
    ]
    result = array_of("y", node.result.type, variables)
    cost = cost_of(node)
    variants = Variants(records, subject_of("tiles", node, dims, machine))
    work = NodeWork(writer, node, operands, result, machine, cost.pays_threads)
    algorithm = write_kernel(work, variants)
    parameters = [*operands, result, *variables.values()]
    made = function(parameters, writer.body, symbol=None, noalias=noalias)
    return Kernel(name, made, algorithm, cost, variants.answer)


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
    if group.anchor is None:
        write_pointwise(writer, source, group, result, machine, parallel=parallel)
        return "pointwise"
    if group.anchor.op.name in WHOLE:
        write = WHOLE[group.anchor.op.name]
        return write(writer, source, group, group.anchor, result, machine, parallel)
    anchor = ANCHORS[group.anchor.op.name](group.anchor, writer.dims, source)
    anchored = Work(writer, source, group, anchor, result, variants)
    return write_anchored(anchored, machine, parallel)


GROUPS: Mapping[str, GroupKernel] = {"fused": write_fused}
"""How nodes with a body become one kernel."""

WHOLE = {"attention": write_attention}
"""Reductions of several steps, which have kernels of their own."""


STAGED = {
    "winograd_conv": write_winograd,
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
