"""Why convolutions have their layouts, and where values go from one to the other."""

from collections.abc import Mapping

from lxc.ir.node import Node, Value
from lxc.passes.convolution_costs import Option
from lxc.passes.decision import Refusal, counted
from lxc.passes.two_forms import Border
from lxc.passes.value_decisions import ValueDecisions

WAYS = {
    "blocked": "its channels lie in blocks of {lanes} lanes",
    "from plain": "it reads channels in plain order and makes blocks of {lanes} lanes",
    "depthwise": "each channel has a kernel of its own, {lanes} lanes at a time",
}


class LayoutDecisions(ValueDecisions):
    """The decisions of one way through a graph, in order."""

    def __init__(self, makers: Mapping[Value, Node]) -> None:
        """Know the nodes that make the values of the graph."""
        super().__init__(makers, "layout")

    def refused(self, node: Node, refusal: Refusal) -> None:
        """Say why a convolution cannot be done in blocks."""
        self.decide(node.operands[0], node, refusal)

    def chosen(self, node: Node, option: Option, plain: Option, lanes: int) -> None:
        """Say why a convolution is done in one way."""
        if option.way == "plain":
            most = f"{counted(plain.steps, 'vector operation')} a sample"
            reason = f"blocks of {lanes} lanes take no fewer than {most}"
            allows = "more channels, or more work for each element"
            self.decide(node.operands[0], node, Refusal("work", reason, allows))
            return
        way = WAYS[option.way].format(lanes=lanes)
        steps = counted(option.steps, "vector operation")
        steps = f"{steps} a sample instead of {plain.steps}"
        self.decide(node.operands[0], node, Refusal("work", f"{way}: {steps}", ""))

    def change_at(self, border: Border) -> Refusal:
        """Return whether a value is brought into blocks or out of them."""
        if border.from_plain:
            return Refusal("border", "it is brought into blocks here", "")
        reason = "it is brought back into plain order here"
        return Refusal("border", reason, "a reader that keeps the channels apart")
