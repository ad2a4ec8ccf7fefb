"""What an artifact says about its kernels."""

from collections.abc import Mapping, Sequence
from typing import Any

from lxc.ir.node import Node, walk
from lxc.targets.llvm.calls import Call

PLUMBING = ("fused", "reshape", "broadcast", "transpose", "constant")


def kernel_records(calls: Sequence[Call]) -> tuple[Mapping[str, Any], ...]:
    """Return one record per call of a kernel, in the order of the calls."""
    return tuple(kernel_record(call) for call in calls)


def kernel_record(call: Call) -> dict[str, Any]:
    """Return the facts about one call that people ask for."""
    result = call.node.result.type
    return {
        "name": call.kernel.name,
        "ops": summary(call.node),
        "layers": list(call.node.location.layers),
        "result": str(result),
        "flops": call.kernel.cost.flops,
        "bytes": call.kernel.cost.bytes,
        "algorithm": call.kernel.algorithm,
        "precision": str(result.dtype),
        "parallel": call.kernel.cost.pays_threads,
    }


def describe(node: Node) -> str:
    """Return a kernel's work in one line: ops, types and layers."""
    operands = ", ".join(str(value.type) for value in node.operands)
    layers = ", ".join(node.location.layers)
    place = f" at {layers}" if layers else ""
    return f"{summary(node)}({operands}) -> {node.result.type}{place}"


def summary(node: Node) -> str:
    """Return the ops of a kernel that compute something, joined by `+`."""
    names = [str(inner.op) for inner in walk((node,))]
    telling = [name for name in names if name not in PLUMBING]
    return "+".join(telling or names[-1:])
