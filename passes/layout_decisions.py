"""Why convolutions have their layouts, and where values go from one to the other."""

from collections.abc import Mapping

from lxc.ir.node import Node, Value
from lxc.passes.blocked_values import Border
from lxc.passes.convolution_costs import Option
from lxc.passes.decision import Decision, Refusal

WAYS = {
    "blocked": "its channels lie in blocks of {lanes} lanes",
    "from plain": "it reads channels in plain order and makes blocks of {lanes} lanes",
    "depthwise": "each channel has a kernel of its own, {lanes} lanes at a time",
}


class LayoutDecisions:
    """The decisions of one way through a graph, in order."""

    def __init__(self, makers: Mapping[Value, Node]) -> None:
        """Know the nodes that make the values of the graph."""
        self.makers = makers
        self.made: list[Decision] = []

    def refused(self, node: Node, refusal: Refusal) -> None:
        """Say why a convolution cannot be done in blocks."""
        self.decide(node.operands[0], node, refusal)

    def chosen(self, node: Node, option: Option, plain: Option, lanes: int) -> None:
        """Say why a convolution is done in one way."""
        if option.way == "plain":
            most = f"{plain.steps} vector operations a sample"
            reason = f"blocks of {lanes} lanes take no fewer than {most}"
            allows = "more channels, or more work for each element"
            self.decide(node.operands[0], node, Refusal("work", reason, allows))
            return
        way = WAYS[option.way].format(lanes=lanes)
        steps = f"{option.steps} vector operations a sample instead of {plain.steps}"
        self.decide(node.operands[0], node, Refusal("work", f"{way}: {steps}", ""))

    def cross(self, borders: list[Border], reader: Node | None) -> None:
        """Say where values change between the layouts for a reader, and forget them.

        Without a reader, the caller of the model gets them.
        """
        for border in borders:
            if border.into_blocks:
                change = Refusal("border", "it is brought into blocks here", "")
            else:
                reason = "it is brought back into plain order here"
                allows = "a reader that keeps the channels apart"
                change = Refusal("border", reason, allows)
            self.decide(border.value, reader, change)
        borders.clear()

    def decide(self, value: Value, reader: Node | None, found: Refusal) -> None:
        """Note what was found about a value and a reader."""
        maker = self.makers.get(value)
        nodes = (maker, reader)
        self.made.append(
            Decision(
                producer=str(maker.op) if maker else value.name,
                consumer=str(reader.op) if reader else "result",
                fused=not found.would_allow,
                rule=found.rule,
                reason=found.reason,
                would_allow=found.would_allow,
                layers=layers_of(*nodes),
                shapes=(str(value.type), shapes_of(reader) or str(value.type)),
                about="layout",
            )
        )


def layers_of(first: Node | None, second: Node | None) -> tuple[str, str]:
    """Return the layer paths of two nodes; who is no node is the model."""
    paths = [", ".join(node.location.layers) if node else "" for node in (first, second)]
    return paths[0], paths[1]


def shapes_of(node: Node | None) -> str:
    """Return the types of what a node makes."""
    return ", ".join(str(value.type) for value in node.results) if node else ""
