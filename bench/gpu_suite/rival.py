"""torch on the card: op by op, and compiled in two ways."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from cpu_suite.contenders.eager import listed
from gpu_suite.cases import Task
from gpu_suite.ways import WAYS


def settle(precision: str) -> None:
    """Let products of float32 be what they say, and convolutions choose the fastest."""
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.benchmark = True


def cast(task: Task, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Return tensors in the precision of a task."""
    if task.precision != "bf16":
        return list(tensors)
    return [x.bfloat16() if x.is_floating_point() else x for x in tensors]


def rival(
    way: str, task: Task, module: nn.Module, inputs: Sequence[torch.Tensor]
) -> tuple[Callable[[], Any], Callable[[], list[torch.Tensor]]]:
    """Return the call of a module in one of the ways, and what it leaves."""
    # This also puts the weights of a recurrent cell back into one piece, which a copy's
    # are not: every call would do that.
    mine = copy.deepcopy(module).to(
        torch.bfloat16 if task.precision == "bf16" else torch.float32
    )
    given = cast(task, inputs)
    options = WAYS[way]
    # One forward of a kind of module would be compiled a few times only, and no more then.
    torch.compiler.reset()
    called = mine if options is None else torch.compile(mine, **options)

    def call() -> Any:
        with torch.inference_mode():
            return called(*given)

    return call, lambda: [y.float() for y in listed(call())]


def exact(module: nn.Module, inputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Return the outputs in double precision."""
    doubled = [x.double() if x.is_floating_point() else x for x in inputs]
    with torch.inference_mode():
        return listed(copy.deepcopy(module).double()(*doubled))
