"""Normalisations of ONNX, by the functions that layers use."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from lxc.errors import LxcError
from lxc.frontend.layers.statistics import (
    in_wide_type,
    normalised,
    normalised_channels,
    statistics,
)
from lxc.frontend.onnx.operator import Operator, operator_of
from lxc.ir import functions as ops
from lxc.ir.functions.reduce import summing_type


def batch_normalization(
    x: Any,
    scale: Any,
    bias: Any,
    mean: Any,
    var: Any,
    *,
    epsilon: float = 1e-5,
    momentum: float = 0.9,
    training_mode: Literal[0] = 0,
) -> Any:
    """Return x normalised along axis 1 by statistics that are given."""
    affine = {"scale": in_wide_type(scale), "bias": in_wide_type(bias)}
    return ops.astype(normalised_channels(x, mean, var, epsilon, affine), x.dtype)


def instance_normalization(x: Any, scale: Any, bias: Any, *, epsilon: float = 1e-5) -> Any:
    """Return x normalised over space, channel by channel."""
    y = normalised(x, *statistics(x, tuple(range(2, x.ndim)), keepdims=True), epsilon)
    column = (x.shape[1], *(1,) * (x.ndim - 2))
    return ops.astype(
        affine(y, ops.reshape(scale, column), ops.reshape(bias, column)), x.dtype
    )


def affine(y: Any, scale: Any, bias: Any) -> Any:
    """Return y * scale + bias; either may be missing."""
    y = y if scale is None else ops.multiply(y, scale)
    return y if bias is None else ops.add(y, bias)


def group_normalization(
    x: Any,
    scale: Any,
    bias: Any,
    *,
    epsilon: float = 1e-5,
    num_groups: int,
    stash_type: int = 1,
    opset: int,
) -> Any:
    """Return x normalised over space and the channels of each group."""
    batch, channels, *space = x.shape
    if num_groups < 1 or channels % num_groups:
        raise LxcError("LXC-E0103", f"{channels} channels make no {num_groups} groups")
    blocks = ops.reshape(x, (batch, num_groups, channels // num_groups, *space))
    axes = tuple(range(2, blocks.ndim))
    y = normalised(blocks, *statistics(blocks, axes, keepdims=True), epsilon)
    column: tuple[int, ...] = (channels, *(1,) * len(space))
    if opset < 21:
        # One number for each group, before each channel got its own.
        column = (num_groups, *(1,) * (len(space) + 1))
        y = affine(y, ops.reshape(scale, column), ops.reshape(bias, column))
        return ops.astype(ops.reshape(y, x.shape), x.dtype)
    y = ops.reshape(y, x.shape)
    return ops.astype(
        affine(y, ops.reshape(scale, column), ops.reshape(bias, column)), x.dtype
    )


def layer_normalization(
    x: Any,
    scale: Any,
    bias: Any = None,
    *,
    axis: int = -1,
    epsilon: float = 1e-5,
    stash_type: int = 1,
    output_count: int = 1,
) -> Any:
    """Return x normalised from an axis on, and if wanted mean and 1 / deviation."""
    axes = tuple(range(axis % x.ndim, x.ndim))
    mean, var = statistics(x, axes, keepdims=True)
    y = ops.astype(affine(normalised(x, mean, var, epsilon), scale, bias), x.dtype)
    if output_count == 1:
        return y
    return y, mean, ops.reciprocal(ops.sqrt(ops.add(var, epsilon)))


def rms_normalization(
    x: Any, scale: Any, *, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1
) -> Any:
    """Return x divided by the root of its mean square from an axis on, times scale."""
    wide = in_wide_type(x)
    axes = tuple(range(axis % x.ndim, x.ndim))
    mean = ops.mean(ops.multiply(wide, wide), axes, keepdims=True)
    y = ops.multiply(wide, ops.reciprocal(ops.sqrt(ops.add(mean, epsilon))))
    return ops.astype(ops.multiply(ops.astype(y, x.dtype), scale), x.dtype)


def lp_normalization(x: Any, *, axis: int = -1, p: Literal[1, 2] = 2) -> Any:
    """Return x divided by its norm along an axis, and 0 where that is 0."""
    wide = summing_type(x)
    if p == 1:
        size = ops.sum(ops.absolute(wide), axis, keepdims=True)
    else:
        size = ops.sqrt(ops.sum(ops.multiply(wide, wide), axis, keepdims=True))
    nothing = ops.equal(size, 0)
    y = ops.where(nothing, 0, ops.divide(wide, ops.where(nothing, 1, size)))
    return ops.astype(y, x.dtype)


def mean_variance_normalization(x: Any, *, axes: Sequence[int] = (0, 2, 3)) -> Any:
    """Return x less its mean, divided by its deviation, along axes."""
    return ops.astype(
        normalised(x, *statistics(x, tuple(axes), keepdims=True), 1e-9), x.dtype
    )


def local_response(
    x: Any, *, alpha: float = 1e-4, beta: float = 0.75, bias: float = 1.0, size: int
) -> Any:
    """Return x / (bias + alpha / size * sum of squares of near channels) ** beta."""
    wide = summing_type(x)
    ones = (1,) * (x.ndim - 2)
    total = ops.reduce_window(
        ops.multiply(wide, wide),
        "add",
        window=(size, *ones),
        strides=(1, *ones),
        padding=(((size - 1) // 2, size // 2), *((0, 0) for _ in ones)),
    )
    base = ops.add(ops.multiply(total, alpha / size), bias)
    return ops.astype(ops.divide(wide, ops.power(base, beta)), x.dtype)


NORMALIZATIONS: Mapping[str, Operator] = {
    "BatchNormalization": operator_of(batch_normalization),
    "GroupNormalization": operator_of(group_normalization),
    "InstanceNormalization": operator_of(instance_normalization),
    "LRN": operator_of(local_response),
    "LayerNormalization": operator_of(layer_normalization, outputs=3),
    "LpNormalization": operator_of(lp_normalization),
    "MeanVarianceNormalization": operator_of(mean_variance_normalization),
    "RMSNormalization": operator_of(rms_normalization),
}
