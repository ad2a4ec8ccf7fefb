"""Memory that one kernel works in: a value that stands for a piece of the arena."""

import numpy as np

from lxc.ir.op import op
from lxc.ir.types import Array, DType, Shape, TensorType


@op(kind="opaque")
def scratch(*, shape: Shape, dtype: DType) -> TensorType:
    """Return memory of undefined content, which the one kernel that reads it may write.

    No result depends on what is in it. Two of them are never one, however alike they are:
    a kernel with several has each for itself.
    """
    return TensorType(dtype, shape)


@scratch.reference
def scratch_array(*, shape: tuple[int, ...], dtype: DType) -> Array:
    """Return zeros."""
    return np.zeros(shape, dtype.numpy)
