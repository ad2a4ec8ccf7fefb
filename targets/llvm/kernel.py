"""One function per fused node or opaque op, and what to say about it."""

from collections.abc import Sequence
from dataclasses import dataclass

from lxc.ir.dim import Dim
from lxc.ir.machine import Machine
from lxc.ir.node import Node
from lxc.passes.records import NO_RECORDS, Answer, Records, subject_of
from lxc.targets.kernels.cost import Cost, cost_of
from lxc.targets.kernels.kernel import array_of, write_kernel
from lxc.targets.kernels.node_work import NodeWork
from lxc.targets.kernels.variants import Variants
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import Function, variable
from lxc.targets.tvm_functions import function


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
    writer = Writer(
        variables,
        has_look_up=machine.has_look_up,
        converts_halves=machine.converts_halves,
    )
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
