"""torch as it is called by everyone: op by op, in inference mode."""

from typing import Any

import torch

from cpu_suite.contenders.ready import Ready
from cpu_suite.prepared import Prepared
from cpu_suite.torch_models import module_of


def build(prepared: Prepared, threads: int) -> Ready:
    """Return the call of the module."""
    torch.set_num_threads(threads)
    module = module_of(prepared.case)
    inputs = [torch.from_numpy(array) for array in prepared.inputs().values()]

    def call() -> Any:
        with torch.inference_mode():
            return module(*inputs)

    return Ready(call, lambda: [y.numpy() for y in listed(call())])


def listed(y: Any) -> list[torch.Tensor]:
    """Return the outputs of a module, of which there may be one."""
    return list(y) if isinstance(y, tuple | list) else [y]
