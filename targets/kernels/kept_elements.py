"""Results that lie over an operand, of which whole vectors stay as they are.

So a cache takes in one more entry for the price of that entry, not of the cache.
"""

from dataclasses import dataclass

from lxc.ir.node import Value
from lxc.ir.ops.logic import select
from lxc.ir.ops.shape import broadcast
from lxc.passes.nodes import attributes_of
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.group import Group
from lxc.targets.kernels.place import Place
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import Buffer, Expr, address, differs, either, negation


@dataclass(frozen=True)
class Kept:
    """An operand whose elements are the result where a condition does or does not hold."""

    source: Source
    condition: Value
    operand: Value
    where: bool

    def is_written(self, writer: Writer, result: Buffer, place: Place) -> Expr:
        """Return whether a vector from `place` on is more than what lies there already."""
        holds = Elements(writer, self.source, 1).at(self.condition, place)
        changes = negation(holds) if self.where else holds
        return either(differs(address(result), address(self.buffer)), changes)

    @property
    def buffer(self) -> Buffer:
        """The memory of the operand."""
        return self.source.buffers[self.operand]


def kept_by(source: Source, group: Group, first: int) -> Kept | None:
    """Return what a kernel keeps in place, if one condition counts for whole vectors.

    Vectors lie along the axes from `first` on.
    """
    chooses = source.producers.get(group.stored)
    if chooses is None or chooses.op is not select:
        return None
    condition, x, y = chooses.operands
    if not is_same_along(source, condition, first):
        return None
    for operand, where in ((y, False), (x, True)):
        if operand in source.buffers:
            return Kept(source, condition, operand, where)
    return None


def is_same_along(source: Source, value: Value, first: int) -> bool:
    """Return whether a value does not change along the axes from `first` on."""
    maker = source.producers.get(value)
    if maker is None or maker.op is not broadcast:
        return False
    sizes = zip(attributes_of(maker)["axes"], maker.operands[0].type.shape, strict=True)
    return all(size == 1 for axis, size in sizes if axis >= first)
