"""The nodes of one product that stands for several."""

from collections.abc import Sequence
from dataclasses import dataclass

from lxc.ir.node import Node, Value
from lxc.ir.op import Op
from lxc.ir.ops.contract import dot_general, free_axes
from lxc.ir.ops.shape import broadcast, concat, reshape, slice, transpose
from lxc.ir.types import Shape, TensorType
from lxc.passes.attention_memory import known
from lxc.passes.node_writer import NodeWriter
from lxc.passes.nodes import attributes_of


@dataclass(frozen=True)
class Part:
    """A product with what follows it up to a value that stays: the last of `nodes`.

    `vectors` are the parameters of one axis that every row is multiplied with or that are
    added to it. `heads` is the shape of the last axis after a reshape that splits it, if
    there is one.
    """

    nodes: tuple[Node, ...]
    vectors: tuple[Value, ...]
    heads: Shape | None

    @property
    def product(self) -> Node:
        """The product."""
        return self.nodes[0]

    @property
    def columns(self) -> int:
        """The size of the last axis of the product."""
        return known(self.product.result.type.shape[-1])

    @property
    def steps(self) -> tuple[Op, ...]:
        """What is done with the vectors."""
        return tuple(node.op for node in self.nodes[1 : len(self.vectors) + 1])


class Joined(NodeWriter):
    """The nodes of one merged product."""

    def __init__(self, rows: Value, parts: Sequence[Part]) -> None:
        """Start without nodes."""
        super().__init__()
        self.rows, self.parts = rows, parts
        for part in parts:
            for node in part.nodes:
                self.location = self.location.join(node.location)

    def write(self) -> dict[Value, Value]:
        """Write everything; return what stands for the value of each part."""
        facts = attributes_of(self.parts[0].product)
        contract = facts["lhs_contract"]
        weights = [self.weight(part.product) for part in self.parts]
        whole = self.made(concat, *weights, axis=len(contract))
        total = self.made(
            dot_general,
            *(self.rows, whole),
            lhs_batch=(),
            rhs_batch=(),
            lhs_contract=contract,
            rhs_contract=tuple(range(len(contract))),
            result=facts["result"],
            factors=facts["factors"],
        )
        vectors = zip(*(part.vectors for part in self.parts), strict=True)
        for step, joined in zip(self.parts[0].steps, vectors, strict=True):
            total = self.stepped(step, total, joined)
        return self.sliced(total)

    def weight(self, product: Node) -> Value:
        """Return the weight with the summed axes first."""
        weight = product.operands[1]
        contract = attributes_of(product)["rhs_contract"]
        order = (*contract, *free_axes(weight.type.rank, contract))
        if order == tuple(range(weight.type.rank)):
            return weight
        return self.made(transpose, weight, permutation=order)

    def stepped(self, step: Op, total: Value, vectors: Sequence[Value]) -> Value:
        """Return the product after a step with the vectors of all parts."""
        vector = self.made(concat, *vectors, axis=0)
        kind: TensorType = total.type
        spread = self.made(broadcast, vector, shape=kind.shape, axes=(kind.rank - 1,))
        return self.made(step, total, spread)

    def sliced(self, total: Value) -> dict[Value, Value]:
        """Return the part of a product for each value, sliced behind a shared reshape."""
        size = self.shared_size()
        if size > 1:
            shape = (*total.type.shape[:-1], total.type.shape[-1] // size, size)
            axis, total = total.type.rank - 1, self.made(reshape, total, shape=shape)
        else:
            axis = total.type.rank - 1
        values, first = {}, 0
        for part in self.parts:
            start = [0] * total.type.rank
            stop = list(total.type.shape)
            end = first + part.columns // size
            start[axis], stop[axis] = first, end
            step = (1,) * total.type.rank
            value = self.made(slice, total, start=tuple(start), stop=tuple(stop), step=step)
            first = end
            kept = part.nodes[-1].result
            if kept.type != value.type:
                value = self.made(reshape, value, shape=kept.type.shape)
            values[kept] = value
        return values

    def shared_size(self) -> int:
        """Return the last axis that the values of all parts are split into, or 1."""
        last = {part.heads[-1] if part.heads else 1 for part in self.parts}
        size = last.pop()
        return size if isinstance(size, int) and not last else 1
