"""Rotary position embeddings."""

from typing import Any

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.frontend.kaun.vars import dtype_given
from lxc.ir import functions as ops
from lxc.ir.functions.counting import counter
from lxc.ir.functions.reduce import summing_type
from lxc.ir.functions.shape import axis_of
from lxc.ir.tensor import type_of
from lxc.ir.types import Array, dtype_of


def rope(x: Any, theta: float = 10000.0, seq_dim: int = -2) -> Any:
    """Return `x` with every vector along its last axis turned by its position.

    Position p is the index along axis `seq_dim`, which is any axis but the last. The two
    halves of a vector of n elements make n / 2 pairs (elements j and j + n / 2, not
    neighbours), and pair j turns by p * theta ** (-2 j / n). Angles of half types are
    computed in float32, and the result is rounded once.
    """
    dtype_given(x, "float32")
    own = type_of(x)
    if not own.dtype.is_float:
        raise Mismatch("x", "a float", own)
    size = own.shape[-1] if own.rank else 0
    if own.rank < 2 or not isinstance(size, int) or size % 2:
        raise Mismatch("x", "rank 2 or more with an even number of elements", own)
    axis = axis_of(seq_dim, own.rank)
    if axis == own.rank - 1:
        raise LxcError(
            "LXC-E0103",
            "the last axis holds the vectors that turn, so it cannot be the sequence",
            expected=f"seq_dim: {-own.rank}..{own.rank - 2}, but not -1",
            actual=f"seq_dim: {seq_dim}",
        )
    wide = summing_type(x)
    frequencies = frequencies_of(size, check_theta("theta", theta), wide.dtype)
    length = own.shape[axis]
    column = (length, *(1,) * (own.rank - axis - 1))
    positions = counter(x, column, 0, dtype_of(wide.dtype))
    angles = ops.multiply(positions, frequencies)
    cosine, sine = ops.cos(angles), ops.sin(angles)
    first, second = ops.split(wide, 2, -1)
    turned = (
        ops.subtract(ops.multiply(first, cosine), ops.multiply(second, sine)),
        ops.add(ops.multiply(first, sine), ops.multiply(second, cosine)),
    )
    return ops.astype(ops.concatenate(turned, -1), own.dtype.numpy)


def frequencies_of(size: int, theta: float, dtype: np.dtype[Any]) -> Array:
    """Return by how much each pair of a vector of `size` elements turns per position."""
    powers: Array = float(theta) ** (-np.arange(0, size, 2) / max(size, 1))
    return powers.astype(dtype)


def check_theta(name: str, theta: float) -> float:
    """Return a base of frequencies, or raise if it is none."""
    if not 0 < theta < float("inf"):
        raise LxcError("LXC-E0101", f"{name} is above 0", actual=f"{name}: {theta}")
    return theta
