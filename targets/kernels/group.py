"""A fused node taken apart: its anchor, the value that is stored, and a halo around it."""

from collections.abc import Mapping
from dataclasses import dataclass

from lxc.errors import InternalError
from lxc.ir.node import Body, Node, Value
from lxc.passes.block_exits import leaves_blocks
from lxc.passes.nodes import attributes_of


@dataclass(frozen=True)
class Group:
    """One kernel's work.

    `stored` lies at the same positions as the result in memory; if there is a `halo`, a pad
    of `stored`, then inside of it. If there is an `exit`, `stored` is in blocks of lanes
    and the result in plain order, with so many channels.
    """

    body: Body
    anchor: Node | None
    stored: Value
    halo: Node | None = None
    exit: int | None = None

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
    anchor = anchors[0] if anchors else None
    turned, channels = exit_of(stored, producers) if anchor else (None, 0)
    if anchor and turned and leaves_blocks(turned, anchor):
        return Group(body, anchor, turned.operands[0], exit=channels)
    while stored in producers and producers[stored].op.name == "reshape":
        stored = producers[stored].operands[0]
    last = producers.get(stored)
    if anchor and last and last.op.name == "pad":
        return Group(body, anchor, last.operands[0], last)
    if anchor and stored.type.shape != anchor.result.type.shape:
        raise InternalError("code generation", f"{anchor.op} is followed by another shape")
    return Group(body, anchor, stored)


def exit_of(stored: Value, producers: Mapping[Value, Node]) -> tuple[Node | None, int]:
    """Return the transpose at the end of a body, and how many channels leave its blocks."""
    channels: int | None = None
    maker = producers.get(stored)
    if maker and maker.op.name == "slice":
        channels = attributes_of(maker)["stop"][1]
        maker = producers.get(maker.operands[0])
    while maker and maker.op.name == "reshape":
        maker = producers.get(maker.operands[0])
    if maker is None or maker.op.name != "transpose":
        return None, 0
    _, blocks, lanes, *_ = maker.result.type.shape
    return maker, int(blocks) * int(lanes) if channels is None else channels


def is_alias(body: Body) -> bool:
    """Return whether a fused body hands its only parameter on under another shape."""
    reshapes = all(node.op.name == "reshape" for node in body.nodes)
    return len(body.parameters) == 1 and reshapes
