"""The code of loops that blocks share: weights that are brought take no registers else."""

from collections.abc import Callable
from typing import Any

import pytest

import lxc
from lxc import nn, ops
from lxc.ir.graph import Graph
from lxc.targets import TARGETS
from lxc.targets.compile import target_program
from lxc.targets.cuda.architectures import SM_90
from lxc.targets.cuda.device_code import device_source
from lxc.targets.cuda.grid_kernels import make_grid_kernel
from lxc.targets.cuda.images import Image, usages
from lxc.targets.cuda.templates.recurrence.grid.plan import GridLoop, grid_loop_of
from lxc.targets.cuda.toolchain import find_device_compiler
from tests.cards.limits import check_fits
from tests.cards.test_shared_loops import of_cell
from tests.targets.test_rows import graph_of


def lstm(start: Any, xs: Any, weight: Any) -> Any:
    """Return the loop of an LSTM whose weights lie with the terms of a sum far apart."""

    def step(carry: Any, x: Any) -> tuple[Any, Any]:
        hidden, memory = carry
        first, second, third, last = ops.split(ops.matmul(hidden, weight) + x, 4, axis=1)
        memory = ops.sigmoid(first) * memory + ops.sigmoid(second) * ops.tanh(third)
        hidden = ops.sigmoid(last) * ops.tanh(memory)
        return (hidden, memory), hidden

    (hidden, memory), rows = ops.scan(step, (start, start), xs)
    return [hidden, memory, rows]


def gated(start: Any, xs: Any, gates: Any, weight: Any) -> Any:
    """Return a loop with two products, one of what the other lets through."""

    def step(hidden: Any, x: Any) -> tuple[Any, Any]:
        reset, update = ops.split(ops.sigmoid(ops.matmul(hidden, gates)), 2, axis=1)
        new = ops.tanh(ops.matmul(reset * hidden, weight) + x)
        hidden = (1 - update) * new + update * hidden
        return hidden, hidden

    return list(ops.scan(step, start, xs))


def loop_of(
    function: Callable[..., Any], batch: Any, units: int, wide: int, *weights: int
) -> Graph:
    """Return a loop over three steps, with weights of so many columns."""
    shapes = [(batch, units), (3, batch, wide), *((units, columns) for columns in weights)]
    return graph_of(function, *(lxc.TensorSpec(shape) for shape in shapes))


LOOPS: dict[str, Callable[[], Graph]] = {
    "260 units of an LSTM": lambda: of_cell(nn.LSTMCell(8, 260), 5),
    "513 units, far apart": lambda: loop_of(
        lstm, lxc.Dim("N", 1, 8), 513, 4 * 513, 4 * 513
    ),
    "two products": lambda: loop_of(gated, 3, 257, 257, 2 * 257, 257),
}


@pytest.mark.parametrize("name", LOOPS)
def test_chains_that_are_filled_up_with_zeros_fit(name: str) -> None:
    _, program = target_program(LOOPS[name](), TARGETS["cuda"])
    (loop,) = [node for node in program.run.nodes if node.op.name == "scan"]
    plan = grid_loop_of(loop)
    assert isinstance(plan, GridLoop)
    kernel = make_grid_kernel("loop", plan, program.run.dims)
    source = device_source({"loop": kernel.function}).whole
    content, said = find_device_compiler().compile(source, SM_90)
    check_fits(kernel, Image(SM_90, content, usages(said)))
