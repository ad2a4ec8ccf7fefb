"""Reading elements at indices that are data.

Code for this op never reads outside of its operand, whatever the indices hold.
"""

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.ir.op import op
from lxc.ir.ops.shape import check_axes
from lxc.ir.types import Array, DType, TensorType


@op(kind="opaque")
def gather(
    x: TensorType, indices: TensorType, *, axis: int, mode: str = "clip"
) -> TensorType:
    """Return the entries of `x` along `axis` that `indices` name; its axes replace `axis`.

    Indices count from 0. `mode` says what an index outside of the axis does: "clip" takes
    the nearest entry, and "inside" makes it an error wherever somebody looks: the reference
    does, and a compiled model that is called from Python, if the indices are its input.
    Compiled code itself takes the nearest. An axis without entries gives zeros.
    """
    check_axes((axis,), x.rank, "axis")
    if not indices.dtype.is_integer:
        wanted = indices.with_dtype(DType.I64)
        raise Mismatch("indices", wanted, indices, because="indices are integers")
    if mode not in ("clip", "inside"):
        hint = "clip or inside"
        raise LxcError("LXC-E0103", f"there is no mode {mode!r} of gather", hint=hint)
    return x.with_shape((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))


@gather.reference
def gather_arrays(x: Array, indices: Array, *, axis: int, mode: str) -> Array:
    """Clip the indices, or check them, and take."""
    count = x.shape[axis]
    if mode == "inside":
        check_inside(indices, count)
    if count == 0:
        shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
        return np.zeros(shape, x.dtype)
    # Compared with Python numbers, so that no index changes its value on the way.
    low = np.where(indices < 0, 0, indices)
    inside = np.where(low >= count, count - 1, low).astype(np.int64)
    return np.take(x, inside, axis)


def check_inside(indices: Array, count: int) -> None:
    """Refuse indices outside of an axis of `count` entries."""
    if indices.size and not 0 <= int(indices.min()) <= int(indices.max()) < count:
        raise LxcError(
            "LXC-E0103",
            "an index is outside of the table that it reads",
            expected=f"indices: 0..{count - 1}",
            actual=f"indices: {indices.min()}..{indices.max()}",
        )
