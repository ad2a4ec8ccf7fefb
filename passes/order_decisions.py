"""Why convolutions keep their channels first or last, and where values change."""

from collections.abc import Mapping

from lxc.ir.node import Node, Value
from lxc.passes.decision import Refusal
from lxc.passes.two_forms import Border
from lxc.passes.value_decisions import ValueDecisions


class OrderDecisions(ValueDecisions):
    """The decisions of one way through a graph, in order."""

    def __init__(self, makers: Mapping[Value, Node]) -> None:
        """Know the nodes that make the values of the graph."""
        super().__init__(makers, "order")

    def refused(self, value: Value, node: Node, refusal: Refusal) -> None:
        """Say why a convolution keeps the order of its operand."""
        self.decide(value, node, refusal)

    def chosen(self, value: Value, node: Node, *, follows: bool) -> None:
        """Say why a convolution has its channels last."""
        reason = (
            "its operand has channels last"
            if follows
            else "neighbouring channels of a tap are copied at once"
        )
        self.decide(value, node, Refusal("chain" if follows else "copies", reason, ""))

    def change_at(self, border: Border) -> Refusal:
        """Return which way channels are brought."""
        where = "behind the cells" if border.from_plain else "back in front of the cells"
        reason = f"its channels are brought {where} here"
        allows = "" if border.from_plain else "a reader that takes channels last"
        return Refusal("border", reason, allows)
