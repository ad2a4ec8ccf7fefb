"""What is decided about values on their way to those who read them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from lxc.ir.node import Node, Value
from lxc.passes.decision import Decision, Refusal
from lxc.passes.two_forms import Border


class ValueDecisions(ABC):
    """The decisions of one way through a graph about one of `VERDICTS`, in order."""

    def __init__(self, makers: Mapping[Value, Node], about: str) -> None:
        """Know the nodes that make the values of the graph."""
        self.makers, self.about = makers, about
        self.made: list[Decision] = []

    def cross(self, borders: list[Border], reader: Node | None) -> None:
        """Say where values change from form to form for a reader, and forget them.

        Without a reader, the caller of the model gets them.
        """
        for border in borders:
            self.decide(border.value, reader, self.change_at(border))
        borders.clear()

    @abstractmethod
    def change_at(self, border: Border) -> Refusal:
        """Return what happens at a border, and what would make it needless."""

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
                layers=(layers_of(maker), layers_of(reader)),
                shapes=(str(value.type), shapes_of(reader) or str(value.type)),
                about=self.about,
            )
        )


def layers_of(node: Node | None) -> str:
    """Return the layer paths of a node; what is no node is the model's."""
    return ", ".join(node.location.layers) if node else ""


def shapes_of(node: Node | None) -> str:
    """Return the types of what a node makes."""
    return ", ".join(str(value.type) for value in node.results) if node else ""
