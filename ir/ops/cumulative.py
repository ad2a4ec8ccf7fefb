"""Reductions that keep every partial result.

The order is fixed: each partial result is the one before it combined with the next
element. Half types accumulate in float32; every result is rounded on its own.
"""

import numpy as np

from lxc.errors import Mismatch
from lxc.ir.op import op
from lxc.ir.ops.half import accumulator
from lxc.ir.ops.reduce import KINDS, check_kind
from lxc.ir.ops.shape import check_axes
from lxc.ir.types import Array, DType, TensorType


@op(kind="opaque")
def cumulative(x: TensorType, *, kind: str, axis: int) -> TensorType:
    """Return for every element the combination of all up to it along `axis`.

    The kinds are `add`, `multiply`, `max` and `min`, on numbers.
    """
    if x.dtype is DType.BOOL:
        raise Mismatch("x", x.with_dtype(DType.I64), x, because="the op is for numbers")
    check_kind(kind, x)
    check_axes((axis,), x.rank, "axis")
    return x


@cumulative.reference
def cumulative_array(x: Array, *, kind: str, axis: int) -> Array:
    """Accumulate with NumPy, which goes from the first element to the last."""
    wide = accumulator(x)
    return np.asarray(KINDS[kind].accumulate(wide, axis, wide.dtype)).astype(x.dtype)
