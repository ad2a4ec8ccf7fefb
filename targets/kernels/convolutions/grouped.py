"""A convolution in groups whose kernel copies what it reads: the loops, and the weight.

The loop axes are sample, group and channel of the group, then those of cells.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lxc.ir.node import Node, Value
from lxc.passes.nodes import attributes_of
from lxc.targets.kernels.anchors import Coordinates, Factor
from lxc.targets.kernels.element import Elements
from lxc.targets.kernels.place import Place
from lxc.targets.kernels.sizes import index_of
from lxc.targets.tvm_api import Expr, Index

SAMPLE, GROUP, CHANNEL = range(3)


@dataclass(frozen=True)
class Grouped:
    """The sizes of result and weight; `outputs` are the channels of one group."""

    weight: Value
    shape: tuple[Index, ...]
    kernel: tuple[Index, ...]
    groups: int
    outputs: Index

    def channel(self, at: Coordinates) -> Index:
        """Return the channel of the result at coordinates along the loop axes."""
        return at[GROUP] * self.outputs + at[CHANNEL]

    def pull(self, elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        """Return the element of the weight for a step; taps that it does not name are 0."""
        taps = (0,) * (len(self.kernel) - 1 - len(deep))
        place = Place(self.kernel, (self.channel(at), *deep, *taps))
        return elements.at(self.weight, place)

    @property
    def factor(self) -> Factor:
        """The weight; where the other factor lies, only the task that copies it knows."""
        return Factor(self.pull, frozenset({GROUP, CHANNEL}))


def grouped(node: Node, dims: Mapping[str, Expr]) -> Grouped:
    """Return what is known of a convolution before anything is copied."""
    weight, groups = node.operands[1], attributes_of(node)["groups"]
    shape, kernel = (
        tuple(index_of(entry, dims) for entry in kind.shape)
        for kind in (node.result.type, weight.type)
    )
    return Grouped(weight, shape, kernel, groups, shape[1] // groups)
