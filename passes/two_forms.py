"""Values in plain order next to the same values in another form, made when asked for."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

from lxc.ir.node import Node, Value
from lxc.passes.node_writer import NodeWriter


@dataclass(frozen=True)
class Border:
    """A value that was brought from plain order to the other form, or back."""

    value: Value
    from_plain: bool


class TwoForms(NodeWriter, ABC):
    """The nodes made so far, with the plain form of each value that has one.

    Every value of the old graph has at least one of two forms; the other one is made when
    somebody asks for it, once.
    """

    def __init__(self, headers: Iterable[Value]) -> None:
        """Start with the header values, which are plain."""
        super().__init__()
        self.plain: dict[Value, Value] = {value: value for value in headers}
        self.borders: list[Border] = []

    def keep(self, node: Node) -> None:
        """Append a node whose results are plain values of the old graph."""
        self.append(node)
        self.plain.update((value, value) for value in node.results)

    def plain_of(self, value: Value) -> Value:
        """Return a value in plain order."""
        if value not in self.plain:
            self.borders.append(Border(value, from_plain=False))
            self.plain[value] = self.brought_back(value)
        return self.plain[value]

    @abstractmethod
    def brought_back(self, value: Value) -> Value:
        """Return the plain form of a value that has the other one only."""
