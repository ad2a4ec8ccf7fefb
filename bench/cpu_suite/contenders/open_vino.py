"""OpenVINO for latency, in float32 or in the precision that it picks by itself."""

import openvino

from cpu_suite.case import Array
from cpu_suite.contenders.ready import Ready
from cpu_suite.prepared import Prepared


def build(prepared: Prepared, threads: int, precision: str) -> Ready:
    """Return the run on shared tensors; no `precision` leaves the choice to OpenVINO."""
    core = openvino.Core()
    arrays = prepared.inputs()
    settings: dict[str, object] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
    }
    if precision:
        settings["INFERENCE_PRECISION_HINT"] = precision
    model = core.read_model(str(prepared.onnx))
    compiled = core.compile_model(model, "CPU", settings)
    request = compiled.create_infer_request()
    for place in compiled.inputs:
        (name,) = place.get_names() & arrays.keys()
        request.set_tensor(place, openvino.Tensor(arrays[name], shared_memory=True))
    count = len(compiled.outputs)

    def read() -> list[Array]:
        return [request.get_output_tensor(place).data.copy() for place in range(count)]

    precision = str(compiled.get_property("INFERENCE_PRECISION_HINT"))
    return Ready(request.infer, read, {"precision": precision}, kept=arrays)
