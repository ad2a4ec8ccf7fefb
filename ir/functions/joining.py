"""NumPy's functions that join arrays and take them apart."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.ir.dim import Size
from lxc.ir.functions.axes import atleast, atleast_1d, atleast_2d, atleast_3d
from lxc.ir.functions.gather import take
from lxc.ir.functions.promotion import as_operand, common_type
from lxc.ir.functions.shape import (
    axis_of,
    concatenate,
    expand_dims,
    narrow,
    ravel,
    reshape,
    split,
)
from lxc.ir.tensor import implements, shape_of


@implements(np.hstack)
def hstack(xs: Sequence[Any], *, dtype: Any = None) -> Any:
    """Return arrays joined along the second axis; vectors along their only one."""
    parts = [atleast_1d(x) for x in xs]
    return joined(parts, 0 if len(shape_of(parts[0])) == 1 else 1, dtype)


@implements(np.vstack)
def vstack(xs: Sequence[Any], *, dtype: Any = None) -> Any:
    """Return arrays joined along the first axis; vectors become rows."""
    return joined([atleast_2d(x) for x in xs], 0, dtype)


@implements(np.dstack)
def dstack(xs: Sequence[Any]) -> Any:
    """Return arrays joined along the third axis."""
    return joined([atleast_3d(x) for x in xs], 2, None)


@implements(np.column_stack)
def column_stack(xs: Sequence[Any]) -> Any:
    """Return arrays joined along the second axis; vectors become columns."""
    columns = [atleast_1d(x) for x in xs]
    columns = [expand_dims(x, 1) if len(shape_of(x)) == 1 else x for x in columns]
    return joined(columns, 1, None)


def joined(parts: Sequence[Any], axis: int, dtype: Any) -> Any:
    """Return parts joined along an axis, in `dtype` if one is given."""
    if dtype is not None:
        parts = [as_operand(part, np.dtype(dtype)) for part in parts]
    return concatenate(parts, axis)


@implements(np.block)
def block(arrays: Any) -> Any:
    """Return nested lists of arrays joined: the innermost along the last axis."""
    depth = depth_of(arrays)
    rank = max(depth, *(len(shape_of(leaf)) for leaf in leaves(arrays)))

    def assembled(part: Any, level: int) -> Any:
        if not isinstance(part, list):
            return atleast(part, rank)
        return concatenate([assembled(inner, level + 1) for inner in part], level - depth)

    return assembled(arrays, 0)


def depth_of(arrays: Any) -> int:
    """Return how deep lists are nested, the same everywhere, or raise."""
    if not isinstance(arrays, list):
        return 0
    depths = {depth_of(part) for part in arrays}
    if len(depths) != 1:
        raise LxcError("LXC-E0103", "the lists of a block are nested to different depths")
    return 1 + depths.pop()


def leaves(arrays: Any) -> list[Any]:
    """Return what lies in nested lists."""
    if not isinstance(arrays, list):
        return [arrays]
    return [leaf for part in arrays for leaf in leaves(part)]


@implements(np.append)
def append(x: Any, values: Any, axis: int | None = None) -> Any:
    """Return `values` after `x` along an axis; without one both become vectors."""
    if axis is None:
        return concatenate([ravel(x), ravel(values)])
    return concatenate([x, values], axis)


@implements(np.delete)
def delete(x: Any, places: Any, axis: int | None = None) -> Any:
    """Return `x` without the entries at some places, which are known, along an axis."""
    x = as_operand(x, common_type((x,)))
    if axis is None:
        x, axis = ravel(x), 0
    axis = axis_of(axis, len(shape_of(x)))
    kept = np.delete(np.arange(known_size(x, axis)), places)
    return take(x, kept, axis)


def known_size(x: Any, axis: int) -> int:
    """Return the size of an axis, or raise if it is symbolic."""
    entry = shape_of(x)[axis]
    if not isinstance(entry, int):
        raise LxcError(
            "LXC-E0103",
            f"the size of axis {axis} must be known here",
            expected="a number",
            actual=str(entry),
        )
    return entry


@implements(np.array_split)
def array_split(x: Any, parts: int | Sequence[int], axis: int = 0) -> list[Any]:
    """Return parts of `x` along `axis` whose sizes differ by one at most."""
    if not isinstance(parts, int):
        return split(x, parts, axis)
    axis = axis_of(axis, len(shape_of(x)))
    entry = shape_of(x)[axis]
    sizes = [(entry + parts - 1 - part) // parts for part in range(parts)]
    edges: list[Size] = [0, *accumulate(sizes, lambda total, part: total + part)]
    return [narrow(x, axis, low, high) for low, high in pairwise(edges)]


@implements(np.hsplit)
def hsplit(x: Any, parts: int | Sequence[int]) -> list[Any]:
    """Return parts of `x` along the second axis, of a vector along the only one."""
    return split(x, parts, 0 if len(shape_of(x)) == 1 else 1)


@implements(np.vsplit)
def vsplit(x: Any, parts: int | Sequence[int]) -> list[Any]:
    """Return parts of `x` along the first axis."""
    return split(x, parts, 0)


@implements(np.dsplit)
def dsplit(x: Any, parts: int | Sequence[int]) -> list[Any]:
    """Return parts of `x` along the third axis."""
    return split(x, parts, 2)


@implements(np.unstack)
def unstack(x: Any, *, axis: int = 0) -> tuple[Any, ...]:
    """Return the entries of `x` along `axis`, which disappears."""
    axis = axis_of(axis, len(shape_of(x)))
    shape = shape_of(x)
    left = (*shape[:axis], *shape[axis + 1 :])
    pieces = split(x, known_size(x, axis), axis) if shape[axis] != 0 else []
    return tuple(reshape(piece, left) for piece in pieces)
