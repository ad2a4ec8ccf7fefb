"""Convolutions of channels in plain order as loops."""

from collections.abc import Callable, Mapping
from math import prod

from lxc.ir.node import Node
from lxc.passes.nodes import attributes_of
from lxc.passes.plain_convolutions import FEWEST_CHANNELS, NEAR_BYTES, bytes_read
from lxc.targets.kernels.anchors import Anchor, Coordinates, Factor, Pull
from lxc.targets.kernels.convolutions.blocked import cells_read, check_unpadded
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.place import Place, unravel
from lxc.targets.kernels.sizes import index_of, product
from lxc.targets.tvm_api import Expr, Index


def conv(node: Node, dims: Mapping[str, Expr], source: Source) -> Anchor:
    """Return a convolution: loops over sample, group, channel and cells.

    With a weight in the order "oi" vectors run along the cells. Those of a convolution that
    reads each of them once, one after the other, are one axis.
    """
    check_unpadded(node)
    along_channels = attributes_of(node)["weight_order"] == "io"
    shape = [index_of(entry, dims) for entry in node.result.type.shape]
    kernel = [index_of(entry, dims) for entry in node.operands[1].type.shape]
    taps, inputs = (kernel[:-2], kernel[-2]) if along_channels else (kernel[2:], kernel[1])
    groups = attributes_of(node)["groups"]
    outputs, space = shape[1] // groups, shape[2:]
    joins = not along_channels and reads_in_order(node, source)
    is_far = joins and bytes_read(node) >= NEAR_BYTES
    cells = [product(space)] if joins else space

    def output(at: Coordinates) -> Coordinates:
        rest = unravel(at[3], space) if joins else tuple(at[3:])
        return (at[0], at[1] * outputs + at[2], *rest)

    def position(at: Coordinates) -> Index:
        flat = (*shape[:2], product(space))
        return Place(flat, (at[0], at[1] * outputs + at[2], at[3])).position

    wide = along_channels and outputs >= FEWEST_CHANNELS
    last = 2 + len(cells)
    return Anchor(
        node,
        (shape[0], groups, outputs, *cells),
        (inputs, *taps),
        2 if wide else last,
        last if wide else (2 if outputs > 1 or last == 3 else last - 1),
        "add",
        output,
        (
            Factor(
                joined_cells(node, dims) if joins else tapped_cells(node, inputs),
                frozenset({0, 1, *range(3, last + 1)}),
            ),
            Factor(weights(node, outputs, kernel), frozenset({1, 2})),
        ),
        row_bytes=0 if wide else row_bytes(node),
        far=node.operands[0] if is_far else None,
        far_place=joined_place(node, dims) if is_far else None,
        position=position if joins else None,
    )


def tapped_cells(node: Node, inputs: Index) -> Pull:
    """Return how a cell is read by its coordinates."""
    x = node.operands[0]

    def pull(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        inner, *tap = deep
        where = (at[0], at[1] * inputs + inner, *cells_read(node, at[3:], tap))
        return elements.at(x, Place(elements.shape_of(x), where))

    return pull


def joined_cells(node: Node, dims: Mapping[str, Expr]) -> Pull:
    """Return how a cell is read by its number among all cells of a channel."""
    x, place = node.operands[0], joined_place(node, dims)

    def pull(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        where = Place(elements.shape_of(x), position=place(at, deep))
        return elements.at(x, where)

    return pull


def joined_place(
    node: Node, dims: Mapping[str, Expr]
) -> Callable[[Coordinates, Coordinates], Index]:
    """Return where in the operand a cell lies, by its number among those of a channel."""
    sizes = [index_of(entry, dims) for entry in node.operands[0].type.shape]
    flat = (*sizes[:2], product(sizes[2:]))
    inputs = sizes[1] // attributes_of(node)["groups"]
    return lambda at, deep: Place(flat, (at[0], at[1] * inputs + deep[0], at[3])).position


def weights(node: Node, outputs: Index, kernel: Coordinates) -> Pull:
    """Return how an element of the weight is read, in either order of its axes."""
    along_channels = attributes_of(node)["weight_order"] == "io"

    def pull(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        inner, *tap = deep
        out = at[1] * outputs + at[2]
        order = (*tap, inner, out) if along_channels else (out, inner, *tap)
        return elements.at(node.operands[1], Place(kernel, order))

    return pull


def row_bytes(node: Node) -> int:
    """Return how far apart the kernels of two output channels lie, 0 if that is open."""
    weight = node.operands[1].type
    terms = [entry for entry in weight.shape[1:] if isinstance(entry, int)]
    known = len(terms) == weight.rank - 1
    return prod(terms) * weight.dtype.bytes if known else 0


def reads_in_order(node: Node, source: Source) -> bool:
    """Return whether a convolution has one tap, and reads cells that lie side by side."""
    x, weight = node.operands
    taps = weight.type.shape[2:]
    once = all(entry == 1 for entry in (*taps, *attributes_of(node)["strides"]))
    return once and x in source.buffers
