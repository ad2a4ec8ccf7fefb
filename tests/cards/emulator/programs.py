"""Runs of whole programs: each kernel is emulated, what is no kernel its reference does."""

from collections.abc import Iterator, Sequence

import numpy as np

from lxc.ir.dim import Dim
from lxc.ir.evaluate import Bindings, Evaluation
from lxc.ir.graph import Graph, Program
from lxc.ir.machine import Machine
from lxc.ir.node import Node
from lxc.ir.types import Array
from lxc.passes import CARD_PIPELINE, passes_named, run_passes
from lxc.targets.cuda.grid_kernels import make_grid_kernel, make_start_kernel
from lxc.targets.cuda.kernel import DeviceKernel, make_device_kernel, make_loop_kernel
from lxc.targets.cuda.templates.recurrence.forms import loop_form
from lxc.targets.cuda.templates.recurrence.grid.plan import GridLoop
from lxc.targets.cuda.templates.recurrence.memory import carries_of
from lxc.targets.kernels.group import is_alias
from lxc.targets.kernels.storage import stored
from lxc.targets.llvm.calls import LOOPS, WITHOUT_CODE
from tests.cards.emulator.following import KernelPair, launched_together
from tests.cards.emulator.launch import Argument, EmulatedKernel, Output

BLOCKS = 2
"""Kernels are right for any number of blocks."""


def kernels_of(nodes: Sequence[Node]) -> Iterator[Node]:
    """Yield the nodes that become kernels, those of loops too."""
    for node in nodes:
        if node.op.name in LOOPS and isinstance(loop_form(node), str):
            yield from kernels_of(node.bodies[0].nodes)
        elif node.op.name not in WITHOUT_CODE and not has_no_work(node):
            yield node


def has_no_work(node: Node) -> bool:
    """Return whether the result of a node is its operand as it is."""
    return bool(node.bodies) and is_alias(node.bodies[0])


def kernel_of(node: Node, dims: Sequence[Dim], machine: Machine) -> DeviceKernel:
    """Return the kernel of a node, or of a whole loop."""
    plan = loop_form(node) if node.op.name in LOOPS else ""
    if isinstance(plan, str):
        return make_device_kernel("kernel", node, dims, machine, noalias=True)
    if isinstance(plan, GridLoop):
        return make_grid_kernel("kernel", plan, dims)
    return make_loop_kernel("kernel", plan, dims, noalias=True)


class EmulatedRun(Evaluation):
    """One run of a graph; `kernels` are those that were launched, in order."""

    def __init__(self, graph: Graph, dims: Graph, machine: Machine) -> None:
        super().__init__(graph, wide=False)
        self.dims, self.machine = dims.dims, machine
        self.launched: dict[Node, tuple[DeviceKernel, EmulatedKernel | KernelPair]] = {}
        self.nodes = set(kernels_of(graph.nodes))

    def run_nodes(self, nodes: Sequence[Node], bound: Bindings) -> None:
        """Run nodes in order; `bound` gains their results."""
        for node in nodes:
            super().run_nodes([node], bound)
            if node in self.nodes:
                operands = [bound[value] for value in node.operands]
                likes = [bound[value] for value in node.results]
                made = self.launch(node, operands, likes)
                bound.update(zip(node.results, made, strict=True))

    def launch(
        self, node: Node, operands: Sequence[Array], likes: Sequence[Array]
    ) -> list[Array]:
        """Return what the kernel of a node makes of arrays, each `like` another."""
        if node not in self.launched:
            made = kernel_of(node, self.dims, self.machine)
            taken = len(node.operands) + len(node.results)
            self.launched[node] = made, launched_together(made, taken)
        made, kernel = self.launched[node]
        results = [
            np.full(like.nbytes, 0xA5, np.uint8).view(like.dtype).reshape(like.shape)
            for like in likes
        ]
        values = zip((*node.operands, *node.results), (*operands, *results), strict=True)
        arrays = [
            np.ascontiguousarray(array).view(stored(value.type.dtype))
            for value, array in values
        ]
        count = len(operands)
        sizes = [self.sizes.get(dim.name, dim.low) for dim in self.dims]
        outputs = map(Output, arrays[count:])
        arguments: list[Argument] = [*arrays[:count], *outputs]
        if made.blocks:
            arguments += self.exchange(node, arrays)
        kernel.launch(*arguments, *sizes, made.blocks or BLOCKS)
        return results

    def exchange(self, node: Node, arrays: Sequence[Array]) -> list[Array]:
        """Return the counter and the arrays of a shared loop before its first step."""
        plan = loop_form(node)
        assert isinstance(plan, GridLoop)
        counts = [1, *(plan.exchanged_elements(value) for value in plan.exchanged)]
        types = ["uint32", *["float32"] * len(plan.exchanged)]
        found = [np.full(n, 7, dtype) for n, dtype in zip(counts, types, strict=True)]
        kernel = EmulatedKernel(make_start_kernel("kernel", plan, self.dims).function)
        sizes = [self.sizes.get(dim.name, dim.low) for dim in self.dims]
        carries = arrays[: len(carries_of(node))]
        kernel.launch(*carries, *map(Output, found), *sizes, BLOCKS)
        return found

    @property
    def algorithms(self) -> set[str]:
        """How the kernels compute."""
        return {made.algorithm for made, _ in self.launched.values()}


def planned(graph: Graph, machine: Machine) -> Program:
    """Return a graph as it is compiled for cards."""
    program = run_passes(graph, passes_named(CARD_PIPELINE), machine=machine).program
    assert isinstance(program, Program)
    return program


def emulate(
    program: Program,
    machine: Machine,
    inputs: Sequence[Array],
    params: Sequence[Array] = (),
    state: Sequence[Array] = (),
) -> tuple[tuple[Array, ...], set[str]]:
    """Return the outputs of a program, and the algorithms of its kernels."""
    half, graph = program.prepare, program.run
    before = EmulatedRun(half, graph, machine)
    prepared, _ = before.run(((half.params, params), (half.state, state)))
    run = EmulatedRun(graph, graph, machine)
    outputs, _ = run.run(
        (
            (graph.inputs, inputs),
            (graph.params, params),
            (graph.state, state),
            (graph.prepared, prepared),
        )
    )
    return outputs, before.algorithms | run.algorithms
