"""Compute what depends on constants only while compiling."""

import numpy as np

from lxc.ir.builder import CONSTANT_BYTES, constant_attributes, make_node
from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value
from lxc.ir.ops.shape import broadcast, constant
from lxc.ir.rewrite import Replacement, rewrite
from lxc.ir.types import Array
from lxc.passes.nodes import attributes_of, is_static


def fold_constants(graph: Graph) -> Graph:
    """Replace small values that follow from constants by constants.

    A folded value is never larger than what it is computed from. Elementwise nodes on
    repeated numbers become one number that is repeated.
    """
    return rewrite(graph, Folding().fold)


class Folding:
    """The constants seen so far, and the numbers that broadcasts repeat."""

    def __init__(self) -> None:
        """Know no constants."""
        self.arrays: dict[Value, Array] = {}
        self.repeated: dict[Value, Array] = {}

    def fold(self, node: Node) -> Replacement | None:
        """Return a constant for `node`, or None."""
        if node.op is constant:
            self.arrays[node.result] = node.op.run((), node.attributes)[0]
            return None
        number = self.number(node)
        if number is not None:
            self.repeated[node.result] = number
        if not node.operands or node.op.kind in ("source", "opaque", "structure"):
            return None
        if number is not None and node.op.kind == "elementwise" and node.result.type.rank:
            return self.repeat(node, number)
        return self.evaluate(node)

    def number(self, node: Node) -> Array | None:
        """Return the one number that a node repeats, if it does."""
        if node.op is broadcast:
            source = node.operands[0]
            array = self.arrays.get(source, self.repeated.get(source))
            return array.reshape(()) if array is not None and array.size == 1 else None
        if node.op.kind != "elementwise":
            return None
        numbers = [self.repeated.get(operand) for operand in node.operands]
        known = [array for array in numbers if array is not None]
        return self.run(node, known) if len(known) == len(numbers) else None

    def repeat(self, node: Node, number: Array) -> Replacement:
        """Return a constant and its broadcast to the shape of `node`."""
        scalar = make_node(constant, (), constant_attributes(number), (), node.location)
        self.arrays[scalar.result] = number
        attributes = {"shape": node.result.type.shape, "axes": ()}
        spread = make_node(broadcast, (scalar.result,), attributes, (), node.location)
        self.repeated[spread.result] = number
        return Replacement(spread.results, (scalar, spread))

    def evaluate(self, node: Node) -> Replacement | None:
        """Return a constant with the value of `node` if all operands are constants."""
        arrays = [self.arrays[value] for value in node.operands if value in self.arrays]
        if len(arrays) < len(node.operands) or not is_static(node):
            return None
        room = min(CONSTANT_BYTES, sum(array.nbytes for array in arrays))
        if node.result.type.max_bytes > room:
            return None
        result = self.run(node, arrays)
        folded = make_node(constant, (), constant_attributes(result), (), node.location)
        self.arrays[folded.result] = result
        return Replacement(folded.results, (folded,))

    def run(self, node: Node, arrays: list[Array]) -> Array:
        """Return the result of `node` on arrays, in its own element type."""
        with np.errstate(all="ignore"):
            (result,) = node.op.run(tuple(arrays), attributes_of(node))
        return np.asarray(result).astype(node.result.type.dtype.numpy)
