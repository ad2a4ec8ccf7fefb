"""Let all readers of a value read the padded copy that a convolution or pool needs."""

from collections.abc import Sequence
from dataclasses import dataclass

from lxc.ir.builder import make_node
from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value, users
from lxc.ir.ops.shape import constant, pad, slice
from lxc.ir.rewrite import with_operands
from lxc.ir.types import Shape
from lxc.passes.fusion_rules import HALOED
from lxc.passes.nodes import attributes_of, is_symbolic, producers, substitute
from lxc.passes.pad_parts import feeds_halo, pad_parts


def share_halo(graph: Graph) -> Graph:
    """Read a value out of the middle of its padded form, where a kernel needs that form.

    So the kernel that makes the value writes it once, with its edges. Smaller paddings with
    the same number are read out of the largest one. Where the padded form of a joined value
    is needed, its parts are padded and joined.
    """
    graph = pad_parts(graph)
    sharing = Sharing(graph)
    return sharing.rewritten() if sharing.halos else graph


@dataclass(frozen=True)
class Halo:
    """The padded form of a value, and the value as the `inside` of that."""

    around: Node
    inside: Node


class Sharing:
    """One look at a graph, and the way through it."""

    def __init__(self, graph: Graph) -> None:
        """Find the values that are worth being stored with a halo."""
        self.graph = graph
        self.made = producers(graph.nodes)
        self.readers = users(graph.nodes)
        self.halos: dict[Value, Halo] = {}
        for node in graph.nodes:
            for value in node.results:
                if halo := self.halo_of(value):
                    self.halos[value] = halo
        self.insides = {value: one.inside.result for value, one in self.halos.items()}

    def halo_of(self, value: Value) -> Halo | None:
        """Return the halo that a value is stored with, if it has readers besides."""
        readers = self.readers.get(value, [])
        if value in self.graph.results or len(readers) < 2:
            return None
        pads = [node for node in readers if self.is_halo(node, value)]
        if not pads or not self.ends_kernel(value):
            return None
        around = max(pads, key=lambda one: sum(self.lies_inside(n, one) for n in pads))
        shape = value.type.shape
        return Halo(around, part(around, (0,) * len(shape), shape))

    def is_halo(self, node: Node, value: Value) -> bool:
        """Return whether a node pads a value with a constant for a kernel that needs it."""
        if node.op is not pad or node.operands[0] is not value:
            return False
        facts, filling = attributes_of(node), self.made.get(node.operands[1])
        sides = (facts["low"], facts["high"])
        return (
            filling is not None
            and filling.op is constant
            and not is_symbolic(sides)
            and not any(facts["interior"])
            and not any(side[-1] for side in sides)
            and feeds_halo(node.result, self.readers)
        )

    def ends_kernel(self, value: Value) -> bool:
        """Return whether a kernel that can write a halo may end with a value."""
        pending, seen = [value], {value}
        while pending:
            node = self.made.get(pending.pop())
            if node is None:
                continue
            if node.op in HALOED:
                return True
            if node.op.kind == "elementwise":
                pending += [x for x in node.operands if x not in seen]
                seen.update(node.operands)
        return False

    def rewritten(self) -> Graph:
        """Return the graph in which a halo is made right behind its value."""
        nodes: dict[Node, None] = {}
        moved = {halo.around for halo in self.halos.values()}
        values: dict[Value, Value] = {}
        for node in self.graph.nodes:
            if node in moved:
                continue
            new = self.replaced(with_operands(node, substitute(node.operands, values)))
            values.update(zip(node.results, new.results, strict=True))
            nodes[new] = None
            for value in node.results:
                if halo := self.halos.get(value):
                    # The number may have been made for an earlier reader already.
                    nodes[self.made[halo.around.operands[1]]] = None
                    nodes[halo.around] = None
                    nodes[halo.inside] = None
        return self.graph.replaced(
            nodes=tuple(nodes),
            outputs=substitute(self.graph.outputs, values),
            updates=substitute(self.graph.updates, values),
        )

    def replaced(self, node: Node) -> Node:
        """Return a node that reads halos where it reads values that have one."""
        halo = self.halos.get(node.operands[0]) if node.op is pad else None
        if halo and self.lies_inside(node, halo.around):
            low, shape = attributes_of(node)["low"], node.result.type.shape
            return part(halo.around, low, shape)
        return with_operands(node, substitute(node.operands, self.insides))

    def lies_inside(self, node: Node, around: Node) -> bool:
        """Return whether one padded form of a value is a part of another one."""
        own, outer = attributes_of(node), attributes_of(around)
        if is_symbolic((own["low"], own["high"])) or any(own["interior"]):
            return False
        numbers = [self.made.get(one.operands[1]) for one in (node, around)]
        facts = [str(one.attributes) if one else None for one in numbers]
        if facts[0] != facts[1] or any(one and one.op is not constant for one in numbers):
            return False
        sides = zip(
            (*own["low"], *own["high"]), (*outer["low"], *outer["high"]), strict=True
        )
        return all(first <= second for first, second in sides)


def part(around: Node, low: Sequence[int], shape: Shape) -> Node:
    """Return the slice of a padded value that has `low` elements of padding in front."""
    first = attributes_of(around)["low"]
    start = tuple(outer - own for outer, own in zip(first, low, strict=True))
    stop = tuple(begin + entry for begin, entry in zip(start, shape, strict=True))
    facts = {"start": start, "stop": stop, "step": (1,) * len(shape)}
    return make_node(slice, (around.result,), facts, (), around.location)
