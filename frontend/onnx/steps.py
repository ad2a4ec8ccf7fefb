"""Run the steps of a program on arrays, on traced tensors, or on both."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.onnx.program import Step
from lxc.frontend.onnx.sizes import on_sizes
from lxc.frontend.onnx.values import as_tensor, is_sizes, settled
from lxc.frontend.record import LayerCall, Tree, call_layer
from lxc.ir.builder import Builder
from lxc.ir.dim import bounds
from lxc.ir.node import Value
from lxc.ir.ops import structure
from lxc.ir.tensor import Tensor
from lxc.ir.types import TensorType, type_of_array

FOLDED_BYTES = 2**30
"""The most bytes of what is computed from the constants of a file alone."""
FAULTS = (ArithmeticError, AttributeError, LookupError, MemoryError, TypeError, ValueError)
"""What Python raises where attributes and operands of a file contradict each other."""


def run_step(step: Step, values: Sequence[Any], like: Tensor | None, file: str) -> Any:
    """Return the outputs of a step: those that it names, in order, None for others.

    `like` is a tensor of the model that is traced, or None where the model runs on arrays.
    A step on tensors becomes a layer of the graph, called by the step's path.
    """
    try:
        known = [value for value in values if value is not None]
        if any(map(is_sizes, known)) and not any(isinstance(v, Tensor) for v in known):
            function = on_sizes(step.kind, values)
            if function and (step.kind != "Cast" or step.attributes["to"] in (6, 7)):
                return (settled(function(*values, **step.attributes)),)
        return on_values(step, values, like, file)
    except LxcError as error:
        if error.layer is None:
            error.layer = f"{step.path} ({step.kind})  ({file})"
        raise
    except FAULTS as problem:
        raise LxcError(
            "LXC-E0115",
            f"the operands and attributes of {step.kind} do not fit each other",
            layer=f"{step.path} ({step.kind})  ({file})",
            actual=f"{type(problem).__name__}: {problem}",
        ) from problem


def on_values(step: Step, values: Sequence[Any], like: Tensor | None, file: str) -> Any:
    """Return the outputs of a step; one on tensors is recorded as a layer."""
    operator = step.operator
    prepared = operands_of(step, values, like)
    places = [i for i, value in enumerate(prepared) if isinstance(value, Tensor)]
    if operator.direct or not places:
        if like is not None and not operator.direct:
            check_constants(step, prepared)
        return listed(step, called(step, prepared, like))
    tensors = tuple(prepared[i] for i in places)

    def run(x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        inner = list(prepared)
        for i, tensor in zip(places, x, strict=True):
            inner[i] = tensor
        results = listed(step, called(step, inner, x[0]))
        found = tuple(value for value in results if value is not None)
        return found[0] if len(found) == 1 else found, st

    place = Tree()
    place.path = step.path
    call = LayerCall(step.kind, file, structure.layer, run)
    y, _ = call_layer(call, tensors, place, {})
    results = iter(y if isinstance(y, tuple) else (y,))
    return tuple(next(results) if name else None for name in step.outputs)


def operands_of(step: Step, values: Sequence[Any], like: Tensor | None) -> list[Any]:
    """Return what the operator's function takes.

    Sizes become tensors where contents are asked for, and what meets symbolic sizes becomes
    one, because no array has such a shape.
    """
    symbolic = any(is_sizes(value) for value in values)
    operands = []
    for place, value in enumerate(values):
        needed = step.operator.needs(place)
        if needed and isinstance(value, Tensor):
            raise LxcError(
                "LXC-E0114",
                f"{step.operator.name_of_input(place)} has to be known when the model is "
                "imported",
                actual=f"{step.inputs[place]} is {value.type}, known when the model runs",
            )
        keep = needed or step.operator.direct or not symbolic or value is None
        operands.append(value if keep or like is None else as_tensor(value, like))
    return operands


def called(step: Step, values: Sequence[Any], like: Tensor | None) -> Any:
    """Return what the operator's function gives."""
    operator = step.operator
    given = {"opset": step.opset, "output_count": len(step.outputs), "like": like}
    words = {name: given[name] for name in operator.given}
    return operator.function(*values, **step.attributes, **words)


def listed(step: Step, results: Any) -> tuple[Any, ...]:
    """Return one result for every output of the step, None for those without a name."""
    several = results if isinstance(results, tuple | list) else (results,)
    if len(several) < len(step.outputs):
        raise LxcError(
            "LXC-E0115",
            f"{step.kind} has more outputs than results",
            expected=f"{len(several)} outputs",
            actual=f"{len(step.outputs)} outputs",
        )
    pairs = zip(step.outputs, several, strict=False)
    return tuple(result if name else None for name, result in pairs)


def check_constants(step: Step, values: Sequence[Any]) -> None:
    """Refuse a step on constants that makes one too large to be any.

    Its types are found out first, as those of any model are, so nothing is allocated.
    """
    builder, operands = Builder(), list(values)
    for place, value in enumerate(values):
        if isinstance(value, np.ndarray) and not step.operator.needs(place):
            entry = Value(type_of_array(value), f"%{place}")
            operands[place] = Tensor(entry, builder)
    like = next((value for value in operands if isinstance(value, Tensor)), None)
    if like is None:
        return
    called(step, operands, like)
    results = (result for node in builder.nodes for result in node.results)
    most = max((bytes_of(result.type) for result in results), default=0)
    if most > FOLDED_BYTES:
        raise LxcError(
            "LXC-E0114",
            "a constant of the file is too large",
            expected=f"at most {FOLDED_BYTES} bytes",
            actual=f"{most} bytes",
        )


def bytes_of(entry: TensorType) -> int:
    """Return how many bytes a tensor takes at most."""
    return bounds(entry.element_count)[1] * entry.dtype.bytes
