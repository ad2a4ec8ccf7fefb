"""IREE: the ONNX model through its importer, compiled for this processor."""

import subprocess
import sys
from typing import Any

import iree.compiler
import iree.runtime
import numpy as np

from cpu_suite.case import Array
from cpu_suite.contenders.ready import Ready
from cpu_suite.prepared import Prepared


def build(prepared: Prepared, threads: int) -> Ready:
    """Return the call of the compiled function on arrays of the device."""
    imported = prepared.folder / "model.mlir"
    command = [sys.executable, "-m", "iree.compiler.tools.import_onnx"]
    arguments = [str(prepared.onnx), "--opset-version", "17", "-o", str(imported)]
    done = subprocess.run(
        [*command, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"import_onnx: {done.stderr[-500:]}")
    binary = iree.compiler.compile_file(
        str(imported),
        input_type="onnx",
        target_backends=["llvm-cpu"],
        extra_args=["--iree-llvmcpu-target-cpu=host", "--iree-opt-level=O3"],
    )
    driver = "local-sync" if threads == 1 else "local-task"
    config = iree.runtime.Config(driver)
    module = iree.runtime.load_vm_module(
        iree.runtime.VmModule.copy_buffer(config.vm_instance, binary), config
    )
    names = [name for name in module.vm_module.function_names if not name.startswith("_")]
    function = module[next(name for name in names if not name.endswith("$async"))]
    inputs = [
        iree.runtime.asdevicearray(config.device, array)
        for array in prepared.inputs().values()
    ]

    def call() -> Any:
        return function(*inputs)

    def read() -> list[Array]:
        y = call()
        return [np.asarray(part) for part in (y if isinstance(y, tuple | list) else (y,))]

    return Ready(call, read)
