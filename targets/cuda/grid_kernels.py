"""The two kernels of a loop whose units the blocks of a grid share."""

from collections.abc import Sequence
from dataclasses import replace

from lxc.ir.dim import Dim
from lxc.targets.cuda.kernel import DeviceKernel, arrays_of, finished, writer_for
from lxc.targets.cuda.templates.recurrence.grid.exchange import Exchange, write_start
from lxc.targets.cuda.templates.recurrence.grid.kernel import write_grid_loop
from lxc.targets.cuda.templates.recurrence.grid.plan import GridLoop
from lxc.targets.cuda.templates.recurrence.memory import carries_of
from lxc.targets.kernels.cost import Cost
from lxc.targets.tvm_api import array


def make_grid_kernel(name: str, plan: GridLoop, dims: Sequence[Dim]) -> DeviceKernel:
    """Return the kernel of all steps.

    It takes the counter and the exchanged arrays behind the results. Other blocks change
    these at any time, so the compiler must not take arrays for ones that nobody else has.
    """
    writer = writer_for(dims)
    operands, results = arrays_of(plan.node, writer)
    exchange = exchange_of(plan)
    algorithm = write_grid_loop(writer, plan, operands, results, exchange)
    arrays = (*operands, *results, exchange.counter, *exchange.arrays.values())
    made = finished(name, plan.node, writer, arrays, algorithm, noalias=False)
    return replace(made, blocks=plan.blocks)


def make_start_kernel(name: str, plan: GridLoop, dims: Sequence[Dim]) -> DeviceKernel:
    """Return the kernel that is launched in front of that of all steps.

    It takes the carries, the counter and the exchanged arrays.
    """
    writer = writer_for(dims)
    operands, _ = arrays_of(plan.node, writer)
    starts = carries_of(plan.node)
    carries = operands[: len(starts)]
    exchange = exchange_of(plan)
    algorithm = write_start(writer, plan, carries, exchange)
    arrays = (*carries, exchange.counter, *exchange.arrays.values())
    made = finished(name, plan.node, writer, arrays, algorithm, noalias=False)
    size = 2 * sum(value.type.max_bytes for value in starts if value in plan.exchanged)
    return replace(made, cost=Cost(0, size, 0, size))


def exchange_of(plan: GridLoop) -> Exchange:
    """Return the arrays through which the blocks of a loop tell each other numbers."""
    arrays = {
        value: array(f"exchange{number}", "float32", plan.exchanged_elements(value))
        for number, value in enumerate(plan.exchanged)
    }
    return Exchange(array("counter", "uint32", 1), arrays)
