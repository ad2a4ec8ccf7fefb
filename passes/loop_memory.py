"""Where the values of a loop may lie so that its steps copy as little as possible."""

from dataclasses import dataclass
from itertools import islice

from lxc.ir.node import Node, Value
from lxc.ir.ops.shape import reshape
from lxc.ir.ops.structure import fused, scan
from lxc.passes.nodes import attributes_of, producers


@dataclass(frozen=True)
class LoopMemory:
    """What the steps of one scan need no copies for.

    `slots`: what a step makes and yields to be stacked, with the number of the scan's
    result that it is written into. `behind`: carries that are read from there, one step
    later, with the same number. `heirs`: new carries that are written over the old ones,
    which nobody reads any more.
    """

    slots: dict[Value, int]
    behind: dict[Value, int]
    heirs: dict[Value, Value]


def loop_memory(node: Node) -> LoopMemory:
    """Return the memory that a scan's body of kernels can share."""
    body, carries = node.bodies[0], attributes_of(node)["carries"]
    made = producers(body.nodes)
    slots: dict[Value, int] = {}
    for number, value in islice(enumerate(body.outputs), carries, None):
        if value in made:
            slots.setdefault(value, number)
    pairs = list(zip(body.parameters[:carries], body.outputs, strict=False))
    behind = {old: slots[new] for old, new in pairs if new in slots}
    heirs = {
        new: old
        for old, new in pairs
        if new in made and old not in behind and is_heir(node, old, made[new])
    }
    return LoopMemory(slots, behind, heirs)


def is_heir(node: Node, old: Value, maker: Node) -> bool:
    """Return whether `maker` may write its result over a carry of the scan `node`."""
    body = node.bodies[0]
    (new, *more) = maker.results
    if more or maker.op is scan or is_alias(maker) or body.outputs.count(new) > 1:
        return False
    if old in body.outputs:
        return False
    last = max(
        (n for n, inner in enumerate(body.nodes) if old in inner.operands), default=-1
    )
    place = body.nodes.index(maker)
    return last < place or (last == place and old in replaceable_operands(maker))


def is_alias(node: Node) -> bool:
    """Return whether a kernel only reshapes, so that its result is its operand."""
    return node.op is fused and all(inner.op is reshape for inner in node.bodies[0].nodes)


def replaceable_operands(node: Node) -> list[Value]:
    """Return the operands that the result of a kernel may overwrite as it is made.

    Such an operand is read only at the index that is written at that moment, and its
    elements lie where those of the result do.
    """
    if node.op is not fused:
        return []
    body = node.bodies[0]
    if any(inner.op.kind == "reduction" for inner in body.nodes):
        return []
    made = producers(body.nodes)
    elementwise = {body.outputs[0]}
    elsewhere: set[Value] = set()
    for inner in reversed(body.nodes):
        same = inner.op.kind == "elementwise" and inner.result in elementwise
        (elementwise if same else elsewhere).update(inner.operands)
    result = node.result.type
    return [
        operand
        for operand, parameter in zip(node.operands, body.parameters, strict=True)
        if parameter in elementwise
        and parameter not in elsewhere
        and parameter not in made
        and operand.type == result
    ]
