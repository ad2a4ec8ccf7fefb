"""Where a view's element comes from: a place in the result to one in the operand."""

from collections.abc import Callable, Mapping, Sequence

from lxc.ir.node import Node
from lxc.passes.nodes import attributes_of
from lxc.targets.kernels.place import Place
from lxc.targets.kernels.sizes import index_of
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import (
    Expr,
    Index,
    as_index,
    at_least,
    at_most,
    divide,
    is_equal,
    is_one,
    modulo,
)

Shape = Sequence[Index]
Dims = Mapping[str, Expr]


def reshape(node: Node, place: Place, shape: Shape, dims: Dims) -> Place:
    """Keep the position."""
    return Place(shape, position=place.position)


def transpose(node: Node, place: Place, shape: Shape, dims: Dims) -> Place:
    """Put every coordinate back to the axis it came from."""
    coordinates: list[Index] = [0] * len(shape)
    for axis, source in enumerate(attributes_of(node)["permutation"]):
        coordinates[source] = place.coordinates[axis]
    return Place(shape, coordinates)


def broadcast(node: Node, place: Place, shape: Shape, dims: Dims) -> Place:
    """Drop the coordinates along which elements repeat."""
    axes = attributes_of(node)["axes"]
    if tuple(axes) == tuple(range(len(place.shape))) and tuple(
        node.operands[0].type.shape
    ) == tuple(node.result.type.shape):
        return place
    coordinates = [
        0 if is_one(entry) else place.coordinates[axis]
        for entry, axis in zip(shape, axes, strict=True)
    ]
    return Place(shape, coordinates)


def slice(node: Node, place: Place, shape: Shape, dims: Dims) -> Place:
    """Start and step along every axis."""
    starts = [index_of(entry, dims) for entry in attributes_of(node)["start"]]
    steps = attributes_of(node)["step"]
    moves = zip(place.coordinates, starts, steps, strict=True)
    return Place(shape, [entry * step + start for entry, start, step in moves])


def reverse(node: Node, place: Place, shape: Shape, dims: Dims) -> Place:
    """Count from the end along some axes."""
    axes = attributes_of(node)["axes"]
    coordinates = [
        shape[axis] - 1 - entry if axis in axes else entry
        for axis, entry in enumerate(place.coordinates)
    ]
    return Place(shape, coordinates)


MOVES: Mapping[str, Callable[[Node, Place, Shape, Dims], Place]] = {
    "reshape": reshape,
    "transpose": transpose,
    "broadcast": broadcast,
    "slice": slice,
    "reverse": reverse,
}


def moved(node: Node, place: Place, shape: Shape, dims: Dims) -> Place:
    """Return the place in the operand, of `shape`, that a view reads."""
    return MOVES[node.op.name](node, place, shape, dims)


def unpadded(
    node: Node, place: Place, shape: Shape, writer: Writer
) -> tuple[list[Expr] | None, Place]:
    """Return when a place in a padded tensor lies in the operand, and where in the operand.

    The conditions are None where it never does, and only those that are not certain. The
    place is always one of the operand's, so that reading there is safe.
    """
    conditions: list[Expr] = []
    coordinates: list[Index] = []
    lows = [index_of(entry, writer.dims) for entry in attributes_of(node)["low"]]
    gaps = attributes_of(node)["interior"]
    for entry, low, gap, size in zip(place.coordinates, lows, gaps, shape, strict=True):
        inner = writer.prover.simplify(entry - low)
        if gap:
            conditions.append(is_equal(modulo(inner, gap + 1), as_index(0)))
            inner = divide(inner, gap + 1)
        outside, checks = checked(inner, size, writer)
        if outside:
            return None, Place(shape, position=0)
        conditions += checks
        coordinates.append(clamped(inner, size) if checks else inner)
    conditions = [c for c in conditions if not writer.prover.holds(c)]
    return conditions, Place(shape, coordinates)


def checked(inner: Index, size: Index, writer: Writer) -> tuple[bool, list[Expr]]:
    """Return whether an index is certainly outside, and what is left to check."""
    inner, end = as_index(inner), as_index(size)
    conditions = [c for c in (inner >= 0, inner < end) if not writer.prover.holds(c)]
    outside = writer.prover.holds(inner < 0) or writer.prover.holds(inner >= end)
    return outside, conditions


def clamped(inner: Index, size: Index) -> Index:
    """Return the nearest index of an axis."""
    return at_least(at_most(inner, size - 1), 0)
