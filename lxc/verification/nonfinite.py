"""Where numbers first leave the range of their type."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.ir.evaluate import Bindings
from lxc.ir.graph import Graph
from lxc.ir.node import Node
from lxc.ir.types import Array
from lxc.ir.work_text import work_line
from lxc.verification.both_widths import BothWidths
from lxc.verification.given import Values
from lxc.verification.judgement import number


@dataclass(frozen=True)
class NonFinite:
    """The first op that gives a NaN or an infinity where float64 has a number.

    `exact` is that number, and `found` what the element type made of it.
    """

    op: str
    layers: tuple[str, ...]
    found: float
    exact: float
    count: int

    def to_json(self) -> dict[str, Any]:
        """Return the fields for `json`."""
        return {
            "op": self.op,
            "layers": list(self.layers),
            "found": number(self.found),
            "exact": number(self.exact),
            "count": self.count,
        }


def first_nonfinite(graph: Graph, values: Values) -> NonFinite | None:
    """Return the first op whose result is not finite in its type alone, if there is one."""
    watched = Watch(graph)
    sections = (
        (graph.inputs, values.inputs),
        (graph.params, values.params),
        (graph.state, values.state),
    )
    watched.run(sections)
    return watched.first


class Watch(BothWidths):
    """A run that notes where numbers first leave the range of their type."""

    def __init__(self, graph: Graph) -> None:
        """Begin without having found anything."""
        super().__init__(graph)
        self.first: NonFinite | None = None

    def look(self, node: Node, bound: Bindings, own: Bindings) -> None:
        """Note a node whose result is the first that is not finite in its type alone."""
        for value in node.results:
            if self.first is None and value.type.dtype.is_float:
                self.first = compared(node, own[value], bound[value])


def compared(node: Node, narrow: Array, exact: Array) -> NonFinite | None:
    """Return what is told of a node whose result is not finite in its type alone."""
    wide = narrow.astype(np.float64)
    lost = np.isfinite(exact) & ~np.isfinite(wide)
    if not lost.any():
        return None
    found, number_there = float(wide[lost][0]), float(exact[lost][0])
    count = int(lost.sum())
    return NonFinite(work_line(node), node.location.layers, found, number_there, count)
