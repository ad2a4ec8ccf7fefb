"""Loops that threads share are divided into tasks, evenly.

A task runs as many neighbouring turns as any other, or one more. TVM would give each one
the same number, rounded up, so the last ones would have few or none. At every call the
runtime says how many tasks a loop is worth.
"""

from lxc.targets.kernels.cost import MOST_TASKS
from lxc.targets.tvm_api import (
    PARALLEL,
    SERIAL,
    Expr,
    Function,
    Stmt,
    bind,
    cast,
    constant,
    intrinsic,
    sequence,
    variable,
)
from lxc.targets.tvm_functions import answer_of

# isort: split
# That file checks which tvm it is and how it is imported, so it comes first.
import tvm_ffi
from tvm import tirx

ONE_REGION, TASK_BY_TASK = "pragma_parallel_launch_point", "pragma_parallel_stride_pattern"
"""What keeps TVM from dividing the tasks again."""


def with_task_ranges(made: Function) -> Function:
    """Return a function whose parallel loops are loops over tasks."""
    return tvm_ffi.structural_map(made, (tirx.For, over_tasks))


def over_tasks(loop: Stmt) -> Stmt:
    """Return a loop over tasks around a serial one in place of a parallel loop."""
    if loop.kind != PARALLEL:
        return loop
    dtype, counter = range_dtype(loop.extent), str(loop.loop_var.ty)
    names = ("tasks", "task", "first", "end")
    tasks, task, first, end = (variable(name, dtype) for name in names)
    turns, one = cast(dtype, loop.extent), constant(1, dtype)

    def turns_before(number: Expr) -> Expr:
        return intrinsic("truncating_divide", turns * number, tasks)

    low, count = cast(counter, first), cast(counter, end - first)
    ranged = [
        bind(first, turns_before(task)),
        bind(end, turns_before(task + one)),
        tirx.For(loop.loop_var, low, count, SERIAL, loop.body),
    ]
    zero = constant(0, dtype)
    shared = tirx.For(task, zero, tasks, PARALLEL, sequence(ranged))
    for mark in (TASK_BY_TASK, ONE_REGION):
        shared = tirx.AttrStmt(zero, mark, zero, shared)
    answer = answer_of("lxc_tasks", cast("int64", loop.extent))
    return sequence([bind(tasks, cast(dtype, answer)), shared])


def range_dtype(turns: Expr) -> str:
    """Return the type in which ranges are computed; divisions of int32 are smaller code."""
    is_small = isinstance(turns, tirx.IntImm) and turns.value * MOST_TASKS < 2**31
    return "int32" if is_small else "int64"
