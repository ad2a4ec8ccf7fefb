"""Operators of ONNX that read entries at indices."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.onnx.making import check_elements
from lxc.frontend.onnx.operator import Operator, operator_of
from lxc.frontend.onnx.values import Known, whole_numbers
from lxc.ir import functions as ops
from lxc.ir.functions.counting import counter
from lxc.ir.functions.gather import gather_points
from lxc.ir.tensor import lifted, shape_of


def gather(x: Any, indices: Any, *, axis: int = 0) -> Any:
    """Return the entries along an axis that indices name."""
    return ops.take(x, indices, axis)


def gather_elements(x: Any, indices: Any, *, axis: int = 0) -> Any:
    """Return for every place of indices the entry along an axis that it names."""
    own, wanted = shape_of(x), shape_of(indices)
    place = axis % x.ndim
    # ONNX lets indices cover less of the other axes than x has.
    cut = tuple(
        slice(None) if i == place or own[i] == wanted[i] else slice(0, wanted[i])
        for i in range(x.ndim)
    )
    return ops.take_along_axis(x[cut], indices, place)


def gather_nd(x: Any, indices: Any, *, batch_dims: int = 0) -> Any:
    """Return what the coordinates along the last axis of indices name."""
    x, indices = lifted((x, indices))
    shape, wanted = shape_of(x), shape_of(indices)
    count = wanted[-1]
    if not isinstance(count, int) or batch_dims + count > len(shape):
        raise LxcError("LXC-E0103", "the indices do not fit x", actual=str(wanted))
    behind = shape[batch_dims + count :]
    result = (*wanted[:-1], *behind)
    pad = (1,) * len(behind)
    places = [counter(x, result, axis) for axis in range(batch_dims)]
    for part in range(count):
        place = ops.reshape(indices[..., part], (*wanted[:-1], *pad))
        size = shape[batch_dims + part]
        places.append(ops.where(ops.less(place, 0), ops.add(place, size), place))
    first = len(wanted) - 1
    places += [counter(x, result, first + axis) for axis in range(len(behind))]
    return gather_points(x, [ops.broadcast_to(place, result) for place in places])


def one_hot(indices: Any, depth: Known, values: Any, *, axis: int = -1) -> Any:
    """Return one value where a new axis has the index, another one elsewhere."""
    (count,) = whole_numbers(np.asarray(depth).astype(np.int64), "the depth")
    check_elements((count,))
    off, on = ops.split(values, 2)
    whole = ops.astype(indices, np.int64)
    place = ops.where(ops.less(whole, 0), ops.add(whole, count), whole)
    hit = ops.one_hot(place, count, axis=axis, dtype=np.bool_)
    return ops.where(hit, on, off)


def compress(x: Any, condition: Known, *, axis: int | None = None) -> Any:
    """Return the entries for which a known condition holds."""
    return ops.take(x, np.flatnonzero(condition), axis)


def nonzero(x: Known) -> Any:
    """Return the coordinates of what is not 0, one row for every axis."""
    found = np.argwhere(np.asarray(x)).T
    return found.astype(np.int64)


def reverse_sequence(
    x: Any, sequence_lens: Any, *, batch_axis: int = 1, time_axis: int = 0
) -> Any:
    """Return x with the first entries of each sequence in reverse order."""
    x, lengths = lifted((x, sequence_lens))
    shape: list[Any] = [1] * x.ndim
    shape[time_axis] = x.shape[time_axis]
    step = counter(x, tuple(shape), time_axis)
    column: list[Any] = [1] * x.ndim
    column[batch_axis] = x.shape[batch_axis]
    limit = ops.reshape(ops.astype(lengths, np.int64), tuple(column))
    turned = ops.subtract(ops.subtract(limit, 1), step)
    place = ops.where(ops.less(step, limit), turned, step)
    return ops.take_along_axis(x, place, time_axis)


INDEXING: Mapping[str, Operator] = {
    "Compress": operator_of(compress),
    "Gather": operator_of(gather),
    "GatherElements": operator_of(gather_elements),
    "GatherND": operator_of(gather_nd),
    "OneHot": operator_of(one_hot),
    "NonZero": operator_of(nonzero),
    "ReverseSequence": operator_of(reverse_sequence),
}
