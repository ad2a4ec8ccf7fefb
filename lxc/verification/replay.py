"""A program run by NumPy next to what compiled code left of its values."""

from collections.abc import Mapping

from lxc.ir.evaluate import Bindings
from lxc.ir.graph import Graph, Program
from lxc.ir.node import Node, Value
from lxc.ir.types import Array
from lxc.verification.both_widths import BothWidths
from lxc.verification.finding import Finding, finding
from lxc.verification.given import Values
from lxc.verification.observed import Observed


def first_finding(
    program: Program, values: Values, seen: Observed, kernels: Mapping[Node, str]
) -> Finding | None:
    """Return the first wrong value of a call, if any that can be read is wrong.

    Every value is computed from those in front of it that compiled code computed, so no
    kernel answers for another. `kernels` are their names.
    """
    half, run = program.prepare, program.run
    first = Replay(half, "prepare", seen.prepare, kernels)
    first.run(((half.params, values.params), (half.state, values.state)))
    if first.finding is not None:
        return first.finding
    second = Replay(run, "run", seen.run, kernels)
    second.run(
        (
            (run.inputs, values.inputs),
            (run.params, values.params),
            (run.state, values.state),
            (run.prepared, seen.prepared),
        )
    )
    return second.finding


class Replay(BothWidths):
    """An exact run that takes what compiled code computed wherever that can be read.

    `hidden` has, for every value that cannot be read, the nodes that it comes from, back to
    values that can.
    """

    def __init__(
        self,
        graph: Graph,
        phase: str,
        seen: Mapping[Value, Array],
        kernels: Mapping[Node, str],
    ) -> None:
        """Begin without having found anything."""
        super().__init__(graph)
        self.phase, self.seen, self.kernels = phase, seen, kernels
        self.hidden: dict[Value, tuple[Node, ...]] = {}
        self.finding: Finding | None = None

    def look(self, node: Node, bound: Bindings, own: Bindings) -> None:
        """Compare what can be read of the results of a node, and go on from there."""
        chain = self.chain(node)
        for value in node.results:
            if value not in self.seen:
                self.hidden[value] = chain
                continue
            actual = self.seen[value]
            if self.finding is None:
                arrays = actual, own[value], bound[value]
                self.finding = finding(self.phase, chain, self.kernels, arrays)
            bound[value] = self.widened(actual, value.type.dtype)
            own[value] = actual

    def chain(self, node: Node) -> tuple[Node, ...]:
        """Return a node behind those that its hidden operands come from."""
        found: dict[Node, None] = {}
        for value in node.operands:
            found.update(dict.fromkeys(self.hidden.get(value, ())))
        return (*found, node)
