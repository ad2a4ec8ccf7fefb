"""Mean and variance of activations, how they normalise, and how running ones move.

Half types are computed in float32, and the result is rounded once. Epsilon is added to the
variance, inside of the root.
"""

from typing import Any

import numpy as np

from lxc.frontend.initializers import Initializer, initialise, ones32, zeros32
from lxc.frontend.layers.naming import entry
from lxc.ir import functions as ops
from lxc.ir.functions.promotion import as_float, as_operand, common_type
from lxc.ir.functions.reduce import summing_type
from lxc.ir.functions.shape import Axes
from lxc.ir.tensor import Operand


def channel_params(
    init_scale: Initializer,
    init_bias: Initializer,
    channels: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Return scale and bias of one number per channel."""
    shape, fans = (channels,), (1, channels)
    return {
        "scale": initialise(init_scale, rng, shape, fans),
        "bias": initialise(init_bias, rng, shape, fans),
    }


def affine_params(ps: Any, wanted: bool) -> dict[str, Any]:
    """Return scale and bias of the parameters if they are wanted, or nothing."""
    names = ("scale", "bias") if wanted else ()
    return {name: entry(ps, name, "parameters") for name in names}


def in_wide_type(x: Any) -> Operand:
    """Return `x` in the type that statistics are computed in."""
    return summing_type(as_float(x))


def type_of_result(x: Any, ps: Any) -> np.dtype[Any]:
    """Return the element type of a normalised `x`: where it meets scale and bias."""
    return common_type((as_float(x), *ps.values()))


def statistics(x: Any, axes: Axes | None, *, keepdims: bool = False) -> tuple[Any, Any]:
    """Return mean and biased variance along axes, float32 for half types."""
    wide = in_wide_type(x)
    return ops.mean(wide, axes, keepdims=keepdims), ops.var(wide, axes, keepdims=keepdims)


def normalised(x: Any, mean: Any, var: Any, epsilon: float) -> Any:
    """Return (x - mean) / sqrt(var + epsilon); all three broadcast."""
    factor = ops.reciprocal(ops.sqrt(ops.add(in_wide_type(var), epsilon)))
    return ops.multiply(ops.subtract(in_wide_type(x), in_wide_type(mean)), factor)


def scaled(y: Any, ps: Any, shape: tuple[Any, ...], dtype: np.dtype[Any]) -> Any:
    """Return y * scale + bias, with both in `shape`, or `y` if there are none."""
    if ps:
        y = ops.multiply(y, ops.reshape(ps["scale"], shape))
        y = ops.add(y, ops.reshape(ps["bias"], shape))
    return as_operand(y, dtype)


def channel_column(x: Any) -> tuple[int, ...]:
    """Return the shape of one number per channel (axis 1) beside `x`."""
    return (x.shape[1], *(1,) * (len(x.shape) - 2))


def normalised_channels(x: Any, mean: Any, var: Any, epsilon: float, ps: Any) -> Any:
    """Return (x - mean) / sqrt(var + epsilon) along axis 1, then scale and bias if given.

    There is one factor and one offset per channel, so that fixed statistics fold into them.
    """
    column = channel_column(x)
    factor = ops.reciprocal(ops.sqrt(ops.add(in_wide_type(var), epsilon)))
    if ps:
        factor = ops.multiply(ps["scale"], factor)
    centred = ops.subtract(in_wide_type(x), ops.reshape(in_wide_type(mean), column))
    y = ops.multiply(centred, ops.reshape(factor, column))
    y = ops.add(y, ops.reshape(ps["bias"], column)) if ps else y
    return as_operand(y, type_of_result(x, ps))


def unbiased(var: Any, count: Any) -> Any:
    """Return the variance of `count` values as an estimate: times count / (count - 1)."""
    return ops.multiply(var, ops.divide(count, ops.subtract(count, 1)))


def moved(old: Any, new: Any, momentum: float) -> Any:
    """Return (1 - momentum) * old + momentum * new, in the element type of `old`."""
    kept = ops.multiply(in_wide_type(old), 1 - momentum)
    return as_operand(ops.add(kept, ops.multiply(new, momentum)), old.dtype)


def running_statistics(rng: np.random.Generator, count: int) -> dict[str, Any]:
    """Return the running mean and variance of `count` parts that have seen nothing."""
    return {"running_mean": zeros32(rng, count), "running_var": ones32(rng, count)}
