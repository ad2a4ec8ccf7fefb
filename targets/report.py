"""What an artifact says about its kernels."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lxc.ir.node import Node, walk
from lxc.ir.types import DType
from lxc.ir.work_text import ops_line, work_line
from lxc.passes.decision import Decision
from lxc.passes.parameter_values import WEIGHTED
from lxc.passes.precision import Precision
from lxc.passes.records import Answer
from lxc.targets.target import Call

LOWER = {DType.BF16: str(Precision.BF16), DType.I8: str(Precision.INT8)}
"""The precision of a product of float32 by the element type of its weight."""


def kernel_records(
    calls: Sequence[Call], facts: Callable[[str], Mapping[str, Any]]
) -> tuple[Mapping[str, Any], ...]:
    """Return one record per call of a kernel, in the order of the calls.

    `facts` returns what a back end adds to the record of a kernel.
    """
    return tuple({**kernel_record(call), **facts(call.kernel.name)} for call in calls)


def kernel_record(call: Call) -> dict[str, Any]:
    """Return the facts about one call that people ask for."""
    answer = call.kernel.answer
    results = ", ".join(str(value.type) for value in call.node.results)
    return {
        "name": call.kernel.name,
        "ops": ops_line(call.node),
        "layers": list(call.node.location.layers),
        "result": results,
        "flops": call.kernel.cost.flops,
        "bytes": call.kernel.cost.bytes,
        "algorithm": call.kernel.algorithm,
        "tiles": answer.taken if answer else "",
        "tuned": answer is not None and answer.is_tuned,
        "precision": precision_of(call.node),
        "parallel": call.kernel.cost.pays_threads,
    }


def precision_of(node: Node) -> str:
    """Return the type that a kernel rounds the weight of its product to, or its results."""
    for product in (inner for inner in walk((node,)) if inner.op in WEIGHTED):
        weight = product.operands[1].type.dtype
        if weight is not product.result.type.dtype:
            return LOWER[weight]
        if product.attributes.get("factors") == "tf32":
            return str(Precision.TF32)
    return node.results[0].type.dtype.numpy.name


def describe(node: Node) -> str:
    """Return a kernel's work in one line: ops, types and layers."""
    layers = layers_of(node)
    return f"{work_line(node)} at {layers}" if layers else work_line(node)


def tuning_decisions(calls: Sequence[Call]) -> list[Decision]:
    """Return how records chose tiles, one decision for every call they have one for."""
    makers = {value: call.node for call in calls for value in call.node.results}
    return [
        tuning_decision(call.node, makers.get(call.node.operands[0]), call.kernel.answer)
        for call in calls
        if call.kernel.answer is not None and call.kernel.answer.record is not None
    ]


def tuning_decision(node: Node, maker: Node | None, answer: Answer) -> Decision:
    """Return what a record decided about the tiles of a kernel."""
    first = node.operands[0]
    return Decision(
        producer=ops_line(maker) if maker else first.name,
        consumer=ops_line(node),
        fused=answer.is_tuned,
        rule=f"tiles {answer.taken}",
        reason=answer.reason,
        would_allow="" if answer.is_tuned else "lxc compile --tune",
        layers=(layers_of(maker) if maker else "", layers_of(node)),
        shapes=(str(first.type), str(node.result.type)),
        about="tiles",
    )


def layers_of(node: Node) -> str:
    """Return the layers that a node belongs to."""
    return ", ".join(node.location.layers)
