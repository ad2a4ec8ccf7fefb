"""One kernel of a card per fused node or opaque op."""

from collections.abc import Sequence
from dataclasses import dataclass

from lxc.ir.dim import Dim
from lxc.ir.machine import Machine
from lxc.ir.node import Node
from lxc.passes.records import NO_RECORDS, Answer, subject_of
from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.templates.table import write_by_template
from lxc.targets.kernels.cost import Cost, cost_of
from lxc.targets.kernels.kernel import array_of, write_kernel
from lxc.targets.kernels.node_work import NodeWork
from lxc.targets.kernels.variants import Variants
from lxc.targets.tvm_api import Expr, Function, Index, variable
from lxc.targets.tvm_functions import function


@dataclass(frozen=True)
class DeviceKernel:
    """A function of the addresses of operands and result, the dimensions, and `blocks`.

    `turns` are the turns of its parallel loops, in terms of `dims`. A block has so many
    `threads`, which share so many bytes.
    """

    name: str
    function: Function
    algorithm: str
    cost: Cost
    dims: tuple[Expr, ...]
    turns: tuple[Index, ...]
    threads: int
    shared_bytes: int

    @property
    def answer(self) -> Answer | None:
        """Nothing: a kernel for cards comes in one variant."""
        return None


def make_device_kernel(
    name: str, node: Node, dims: Sequence[Dim], machine: Machine, *, noalias: bool
) -> DeviceKernel:
    """Return the kernel of a fused node or of an opaque op."""
    # A name of its own, for those of dimensions may mean something in CUDA.
    variables = {dim.name: variable(f"dim_{dim.name}") for dim in dims}
    writer = GridWriter(variables)
    for dim in dims:
        writer.prover.bind(variables[dim.name], dim.low, dim.high - dim.low + 1)
    operands = [
        array_of(f"x{number}", value.type, variables)
        for number, value in enumerate(node.operands)
    ]
    result = array_of("y", node.result.type, variables)
    variants = Variants(NO_RECORDS, subject_of("tiles", node, dims, machine))
    work = NodeWork(writer, node, operands, result, machine, parallel=True)
    algorithm = write_by_template(writer, work, variants) or write_kernel(work, variants)
    parameters = [*operands, result, *variables.values(), writer.blocks]
    made = function(parameters, writer.body, symbol=name, noalias=noalias)
    return DeviceKernel(
        name,
        made,
        algorithm,
        cost_of(node),
        tuple(variables.values()),
        tuple(writer.extents),
        writer.threads,
        writer.shared_bytes,
    )
