"""TVM as it comes: the exported module through relax's default pipeline, no tuning."""

from typing import Any

import torch
import tvm
from tvm import relax
from tvm.relax.frontend.torch import from_exported_program

from cpu_suite.case import Array
from cpu_suite.contenders.ready import Ready
from cpu_suite.prepared import Prepared
from cpu_suite.torch_models import module_of


def build(prepared: Prepared, threads: int) -> Ready:
    """Return the call of the virtual machine; TVM_NUM_THREADS holds the threads."""
    module = module_of(prepared.case)
    arrays = prepared.inputs()
    given = tuple(torch.from_numpy(array) for array in arrays.values())
    with torch.no_grad():
        program = torch.export.export(module, given)
        imported = from_exported_program(program, keep_params_as_input=False)
    processor = tvm.target.codegen.llvm_get_system_cpu()
    target = tvm.target.Target({"kind": "llvm", "mcpu": processor})
    machine = relax.VirtualMachine(relax.build(imported, target), tvm.cpu())
    inputs = [tvm.runtime.tensor(array) for array in arrays.values()]

    def call() -> Any:
        return machine["main"](*inputs)

    def read() -> list[Array]:
        return [part.numpy() for part in call()]

    return Ready(call, read)
