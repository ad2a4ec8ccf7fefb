"""Check a memory plan by acting it out: who wrote each byte last, and who reads it.

This shares no code with the planner. It runs through the graph, loops twice, and remembers
for every value whether its bytes are still its own when it is read.
"""

from collections.abc import Iterable, Sequence

from lxc.errors import InternalError
from lxc.ir.graph import Graph, Program
from lxc.ir.node import Node, Value
from lxc.ir.ops.shape import concat, reshape
from lxc.ir.ops.structure import fused, scan
from lxc.ir.printer import print_nodes
from lxc.passes.nodes import attributes_of, is_symbolic


def check_plan(program: Graph | Program) -> None:
    """Raise `InternalError` if a value has no place or is overwritten too early."""
    if isinstance(program, Program):
        Rehearsal(program.prepare, ()).perform()
        Rehearsal(program.run, program.run.outputs).perform()
    else:
        Rehearsal(program, program.outputs).perform()


class Rehearsal:
    """One run of a planned graph without numbers; `intact` holds what can still be read."""

    def __init__(self, graph: Graph, stored_elsewhere: Iterable[Value]) -> None:
        """Begin with nothing in the arena."""
        self.graph = graph
        self.elsewhere = {*graph.headers, *stored_elsewhere}
        self.intact: set[Value] = set()
        pairs = zip(graph.updates, graph.state, strict=True)
        unplaced = [(new, old) for new, old in pairs if new not in self.elsewhere]
        self.replaced = {new: {old} for new, old in unplaced if new not in graph.places}

    def perform(self) -> None:
        """Run all nodes, then read what the graph returns."""
        self.run(self.graph.nodes)
        for value in self.graph.results:
            self.read(value, None)

    def span(self, value: Value) -> tuple[int, int]:
        """Return the first byte of `value` and the one behind its last."""
        start = self.graph.places[value]
        return start, start + value.type.max_bytes

    def read(self, value: Value, node: Node | None) -> None:
        """Refuse to read what something else has overwritten."""
        if value in self.elsewhere or value in self.intact:
            return
        shown = print_nodes((node,)).splitlines()[0] if node else "the results"
        raise InternalError("plan-memory", f"a value is lost before it is read: {shown}")

    def write(self, value: Value, node: Node, kept: Iterable[Value] = ()) -> None:
        """Let `value` take its bytes; whatever else lay there is lost, except `kept`.

        New state without a place is written over the old.
        """
        if value in self.elsewhere:
            return
        if value in self.replaced:
            self.elsewhere -= self.replaced[value]
            self.elsewhere.add(value)
            return
        if value not in self.graph.places:
            shown = print_nodes((node,)).splitlines()[0]
            raise InternalError("plan-memory", f"a value has no place: {shown}")
        start, end = self.span(value)
        survivors = set(kept)
        for other in [other for other in self.intact if other not in survivors]:
            first, last = self.span(other)
            if first < end and start < last:
                self.intact.discard(other)
        self.intact.add(value)

    def run(self, nodes: Sequence[Node]) -> None:
        """Run nodes in order."""
        for node in nodes:
            for value in node.operands:
                self.read(value, node)
            if node.op is scan:
                self.loop(node)
            else:
                self.kernel(node)

    def kernel(self, node: Node) -> None:
        """Run a kernel; what it reads while it writes must not lie under its result."""
        if renames(node) and node.operands[0] in self.elsewhere:
            self.elsewhere.update(v for v in node.results if v not in self.graph.places)
            for names in self.replaced.values():
                names.update(node.results if node.operands[0] in names else ())
        for value in node.results:
            same = [other for other in node.operands if self.coincides(value, other)]
            # A renamed value keeps its bytes, and so do all others that lie in them.
            stays = (renames(node) and same) or self.is_joined(node)
            self.write(value, node, self.intact if stays else ())
            for operand in dict.fromkeys(node.operands):
                if operand in same and (renames(node) or reads_at_own_index(node, operand)):
                    continue
                self.read(operand, node)

    def is_joined(self, node: Node) -> bool:
        """Return whether a join finds its parts where they have to be, byte by byte."""
        places, values = self.graph.places, (*node.operands, *node.results)
        if node.op is not concat or not all(value in places for value in values):
            return False
        shape, axis = node.result.type.shape, attributes_of(node)["axis"]
        if is_symbolic(shape) or any(entry != 1 for entry in shape[:axis]):
            return False
        end = places[node.result]
        for value in node.operands:
            start, after = self.span(value)
            if start != end:
                return False
            end = after
        return True

    def coincides(self, value: Value, other: Value) -> bool:
        """Return whether two values lie in exactly the same bytes."""
        if other in self.replaced.get(value, ()):
            return True
        if {value, other} & self.elsewhere:
            return False
        places = self.graph.places
        return value in places and other in places and self.span(value) == self.span(other)

    def loop(self, node: Node) -> None:
        """Run the body twice, handing the carries on."""
        body, carries = node.bodies[0], attributes_of(node)["carries"]
        whole = dict(zip(body.parameters, node.operands, strict=True))
        in_place = (*body.parameters[carries:], *self.rotating(node, carries))
        self.elsewhere.update(in_place)
        for value in body.parameters[:carries]:
            self.write(value, node)
        for value in node.results[carries:]:
            self.write(value, node)
        for _ in range(2):
            self.run(body.nodes)
            for value in in_place:
                self.read(whole[value], node)
            for old, new in zip(body.parameters[:carries], body.outputs, strict=False):
                self.read(new, node)
                same = new is old or self.coincides(old, new)
                self.write(old, node, (new,) if same else ())
            for value in (*body.outputs[carries:], *node.results[carries:]):
                self.read(value, node)
        for old, new in zip(body.parameters[:carries], node.results[:carries], strict=True):
            self.read(old, node)
            self.write(new, node)
        for value in node.results:
            self.read(value, node)

    def rotating(self, node: Node, carries: int) -> list[Value]:
        """Return the carries that lie in a result which is intact after every step.

        What is stacked and has no place is written right into the result.
        """
        body = node.bodies[0]
        made = {value for inner in body.nodes for value in inner.results}
        placed = self.graph.places
        stacked = {v for v in body.outputs[carries:] if v in made and v not in placed}
        self.elsewhere.update(stacked)
        pairs = zip(body.parameters[:carries], body.outputs, strict=False)
        return [old for old, new in pairs if old not in placed and new in stacked]


def renames(node: Node) -> bool:
    """Return whether a node hands on its operand's elements in their order."""
    return node.op is fused and {inner.op for inner in node.bodies[0].nodes} <= {reshape}


def reads_at_own_index(node: Node, operand: Value) -> bool:
    """Return whether every way from `operand` to the result is elementwise."""
    if node.op is not fused:
        return False
    body = node.bodies[0]
    tainted = {
        parameter
        for parameter, value in zip(body.parameters, node.operands, strict=True)
        if value is operand
    }
    for inner in body.nodes:
        if inner.op.kind == "reduction":
            return False
        if tainted & set(inner.operands):
            if inner.op.kind != "elementwise":
                return False
            tainted.add(inner.result)
    return body.outputs[0] in tainted
