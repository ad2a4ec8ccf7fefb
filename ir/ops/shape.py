"""Ops that make values or move elements without computing on them.

Each result element is one operand element, a constant, or a number that follows from its
index.
"""

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.ir.dim import Size, bounds
from lxc.ir.op import Number, op
from lxc.ir.types import Array, DType, Shape, TensorType, count_elements, shape_text


def check_axes(axes: tuple[int, ...], rank: int, name: str) -> None:
    """Refuse axes outside of 0..rank-1 and repeated ones."""
    if len(set(axes)) != len(axes) or not all(0 <= axis < rank for axis in axes):
        raise LxcError(
            "LXC-E0103",
            f"these {name} do not fit a tensor of rank {rank}",
            expected=f"{name}: different axes below {rank}",
            actual=f"{name}: {list(axes)}",
        )


def check_count(name: str, entries: int, rank: int) -> None:
    """Refuse a per-axis attribute with the wrong number of entries."""
    if entries != rank:
        raise LxcError(
            "LXC-E0103",
            f"{name} needs one entry per axis",
            expected=f"{name}: {rank} entries",
            actual=f"{name}: {entries} entries",
        )


@op(kind="source")
def constant(*, dtype: DType, shape: Shape, value: tuple[Number, ...]) -> TensorType:
    """Return the tensor with the elements `value` in C order; at most 64 bytes."""
    if count_elements(shape) != len(value):
        raise LxcError(
            "LXC-E0103",
            "a constant's elements do not fill its shape",
            expected=f"value: {count_elements(shape)} elements",
            actual=f"value: {len(value)} elements",
        )
    if not all(holds(dtype, number) for number in value):
        raise LxcError("LXC-E0103", f"a constant's elements are not all of type {dtype}")
    return TensorType(dtype, shape)


def holds(dtype: DType, number: object) -> bool:
    """Return whether an array of the type takes `number` as an element."""
    if not isinstance(number, bool | int | float):
        return False
    try:
        np.array(number, dtype.numpy)
    except (OverflowError, TypeError, ValueError):
        return False
    return True


@constant.reference
def constant_array(
    *, dtype: DType, shape: tuple[int, ...], value: tuple[Number, ...]
) -> Array:
    """Build the array."""
    return np.array(value, dtype.numpy).reshape(shape)


@op(kind="source")
def iota(*, dtype: DType, shape: Shape, axis: int) -> TensorType:
    """Return a tensor in which each element is its index along `axis`."""
    check_axes((axis,), len(shape), "axis")
    return TensorType(dtype, shape)


@iota.reference
def iota_array(*, dtype: DType, shape: tuple[int, ...], axis: int) -> Array:
    """Count along one axis."""
    column = [1] * len(shape)
    column[axis] = shape[axis]
    counts = np.arange(shape[axis]).astype(dtype.numpy)
    return np.broadcast_to(counts.reshape(column), shape)


@op(kind="opaque")
def dim(x: TensorType, *, axis: int) -> TensorType:
    """Return the size of one axis of `x` as an i64 scalar."""
    check_axes((axis,), x.rank, "axis")
    return TensorType(DType.I64, ())


@dim.reference
def dim_of_array(x: Array, *, axis: int) -> Array:
    """Read the size off the array."""
    return np.array(x.shape[axis], np.int64)


@op(kind="view")
def reshape(x: TensorType, *, shape: Shape) -> TensorType:
    """Return the elements of `x` in C order in another shape of the same count."""
    if count_elements(shape) != x.element_count:
        raise Mismatch(
            "x",
            f"{count_elements(shape)} elements",
            f"{x.element_count} elements",
            because=f"the new shape is {x.with_shape(shape)}",
        )
    return x.with_shape(shape)


@reshape.reference
def reshape_array(x: Array, *, shape: tuple[int, ...]) -> Array:
    """Reshape in C order."""
    return np.reshape(x, shape)


@op(kind="view")
def transpose(x: TensorType, *, permutation: tuple[int, ...]) -> TensorType:
    """Return `x` with axis i of the result taken from axis `permutation[i]`."""
    check_axes(permutation, x.rank, "permutation")
    check_count("permutation", len(permutation), x.rank)
    return x.with_shape(tuple(x.shape[axis] for axis in permutation))


@transpose.reference
def transpose_array(x: Array, *, permutation: tuple[int, ...]) -> Array:
    """Permute the axes."""
    return np.transpose(x, permutation)


@op(kind="view")
def broadcast(x: TensorType, *, shape: Shape, axes: tuple[int, ...]) -> TensorType:
    """Return `x` repeated to `shape`; axis i of `x` becomes axis `axes[i]` of the result.

    An axis of `x` has the result's size, or 1. `axes` increases.
    """
    check_axes(axes, len(shape), "axes")
    check_count("axes", len(axes), x.rank)
    wanted = tuple(shape[axis] for axis in axes)
    if list(axes) != sorted(axes) or any(
        own not in (1, new) for own, new in zip(x.shape, wanted, strict=True)
    ):
        raise Mismatch(
            "x", x.with_shape(wanted), x, because=f"the result has shape {shape}"
        )
    return x.with_shape(shape)


@broadcast.reference
def broadcast_array(x: Array, *, shape: tuple[int, ...], axes: tuple[int, ...]) -> Array:
    """Insert axes and repeat."""
    kept = [1] * len(shape)
    for axis, entry in zip(axes, x.shape, strict=True):
        kept[axis] = entry
    return np.broadcast_to(x.reshape(kept), shape)


@op(kind="view")
def slice(x: TensorType, *, start: Shape, stop: Shape, step: tuple[int, ...]) -> TensorType:
    """Return the elements of `x` from `start` up to `stop` in steps, per axis."""
    for name, entries in (("start", start), ("stop", stop), ("step", step)):
        check_count(name, len(entries), x.rank)
    if any(entry < 1 for entry in step):
        raise LxcError("LXC-E0103", "a slice steps forward", actual=f"step: {list(step)}")
    for low, high, entry in zip(start, stop, x.shape, strict=True):
        if min(bounds(low)[0], bounds(high - low)[0], bounds(entry - high)[0]) < 0:
            raise Mismatch("x", f"an axis of at least {high}", x)
    return x.with_shape(
        tuple(
            -((low - high) // by) for low, high, by in zip(start, stop, step, strict=True)
        )
    )


@slice.reference
def slice_array(
    x: Array, *, start: tuple[int, ...], stop: tuple[int, ...], step: tuple[int, ...]
) -> Array:
    """Slice every axis."""
    ranges = zip(start, stop, step, strict=True)
    return x[tuple(np.s_[low:high:by] for low, high, by in ranges)]


@op(kind="view")
def reverse(x: TensorType, *, axes: tuple[int, ...]) -> TensorType:
    """Return `x` with the order of elements reversed along `axes`."""
    check_axes(axes, x.rank, "axes")
    return x


@reverse.reference
def reverse_array(x: Array, *, axes: tuple[int, ...]) -> Array:
    """Flip the axes."""
    return np.flip(x, axes)


@op(kind="view")
def pad(
    x: TensorType, value: TensorType, *, low: Shape, high: Shape, interior: tuple[int, ...]
) -> TensorType:
    """Return `x` with `value` before, after and between its elements, per axis."""
    if value != x.with_shape(()):
        raise Mismatch("value", x.with_shape(()), value, because=f"x is {x}")
    for name, entries in (("low", low), ("high", high), ("interior", interior)):
        check_count(name, len(entries), x.rank)
        check_padding(name, entries)
    cells = [spread_size(n, gap + 1) for n, gap in zip(x.shape, interior, strict=True)]
    sides = zip(cells, low, high, strict=True)
    return x.with_shape(tuple(entry + a + b for entry, a, b in sides))


def check_padding(name: str, entries: Shape) -> None:
    """Refuse padding that would cut cells off."""
    if any(bounds(entry)[0] < 0 for entry in entries):
        raise LxcError(
            "LXC-E0103",
            "padding cannot be negative",
            actual=f"{name}: {shape_text(entries)}",
        )


def spread_size(entry: Size, apart: int) -> Size:
    """Return the size of an axis whose cells are set `apart`; nothing stays nothing."""
    if apart == 1 or entry == 0:
        return entry
    if bounds(entry)[0] < 1:
        raise LxcError(
            "LXC-E0103",
            "cells of which there may be none cannot be set apart",
            expected="at least one cell along the axis",
            actual=f"{entry} cells",
        )
    return (entry - 1) * apart + 1


@pad.reference
def pad_array(
    x: Array,
    value: Array,
    *,
    low: tuple[int, ...],
    high: tuple[int, ...],
    interior: tuple[int, ...],
) -> Array:
    """Write the elements of `x` into an array full of `value`."""
    sizes = [
        max(0, entry + (entry - 1) * gap)
        for entry, gap in zip(x.shape, interior, strict=True)
    ]
    shape = [entry + a + b for entry, a, b in zip(sizes, low, high, strict=True)]
    result = np.full(shape, value, x.dtype)
    starts = zip(low, sizes, interior, strict=True)
    result[tuple(np.s_[a : a + entry : gap + 1] for a, entry, gap in starts)] = x
    return result


@op(kind="opaque")
def concat(*xs: TensorType, axis: int) -> TensorType:
    """Return the operands one after the other along `axis`."""
    first = xs[0]
    check_axes((axis,), first.rank, "axis")
    total: Size = 0
    for x in xs:
        if x.rank != first.rank:
            raise Mismatch("x", first, x, because="all operands have one rank")
        expected = (*first.shape[:axis], x.shape[axis], *first.shape[axis + 1 :])
        if x != first.with_shape(expected):
            raise Mismatch("x", first.with_shape(expected), x, because=f"x0 is {first}")
        total = total + x.shape[axis]
    return first.with_shape((*first.shape[:axis], total, *first.shape[axis + 1 :]))


@concat.reference
def concat_arrays(*xs: Array, axis: int) -> Array:
    """Join along one axis."""
    return np.concatenate(xs, axis)
