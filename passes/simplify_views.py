"""Identities of views: what does nothing goes, two in a row become one."""

from collections.abc import Iterable
from typing import Any

from lxc.ir.builder import make_node
from lxc.ir.node import Node, Value
from lxc.ir.op import Attribute, Op
from lxc.ir.ops.shape import broadcast, concat, pad, reshape, reverse, slice, transpose
from lxc.ir.rewrite import Replacement
from lxc.ir.types import Shape
from lxc.passes.known_values import KnownValues
from lxc.passes.nodes import attributes_of, is_static
from lxc.passes.simplify_arithmetic import Rule


def view(node: Node, op: Op, x: Value, **attributes: Attribute) -> Replacement:
    """Return one view of `x` for `node`."""
    new = make_node(op, (x,), attributes, (), node.location)
    return Replacement(new.results, (new,))


def simplify_reshape(node: Node, known: KnownValues) -> Replacement | None:
    """Drop a reshape to the same shape; make one of two."""
    (x,) = node.operands
    if x.type == node.result.type:
        return Replacement((x,))
    inner = known.maker(x, reshape)
    if inner is None:
        return None
    return view(node, reshape, inner.operands[0], shape=node.result.type.shape)


def simplify_transpose(node: Node, known: KnownValues) -> Replacement | None:
    """Drop one that keeps the order; make one of two; a reshape may do the same."""
    (x,) = node.operands
    permutation = attributes_of(node)["permutation"]
    if permutation == tuple(range(x.type.rank)):
        return Replacement((x,))
    if in_order(axis for axis in permutation if x.type.shape[axis] != 1):
        return view(node, reshape, x, shape=node.result.type.shape)
    inner = known.maker(x, transpose)
    if inner is None:
        return None
    first = attributes_of(inner)["permutation"]
    composed = tuple(first[axis] for axis in permutation)
    return view(node, transpose, inner.operands[0], permutation=composed)


def in_order(axes: Iterable[int]) -> bool:
    """Return whether `axes` increase."""
    found = list(axes)
    return found == sorted(found)


def simplify_broadcast(node: Node, known: KnownValues) -> Replacement | None:
    """Drop one that repeats nothing; look through a broadcast or new axes of size 1."""
    (x,) = node.operands
    if x.type == node.result.type:
        return Replacement((x,))
    inner = known.maker(x, broadcast, reshape)
    if inner is None:
        return None
    if inner.op is broadcast:
        first = attributes_of(inner)["axes"]
    else:
        first = inserted_axes(inner.operands[0].type.shape, x.type.shape)
    if first is None:
        return None
    axes = attributes_of(node)["axes"]
    return view(
        node,
        broadcast,
        inner.operands[0],
        shape=node.result.type.shape,
        axes=tuple(axes[axis] for axis in first),
    )


def inserted_axes(old: Shape, new: Shape) -> tuple[int, ...] | None:
    """Return where the axes of `old` are in `new`, if `new` only has more of size 1."""
    axes: list[int] = []
    for axis, entry in enumerate(new):
        if len(axes) < len(old) and entry == old[len(axes)]:
            axes.append(axis)
        elif entry != 1:
            return None
    return tuple(axes) if len(axes) == len(old) else None


def simplify_slice(node: Node, known: KnownValues) -> Replacement | None:
    """Drop a slice of everything; make one of two."""
    (x,) = node.operands
    if x.type == node.result.type:
        return Replacement((x,))
    inner = known.maker(x, slice)
    if inner is None or not (is_static(node) and is_static(inner)):
        return None
    if 0 in node.result.type.shape:
        # An empty range may begin where the operand of the first slice has ended.
        return None
    first, second = attributes_of(inner), attributes_of(node)
    starts = zip(first["start"], first["step"], second["start"], strict=True)
    start = tuple(outer + by * more for outer, by, more in starts)
    step = tuple(a * b for a, b in zip(first["step"], second["step"], strict=True))
    # The last element that is taken ends the range, so it stays inside of the operand.
    counts: tuple[Any, ...] = node.result.type.shape
    stop = tuple(
        low + max(0, (count - 1) * by + 1)
        for low, count, by in zip(start, counts, step, strict=True)
    )
    return view(node, slice, inner.operands[0], start=start, stop=stop, step=step)


def simplify_reverse(node: Node, known: KnownValues) -> Replacement | None:
    """Drop axes of one element, and what is reversed twice."""
    (x,) = node.operands
    axes = attributes_of(node)["axes"]
    inner = known.maker(x, reverse)
    if inner:
        x = inner.operands[0]
        axes = tuple(sorted(set(axes) ^ set(attributes_of(inner)["axes"])))
    moved = tuple(axis for axis in axes if x.type.shape[axis] != 1)
    if not moved:
        return Replacement((x,))
    if inner is None and moved == attributes_of(node)["axes"]:
        return None
    return view(node, reverse, x, axes=moved)


def simplify_pad(node: Node, known: KnownValues) -> Replacement | None:
    """Drop a pad that adds nothing."""
    facts = attributes_of(node)
    added = (*facts["low"], *facts["high"], *facts["interior"])
    return Replacement(node.operands[:1]) if all(n == 0 for n in added) else None


def simplify_concat(node: Node, known: KnownValues) -> Replacement | None:
    """Drop a join of one."""
    return Replacement(node.operands) if len(node.operands) == 1 else None


VIEWS: dict[Op, tuple[Rule, ...]] = {
    reshape: (simplify_reshape,),
    transpose: (simplify_transpose,),
    broadcast: (simplify_broadcast,),
    slice: (simplify_slice,),
    reverse: (simplify_reverse,),
    pad: (simplify_pad,),
    concat: (simplify_concat,),
}
