"""Graphs that are one kernel of a card, which the emulator runs."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lxc.ir.agreement import agreement
from lxc.ir.dim import evaluate_size
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.node import Value
from lxc.ir.types import Array, DType
from lxc.targets import TARGETS
from lxc.targets.compile import target_program
from lxc.targets.cuda.kernel import make_device_kernel
from lxc.targets.kernels.storage import stored
from tests.cards.emulator.following import launched_together
from tests.cards.emulator.launch import Output


class SingleKernel:
    """The kernel of a graph, and how to run it."""

    def __init__(self, graph: Graph, name: str = "k") -> None:
        """Compile a graph, which must become one kernel."""
        self.graph, target = graph, TARGETS["cuda"]
        _, self.program = target_program(graph, target)
        nodes = [node for node in self.program.run.nodes if node.op.name != "scratch"]
        (self.node,) = nodes
        dims = self.program.run.dims
        self.made = make_device_kernel(name, self.node, dims, target.machine, noalias=True)
        self.emulated = launched_together(self.made, len(self.node.operands) + 1)

    @property
    def algorithm(self) -> str:
        """How the kernel computes its result."""
        return self.made.algorithm

    def run(
        self, inputs: Sequence[Array], dims: dict[str, int], blocks: int = 2, shift: int = 0
    ) -> Array:
        """Return the result; all arrays begin `shift` elements behind a multiple of 64."""
        values = dict(zip(self.program.run.inputs, inputs, strict=True))

        def shape(value: Value) -> tuple[int, ...]:
            return tuple(evaluate_size(entry, dims) for entry in value.type.shape)

        result = placed(shape(self.node.result), self.node.result, shift)
        arguments: list[Any] = []
        for value in self.node.operands:
            memory = placed(shape(value), value, shift)
            if value in values:
                memory[...] = values[value].view(memory.dtype)
            arguments.append(memory)
        sizes = [dims[dim.name] for dim in self.program.run.dims]
        self.emulated.launch(*arguments, Output(result), *sizes, blocks)
        return result.view(self.node.result.type.dtype.numpy)

    def check(self, inputs: Sequence[Array], **dims: int) -> Array:
        """Return the result, which must be as close to the exact one as that of NumPy."""
        actual = self.run(inputs, dims)
        with np.errstate(all="ignore"):
            (narrow,), _ = evaluate(self.graph, inputs)
            (exact,), _ = evaluate(self.graph, inputs, wide=True)
        close = agreement(actual, narrow, exact, max(inputs[0].size, 1))
        # Half types are further off than numbers of float32 may be.
        holds = close.error <= close.bound if is_half(actual) else close.holds
        assert holds, f"{[x.shape for x in inputs]}: {close}"
        return actual


def is_half(array: Array) -> bool:
    """Return whether an array has 16-bit floats."""
    return array.dtype in (DType.F16.numpy, DType.BF16.numpy)


def placed(shape: tuple[int, ...], value: Value, shift: int) -> Array:
    """Return memory for a value as it is stored, at a place that is known to be uneven."""
    dtype = np.dtype(stored(value.type.dtype))
    count = int(np.prod(shape, dtype=np.int64))
    raw = np.zeros((count + shift) * dtype.itemsize + 64, np.uint8)
    start = -raw.ctypes.data % 64 + shift * dtype.itemsize
    found: Array = raw[start : start + count * dtype.itemsize].view(dtype).reshape(shape)
    return found
