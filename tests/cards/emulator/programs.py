"""Runs of whole programs: each kernel is emulated, what is no kernel its reference does."""

from collections.abc import Iterator, Sequence

import numpy as np

from lxc.ir.evaluate import Bindings, Evaluation
from lxc.ir.graph import Graph, Program
from lxc.ir.machine import Machine
from lxc.ir.node import Node
from lxc.ir.types import Array
from lxc.passes import CARD_PIPELINE, passes_named, run_passes
from lxc.targets.cuda.kernel import DeviceKernel, make_device_kernel
from lxc.targets.kernels.group import is_alias
from lxc.targets.kernels.storage import stored
from lxc.targets.llvm.calls import LOOPS, WITHOUT_CODE
from tests.cards.emulator.launch import Argument, EmulatedKernel, Output

BLOCKS = 2
"""Kernels are right for any number of blocks."""


def kernels_of(nodes: Sequence[Node]) -> Iterator[Node]:
    """Yield the nodes that become kernels, those of loops too."""
    for node in nodes:
        if node.op.name in LOOPS:
            yield from kernels_of(node.bodies[0].nodes)
        elif node.op.name not in WITHOUT_CODE and not has_no_work(node):
            yield node


def has_no_work(node: Node) -> bool:
    """Return whether the result of a node is its operand as it is."""
    return bool(node.bodies) and is_alias(node.bodies[0])


class EmulatedRun(Evaluation):
    """One run of a graph; `kernels` are those that were launched, in order."""

    def __init__(self, graph: Graph, dims: Graph, machine: Machine) -> None:
        super().__init__(graph, wide=False)
        self.dims, self.machine = dims.dims, machine
        self.launched: dict[Node, tuple[DeviceKernel, EmulatedKernel]] = {}
        self.nodes = set(kernels_of(graph.nodes))

    def run_nodes(self, nodes: Sequence[Node], bound: Bindings) -> None:
        """Run nodes in order; `bound` gains their results."""
        for node in nodes:
            super().run_nodes([node], bound)
            if node in self.nodes:
                operands = [bound[value] for value in node.operands]
                bound[node.result] = self.launch(node, operands, bound[node.result])

    def launch(self, node: Node, operands: Sequence[Array], like: Array) -> Array:
        """Return what the kernel of a node makes of arrays, which is `like` another."""
        if node not in self.launched:
            made = make_device_kernel("kernel", node, self.dims, self.machine, noalias=True)
            self.launched[node] = made, EmulatedKernel(made.function)
        _, kernel = self.launched[node]
        result = np.full(like.nbytes, 0xA5, np.uint8).view(like.dtype).reshape(like.shape)
        values = zip((*node.operands, node.result), (*operands, result), strict=True)
        arrays = [
            np.ascontiguousarray(array).view(stored(value.type.dtype))
            for value, array in values
        ]
        sizes = [self.sizes.get(dim.name, dim.low) for dim in self.dims]
        arguments: list[Argument] = [*arrays[:-1], Output(arrays[-1]), *sizes, BLOCKS]
        kernel.launch(*arguments)
        return result

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
