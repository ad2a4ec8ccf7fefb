"""Why convolutions keep their channels first or last, and where values change."""

from collections.abc import Mapping

from lxc.ir.node import Node, Value
from lxc.passes.channel_orders import Turn
from lxc.passes.decision import Decision, Refusal
from lxc.passes.layout_decisions import layers_of, shapes_of


class OrderDecisions:
    """The decisions of one way through a graph, in order."""

    def __init__(self, makers: Mapping[Value, Node]) -> None:
        """Know the nodes that make the values of the graph."""
        self.makers = makers
        self.made: list[Decision] = []

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

    def cross(self, borders: list[Turn], reader: Node | None) -> None:
        """Say where values change between the orders for a reader, and forget them.

        Without a reader, the caller of the model gets them.
        """
        for border in borders:
            where = "behind the cells" if border.to_last else "back in front of the cells"
            reason = f"its channels are brought {where} here"
            allows = "" if border.to_last else "a reader that takes channels last"
            self.decide(border.value, reader, Refusal("border", reason, allows))
        borders.clear()

    def decide(self, value: Value, reader: Node | None, found: Refusal) -> None:
        """Note what was found about a value and a reader."""
        maker = self.makers.get(value)
        self.made.append(
            Decision(
                producer=str(maker.op) if maker else value.name,
                consumer=str(reader.op) if reader else "result",
                fused=not found.would_allow,
                rule=found.rule,
                reason=found.reason,
                would_allow=found.would_allow,
                layers=layers_of(maker, reader),
                shapes=(str(value.type), shapes_of(reader) or str(value.type)),
                about="order",
            )
        )
