"""Reductions of one operand as loops."""

from collections.abc import Mapping

from lxc.ir.node import Node
from lxc.ir.ops.contract import free_axes
from lxc.passes.nodes import attributes_of
from lxc.targets.kernels.anchors import Anchor, Coordinates, Factor, ordered
from lxc.targets.kernels.convolutions.blocked import check_unpadded
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.place import Place, joined
from lxc.targets.kernels.sizes import index_of, product
from lxc.targets.tvm_api import Expr


def reduce(node: Node, dims: Mapping[str, Expr], source: Source) -> Anchor:
    """Return a reduction of whole axes."""
    (x,) = node.operands
    axes = tuple(sorted(attributes_of(node)["axes"]))
    kept = free_axes(x.type.rank, axes)
    sizes = [index_of(entry, dims) for entry in x.type.shape]
    # Reduced axes at the end are walked as one.
    first = max((axis + 1 for axis in kept), default=0)
    outer = tuple(axis for axis in axes if axis < first)
    deep_last = first < x.type.rank

    def element(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        leading = ordered((*kept, *outer), (*at, *deep[: len(outer)]))
        if deep_last:
            return elements.at(x, joined(sizes, leading, deep[-1]))
        return elements.at(x, Place(sizes, leading))

    inner = (product(sizes[first:]),) if deep_last else ()
    lane = None if deep_last or not kept else len(kept) - 1
    return Anchor(
        node,
        tuple(sizes[axis] for axis in kept),
        (*(sizes[axis] for axis in outer), *inner),
        lane,
        lane - 1 if lane else None,
        attributes_of(node)["kind"],
        lambda at: at,
        (Factor(element, frozenset(range(len(kept)))),),
    )


def reduce_window(node: Node, dims: Mapping[str, Expr], source: Source) -> Anchor:
    """Return a reduction of windows."""
    (x,) = node.operands
    check_unpadded(node)
    window, strides = attributes_of(node)["window"], attributes_of(node)["strides"]
    sizes = [index_of(entry, dims) for entry in x.type.shape]
    shape = [index_of(entry, dims) for entry in node.result.type.shape]
    wide = [axis for axis, entry in enumerate(window) if entry > 1]

    def element(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        coordinates = [entry * step for entry, step in zip(at, strides, strict=True)]
        for axis, entry in zip(wide, deep, strict=True):
            coordinates[axis] = coordinates[axis] + entry
        return elements.at(x, Place(sizes, coordinates))

    rank = len(shape)
    whole = bool(wide) and wide[-1] == rank - 1 and window[-1] == sizes[-1]
    lane = None if whole or not rank else rank - 1
    return Anchor(
        node,
        tuple(shape),
        tuple(window[axis] for axis in wide),
        lane,
        lane - 1 if lane else None,
        attributes_of(node)["kind"],
        lambda at: at,
        (Factor(element, frozenset(range(rank))),),
    )
