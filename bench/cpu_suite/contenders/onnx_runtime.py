"""ONNX Runtime with all its graph optimisations, inputs and outputs bound once."""

import onnxruntime

from cpu_suite.case import Array
from cpu_suite.contenders.ready import Ready
from cpu_suite.prepared import Prepared


def build(prepared: Prepared, threads: int) -> Ready:
    """Return the run on bound memory."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        str(prepared.onnx), options, providers=["CPUExecutionProvider"]
    )
    binding, kept = session.io_binding(), []
    arrays = prepared.inputs()
    for wanted in session.get_inputs():
        value = onnxruntime.OrtValue.ortvalue_from_numpy(arrays[wanted.name])
        binding.bind_ortvalue_input(wanted.name, value)
        kept.append(value)
    names = [output.name for output in session.get_outputs()]
    for name in names:
        binding.bind_output(name, "cpu")
    session.run_with_iobinding(binding)
    outputs = binding.get_outputs()
    for name, value in zip(names, outputs, strict=True):
        binding.bind_ortvalue_output(name, value)

    def call() -> None:
        session.run_with_iobinding(binding)

    def read() -> list[Array]:
        return [value.numpy() for value in outputs]

    return Ready(call, read, kept=(arrays, kept))
