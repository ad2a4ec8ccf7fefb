"""torch in double precision: what every result is compared with; it is not measured."""

import copy
import json
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from cpu_suite.contenders.eager import listed
from cpu_suite.contenders.ready import Ready
from cpu_suite.prepared import Prepared
from cpu_suite.torch_models import module_of


def build(prepared: Prepared, threads: int) -> Ready:
    """Write the files of a case, and return a call that does nothing."""
    torch.set_num_threads(threads)
    case = prepared.case
    module = module_of(case)
    arrays = case.arrays()
    inputs = [torch.from_numpy(array) for array in arrays.values()]
    with torch.no_grad():
        exact = listed(copy.deepcopy(module).double()(*map(doubled, inputs)))
        with FlopCounterMode(display=False) as counter:
            outputs = listed(module(*inputs))
    weights = {name: tensor.numpy() for name, tensor in module.state_dict().items()}
    held = [*weights.values(), *arrays.values(), *(y.numpy() for y in outputs)]
    flops = counter.get_total_flops() if case.flops is None else case.flops
    facts = {"flops": flops, "bytes": sum(array.nbytes for array in held)}
    prepared.write(weights, [y.numpy() for y in exact], facts)
    export(prepared, module, tuple(inputs), len(outputs))
    return Ready(lambda: None, prepared.expected)


def doubled(x: torch.Tensor) -> torch.Tensor:
    """Return floats in double precision, and all else as it is."""
    return x.double() if x.is_floating_point() else x


def export(
    prepared: Prepared, module: torch.nn.Module, inputs: tuple[Any, ...], outputs: int
) -> None:
    """Write the ONNX model, or why there is none."""
    names = [one.name for one in prepared.case.inputs]
    results = [f"out_{place}" for place in range(outputs)]
    path = prepared.folder / "model.onnx"
    problems = []
    for is_new in (False, True):
        options: dict[str, Any] = {"external_data": False} if is_new else {}
        try:
            torch.onnx.export(
                module,
                inputs,
                str(path),
                dynamo=is_new,
                input_names=names,
                output_names=results,
                **options,
            )
        except Exception as error:
            problems.append(f"{type(error).__name__}: {str(error)[:300]}")
            path.unlink(missing_ok=True)
        else:
            return
    text = "torch.onnx.export failed: " + json.dumps(problems)
    (prepared.folder / "export.txt").write_text(text, "utf-8")
