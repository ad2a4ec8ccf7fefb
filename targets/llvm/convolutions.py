"""Convolutions as loops."""

from collections.abc import Mapping

from lxc.errors import InternalError
from lxc.ir.node import Node
from lxc.passes.nodes import attributes_of
from lxc.targets.llvm.anchors import Anchor, Coordinates, Factor
from lxc.targets.llvm.element import Elements, Source
from lxc.targets.llvm.place import Place, unravel
from lxc.targets.llvm.sizes import index_of, product
from lxc.targets.tvm_api import Expr, Index

FEWEST_CHANNELS = 4
"""Fewer output channels than this do not fill a vector worth having."""


def conv(node: Node, dims: Mapping[str, Expr], source: Source) -> Anchor:
    """Return a convolution: loops over sample, group, channel and cells."""
    x, weight = node.operands
    check_unpadded(node)
    inner_order = attributes_of(node)["weight_order"] == "io"
    shape = [index_of(entry, dims) for entry in node.result.type.shape]
    kernel = [index_of(entry, dims) for entry in weight.type.shape]
    taps, inputs = (kernel[:-2], kernel[-2]) if inner_order else (kernel[2:], kernel[1])
    groups = attributes_of(node)["groups"]
    outputs = shape[1] // groups

    def left(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        sample, group, _, *cells = at
        inner, *tap = deep
        where = (sample, group * inputs + inner, *cells_read(node, cells, tap))
        return elements.at(x, Place(elements.shape_of(x), where))

    def right(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        _, group, channel, *_ = at
        inner, *tap = deep
        out = group * outputs + channel
        order = (*tap, inner, out) if inner_order else (out, inner, *tap)
        return elements.at(weight, Place(kernel, order))

    wide = inner_order and outputs >= FEWEST_CHANNELS
    last = len(shape)
    return Anchor(
        node,
        (shape[0], groups, outputs, *shape[2:]),
        (inputs, *taps),
        2 if wide else last,
        last if wide else (2 if outputs > 1 or last == 3 else last - 1),
        "add",
        lambda at: (at[0], at[1] * outputs + at[2], *at[3:]),
        (
            Factor(left, frozenset({0, 1, *range(3, last + 1)})),
            Factor(right, frozenset({1, 2})),
        ),
    )


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
    joins = reads_in_order(node, source)
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
        panel_weight=weight,
        panel_place=lambda at: (
            Place(kernel, (at[1] * blocks + at[2], *(0 for _ in kernel[1:]))).position
        ),
    )


def reads_in_order(node: Node, source: Source) -> bool:
    """Return whether a convolution has one tap, and reads cells that lie side by side."""
    x, weight = node.operands
    taps = (
        weight.type.shape[2:-1]
        if attributes_of(node)["plain"]
        else (weight.type.shape[2:-2])
    )
    once = all(entry == 1 for entry in (*taps, *attributes_of(node)["strides"]))
    return once and x in source.buffers


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
    )
