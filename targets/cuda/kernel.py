"""One kernel of a card per fused node or opaque op, or for a whole loop."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lxc.ir.dim import Dim
from lxc.ir.machine import Machine
from lxc.ir.node import Node
from lxc.passes.records import NO_RECORDS, Answer, subject_of
from lxc.targets.cuda.grid_writer import Following, GridWriter
from lxc.targets.cuda.templates.recurrence.kernel import write_recurrence
from lxc.targets.cuda.templates.recurrence.memory import Recurrence
from lxc.targets.cuda.templates.table import write_by_template
from lxc.targets.kernels.cost import Cost, cost_of
from lxc.targets.kernels.kernel import array_of, write_kernel
from lxc.targets.kernels.node_work import NodeWork
from lxc.targets.kernels.variants import Variants
from lxc.targets.tvm_api import Buffer, Expr, Function, Index, variable
from lxc.targets.tvm_functions import function


@dataclass(frozen=True)
class DeviceKernel:
    """A function of the addresses of operands and results, the dimensions, and `blocks`.

    `turns` are the turns of its parallel loops, in terms of `dims`. A block has so many
    `threads`, which share so many bytes. Where a second kernel follows, both take the
    address of so many bytes of a workspace behind those of the arrays. So many `blocks`
    wait for each other, and are those of a launch; if none do, any number will do.
    """

    name: str
    function: Function
    algorithm: str
    cost: Cost
    dims: tuple[Expr, ...]
    turns: tuple[Index, ...]
    threads: int
    shared_bytes: int
    workspace_bytes: int = 0
    following: "DeviceKernel | None" = None
    blocks: int = 0

    @property
    def answer(self) -> Answer | None:
        """Nothing: a kernel for cards comes in one variant."""
        return None


def make_device_kernel(
    name: str, node: Node, dims: Sequence[Dim], machine: Machine, *, noalias: bool
) -> DeviceKernel:
    """Return the kernel of a fused node or of an opaque op."""
    writer = writer_for(dims)
    operands, (result,) = arrays_of(node, writer)
    variants = Variants(NO_RECORDS, subject_of("tiles", node, dims, machine))
    work = NodeWork(writer, node, operands, result, machine, parallel=True)
    algorithm = write_by_template(writer, work, variants) or write_kernel(work, variants)
    made = finished(name, node, writer, (*operands, result), algorithm, noalias=noalias)
    if writer.following is None:
        return made
    other = make_following(f"{name}_b", work, dims, writer.following, noalias=noalias)
    size = writer.following.bytes
    return replace(made, workspace_bytes=size, following=other)


def make_following(
    name: str, work: NodeWork, dims: Sequence[Dim], following: Following, *, noalias: bool
) -> DeviceKernel:
    """Return the kernel that is launched behind the first one of a node."""
    writer, memory = writer_for(dims), following.memory
    operands, (result,) = arrays_of(work.node, writer)
    again = replace(work, writer=writer, operands=operands, result=result)
    algorithm = following.write(writer, again, memory)
    arrays = (*operands, result, memory)
    made = finished(name, work.node, writer, arrays, algorithm, noalias=noalias)
    return replace(made, cost=following.cost, workspace_bytes=following.bytes)


def make_loop_kernel(
    name: str, plan: Recurrence, dims: Sequence[Dim], *, noalias: bool
) -> DeviceKernel:
    """Return the kernel of a whole loop."""
    writer = writer_for(dims)
    operands, results = arrays_of(plan.node, writer)
    algorithm = write_recurrence(writer, plan, operands, results)
    arrays = (*operands, *results)
    return finished(name, plan.node, writer, arrays, algorithm, noalias=noalias)


def writer_for(dims: Sequence[Dim]) -> GridWriter:
    """Return a writer that knows the dimensions of a graph."""
    # A name of its own, for those of dimensions may mean something in CUDA.
    variables = {dim.name: variable(f"dim_{dim.name}") for dim in dims}
    writer = GridWriter(variables)
    for dim in dims:
        writer.prover.bind(variables[dim.name], dim.low, dim.high - dim.low + 1)
    return writer


def arrays_of(node: Node, writer: GridWriter) -> tuple[list[Buffer], list[Buffer]]:
    """Return the arrays of the operands and of the results of a node."""
    operands = [
        array_of(f"x{number}", value.type, writer.dims)
        for number, value in enumerate(node.operands)
    ]
    names = [f"y{number or ''}" for number in range(len(node.results))]
    results = [
        array_of(name, value.type, writer.dims)
        for name, value in zip(names, node.results, strict=True)
    ]
    return operands, results


def finished(
    name: str,
    node: Node,
    writer: GridWriter,
    arrays: Sequence[Buffer],
    algorithm: str,
    *,
    noalias: bool,
) -> DeviceKernel:
    """Return the kernel that was written."""
    memory = [writer.following.memory] if writer.following else []
    parameters = [*arrays, *memory, *writer.dims.values(), writer.blocks]
    made = function(parameters, writer.body, symbol=name, noalias=noalias)
    return DeviceKernel(
        name,
        made,
        algorithm,
        cost_of(node),
        tuple(writer.dims.values()),
        tuple(writer.extents),
        writer.threads,
        writer.shared_bytes,
    )
