"""torch.compile with frozen weights."""

from typing import Any

import torch
import torch._dynamo
import torch._inductor.config

from cpu_suite.contenders.eager import listed
from cpu_suite.contenders.ready import Ready
from cpu_suite.prepared import Prepared
from cpu_suite.torch_models import module_of


def build(prepared: Prepared, threads: int) -> Ready:
    """Return the call of the compiled module."""
    torch.set_num_threads(threads)
    torch._dynamo.reset()
    torch._inductor.config.freezing = True
    module = module_of(prepared.case)
    inputs = [torch.from_numpy(array) for array in prepared.inputs().values()]
    compiled = torch.compile(module)

    def call() -> Any:
        with torch.no_grad():
            return compiled(*inputs)

    for _ in range(3):
        call()
    return Ready(call, lambda: [y.numpy() for y in listed(call())])
