"""Convolutions of values with channels behind the spatial axes as loops."""

from collections.abc import Mapping

from lxc.ir.node import Node
from lxc.passes.nodes import attributes_of
from lxc.targets.kernels.anchors import Anchor, Coordinates, Factor
from lxc.targets.kernels.convolutions.blocked import cells_read, check_unpadded
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.place import Place
from lxc.targets.kernels.sizes import index_of
from lxc.targets.tvm_api import Expr, Index, divide


def channels_last_conv(node: Node, dims: Mapping[str, Expr], source: Source) -> Anchor:
    """Return a convolution: loops over sample, cells and channel, sums over taps first.

    Vectors run along the channels.
    """
    check_unpadded(node)
    x, weight = node.operands
    shape = [index_of(entry, dims) for entry in node.result.type.shape]
    sizes = [index_of(entry, dims) for entry in x.type.shape]
    kernel = [index_of(entry, dims) for entry in weight.type.shape]
    groups = attributes_of(node)["groups"]
    outputs, inputs, last = shape[-1] // groups, kernel[-1], len(shape) - 1

    def cell(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        *tap, inner = deep
        group: Index = 0 if groups == 1 else divide(at[-1], outputs)
        where = (at[0], *cells_read(node, at[1:-1], tap), group * inputs + inner)
        return elements.at(x, Place(sizes, where))

    def tapped(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        return elements.at(weight, Place(kernel, (at[-1], *deep)))

    return Anchor(
        node,
        tuple(shape),
        tuple(kernel[1:]),
        last,
        last - 1,
        "add",
        lambda at: at,
        (
            Factor(cell, frozenset(range(last if groups == 1 else last + 1))),
            Factor(tapped, frozenset({last})),
        ),
    )
