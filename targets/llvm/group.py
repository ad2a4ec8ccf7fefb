"""A fused node taken apart: its anchor, the value that is stored, and a halo around it."""

from dataclasses import dataclass

from lxc.errors import InternalError
from lxc.ir.node import Body, Node, Value


@dataclass(frozen=True)
class Group:
    """One kernel's work.

    `stored` lies at the same positions as the result in memory; if there is a `halo`, a pad
    of `stored`, then inside of it.
    """

    body: Body
    anchor: Node | None
    stored: Value
    halo: Node | None = None

    @property
    def result(self) -> Value:
        """The value that the body yields."""
        (value,) = self.body.outputs
        return value


def group_of(body: Body) -> Group:
    """Return the parts of a fused body."""
    producers = {result: node for node in body.nodes for result in node.results}
    anchors = [node for node in body.nodes if node.op.kind == "reduction"]
    if len(anchors) > 1 or len(body.outputs) != 1:
        raise InternalError("code generation", "a fused body is more than one kernel")
    (stored,) = body.outputs
    while stored in producers and producers[stored].op.name == "reshape":
        stored = producers[stored].operands[0]
    anchor = anchors[0] if anchors else None
    last = producers.get(stored)
    if anchor and last and last.op.name == "pad":
        return Group(body, anchor, last.operands[0], last)
    if anchor and stored.type.shape != anchor.result.type.shape:
        raise InternalError("code generation", f"{anchor.op} is followed by another shape")
    return Group(body, anchor, stored)


def is_alias(body: Body) -> bool:
    """Return whether a fused body hands its only parameter on under another shape."""
    reshapes = all(node.op.name == "reshape" for node in body.nodes)
    return len(body.parameters) == 1 and reshapes
