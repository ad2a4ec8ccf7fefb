"""Operators of ONNX that put entries in the order of their size."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.onnx.operator import Operator, operator_of
from lxc.frontend.onnx.values import Known, whole_numbers
from lxc.ir import functions as ops
from lxc.ir.functions.counting import counter
from lxc.ir.tensor import lifted, shape_of
from lxc.ir.types import dtype_of


def top_k(
    x: Any, k: Known, *, axis: int = -1, largest: int = 1, sorted: int = 1
) -> tuple[Any, Any]:
    """Return the first entries along an axis in order of size, and their places.

    Of equal ones the first comes first. NaN counts as larger than all numbers.
    """
    (count,) = whole_numbers(k, "the number of entries")
    x, place = lifted((x,))[0], axis % x.ndim
    size = shape_of(x)[place]
    if isinstance(size, int) and not 0 <= count <= size:
        raise LxcError(
            "LXC-E0103",
            "there are fewer entries than are asked for",
            expected=f"k: 0..{size}",
            actual=f"k: {count}",
        )
    rows = ops.moveaxis(x, place, -1)
    rank = ranks(rows, is_largest=bool(largest))
    # Each place of the result takes the one entry of its rank.
    slot = counter(x, (count, 1), 0)
    own = counter(x, (1, size), 1)
    hits = ops.equal(ops.expand_dims(rank, -2), slot)
    places = ops.sum(ops.where(hits, own, 0), -1)
    values = ops.take_along_axis(rows, places, -1)
    return ops.moveaxis(values, -1, place), ops.moveaxis(places, -1, place)


def ranks(rows: Any, *, is_largest: bool) -> Any:
    """Return how many entries of its row come before each one."""
    size = shape_of(rows)[-1]
    own, other = ops.expand_dims(rows, -1), ops.expand_dims(rows, -2)
    more = ops.greater(other, own) if is_largest else ops.less(other, own)
    same = ops.equal(other, own)
    if dtype_of(rows.dtype).is_float:
        no_number, none_there = ops.isnan(own), ops.isnan(other)
        first, second = (none_there, no_number) if is_largest else (no_number, none_there)
        more = ops.logical_or(more, ops.logical_and(first, ops.logical_not(second)))
        same = ops.logical_or(same, ops.logical_and(no_number, none_there))
    earlier = ops.less(counter(rows, (1, size), 1), counter(rows, (size, 1), 0))
    before = ops.logical_or(more, ops.logical_and(same, earlier))
    return ops.sum(ops.astype(before, np.int64), -1)


RANKING: Mapping[str, Operator] = {"TopK": operator_of(top_k, outputs=2)}
