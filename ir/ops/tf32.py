"""TF32, which matrix units of cards make of float32: 10 bits behind the first one."""

import numpy as np

from lxc.ir.types import Array

HALF_STEP = np.uint32(1 << 12)
KEPT_BITS = np.uint32(0xFFFFE000)


def rounded_to_tf32(x: Array) -> Array:
    """Return floats rounded to TF32, ties away from zero, in their own type.

    Infinities and NaNs stay as they are.
    """
    with np.errstate(over="ignore"):
        single = np.ascontiguousarray(x, np.float32)
    bits = (single.view(np.uint32) + HALF_STEP) & KEPT_BITS
    rounded = np.where(np.isfinite(single), bits.view(np.float32), single)
    return np.asarray(rounded.astype(x.dtype).reshape(x.shape))
