"""Convolutions as loops."""

from collections.abc import Mapping, Sequence

from lxc.errors import InternalError
from lxc.ir.node import Node
from lxc.passes.nodes import attributes_of
from lxc.targets.kernels.anchors import Anchor, Coordinates, Factor
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.place import Place, unravel
from lxc.targets.kernels.sizes import index_of, product
from lxc.targets.tvm_api import Expr, Index, is_one


def cells_read(node: Node, cells: Coordinates, tap: Coordinates) -> list[Index]:
    """Return the cells of the input that one tap reads for some cells of the result."""
    strides, steps = attributes_of(node)["strides"], attributes_of(node)["rhs_dilation"]
    moves = zip(cells, tap, strides, steps, strict=True)
    return [o * s + t * d for o, t, s, d in moves]


def check_unpadded(node: Node) -> None:
    """Refuse a node whose padding was not made a node of its own."""
    spread = attributes_of(node).get("lhs_dilation", ())
    if any(map(any, attributes_of(node)["padding"])) or any(by != 1 for by in spread):
        raise InternalError("code generation", f"{node.op} still has padding")


def blocked_conv(node: Node, dims: Mapping[str, Expr], source: Source) -> Anchor:
    """Return a convolution of blocks of channels: sample, group, block, cells and lane.

    Cells of a convolution that reads each of them once, one after the other, are one axis.
    """
    x, weight = node.operands
    plain = attributes_of(node)["plain"]
    groups = attributes_of(node)["groups"]
    sizes = [index_of(entry, dims) for entry in x.type.shape]
    kernel = [index_of(entry, dims) for entry in weight.type.shape]
    shape = [index_of(entry, dims) for entry in node.result.type.shape]
    blocks, lanes = shape[1] // groups, shape[-1]
    space = shape[2:-1]
    joins = reads_in_order(node, kernel[2:-1] if plain else kernel[2:-2], source)
    cells = [product(space)] if joins else space

    def spread(at: Coordinates) -> Coordinates:
        return unravel(at[3], space) if joins else tuple(at[3:-1])

    def left(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        if plain:
            where = cells_read(node, spread(at), deep[1:])
            return elements.at(x, Place(sizes, (at[0], deep[0], *where)))
        where = cells_read(node, spread(at), deep[1:-1])
        channels = (at[1] * kernel[1] + deep[0], *where, deep[-1])
        return elements.at(x, Place(sizes, (at[0], *channels)))

    def right(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        out = at[1] * blocks + at[2]
        return elements.at(weight, Place(kernel, (out, *deep, at[-1])))

    def cell_place(at: Coordinates, deep: Coordinates) -> Index:
        flat = (*sizes[:2], product(sizes[2:-1]), sizes[-1])
        return Place(flat, (at[0], at[1] * kernel[1] + deep[0], at[3], 0)).position

    last = 3 + len(cells)
    return Anchor(
        node,
        (shape[0], groups, blocks, *cells, lanes),
        tuple(kernel[1:-1]),
        last,
        last - 1,
        "add",
        lambda at: (at[0], at[1] * blocks + at[2], *spread(at), at[-1]),
        (
            Factor(left, frozenset({0, 1, *range(3, last)})),
            Factor(right, frozenset({1, 2, last})),
        ),
        block=2,
        inner=tuple(range(3, last - 1)),
        cells=x if joins and not plain else None,
        cell_place=cell_place,
        panel_weight=weight,
        panel_place=lambda at: (
            Place(kernel, (at[1] * blocks + at[2], *(0 for _ in kernel[1:]))).position
        ),
    )


def reads_in_order(node: Node, taps: Sequence[Index], source: Source) -> bool:
    """Return whether a convolution has one tap, and reads cells that lie side by side."""
    once = all(is_one(entry) for entry in (*taps, *attributes_of(node)["strides"]))
    return once and node.operands[0] in source.buffers


def depthwise_conv(node: Node, dims: Mapping[str, Expr], source: Source) -> Anchor:
    """Return a convolution of every channel by itself, lanes along the channels."""
    x, weight = node.operands
    sizes = [index_of(entry, dims) for entry in x.type.shape]
    kernel = [index_of(entry, dims) for entry in weight.type.shape]
    shape = tuple(index_of(entry, dims) for entry in node.result.type.shape)

    def left(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        where = cells_read(node, at[2:-1], deep)
        return elements.at(x, Place(sizes, (at[0], at[1], *where, at[-1])))

    def right(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        return elements.at(weight, Place(kernel, (at[1], *deep, at[-1])))

    last = len(shape) - 1
    return Anchor(
        node,
        shape,
        tuple(kernel[1:-1]),
        last,
        last - 1,
        "add",
        lambda at: at,
        (
            Factor(left, frozenset(range(last + 1))),
            Factor(right, frozenset({1, last})),
        ),
        overlapping=attributes_of(node)["strides"][-1] == 1,
        first_shared=2 if last > 3 else None,
    )
