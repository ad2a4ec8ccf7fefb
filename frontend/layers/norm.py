"""Normalisation over the batch."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.errors import Mismatch
from lxc.frontend.activations import Activation, choose, identity
from lxc.frontend.initializers import Initializer, initialise, ones32, zeros32
from lxc.frontend.layer import Layer
from lxc.frontend.layers.linear import check_sizes
from lxc.ir import functions as ops
from lxc.ir.functions.reduce import element_count
from lxc.ir.types import count_elements, shape_text


@dataclass(frozen=True, init=False)
class BatchNorm(Layer):
    """Return activation(scale * (x - mean) / sqrt(var + epsilon) + bias) along axis 1.

    In training, mean and (biased) variance are those of the batch, and the running
    statistics move: new = (1 - momentum) * old + momentum * batch, the variance unbiased
    (times M / (M - 1) for M values per channel). `momentum` is the share of the new batch,
    as in torch. In test mode the running statistics are used and stay. Without
    `track_stats` there are none, and the batch is used in both modes. A batch of one value
    per channel gives y = bias and a running variance of NaN, with a warning (later versions
    of Lux.jl refuse it).
    """

    channels: int
    activation: Activation
    affine: bool
    track_stats: bool
    epsilon: float
    momentum: float
    init_bias: Initializer
    init_scale: Initializer

    def __init__(
        self,
        channels: int,
        activation: Activation = identity,
        *,
        init_bias: Initializer = zeros32,
        init_scale: Initializer = ones32,
        affine: bool = True,
        track_stats: bool = True,
        epsilon: float = 1e-5,
        momentum: float = 0.1,
        allow_fast_activation: bool = True,
    ) -> None:
        """Take the number of channels, then the activation."""
        check_sizes(channels=channels)
        object.__setattr__(self, "channels", channels)
        object.__setattr__(self, "activation", choose(activation, allow_fast_activation))
        object.__setattr__(self, "affine", affine)
        object.__setattr__(self, "track_stats", track_stats)
        object.__setattr__(self, "epsilon", float(epsilon))
        object.__setattr__(self, "momentum", float(momentum))
        object.__setattr__(self, "init_bias", init_bias)
        object.__setattr__(self, "init_scale", init_scale)

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return scale and bias, or nothing."""
        if not self.affine:
            return {}
        shape, fans = (self.channels,), (1, self.channels)
        return {
            "scale": initialise(self.init_scale, rng, shape, fans),
            "bias": initialise(self.init_bias, rng, shape, fans),
        }

    def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return running statistics, if tracked, and the mode."""
        if not self.track_stats:
            return {"training": True}
        return {
            "running_mean": zeros32(rng, self.channels),
            "running_var": ones32(rng, self.channels),
            "training": True,
        }

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the normalised input, then the activation."""
        if len(x.shape) < 2 or x.shape[1] != self.channels:
            raise Mismatch("x", f"{self.channels} channels on axis 1", shape_text(x.shape))
        if st["training"] or not self.track_stats:
            axes = tuple(axis for axis in range(len(x.shape)) if axis != 1)
            mean, var = ops.mean(x, axes), ops.var(x, axes)
        else:
            mean, var = st["running_mean"], st["running_var"]
        if st["training"] and self.track_stats:
            st = self.updated(x, mean, var, st)
        return self.activation(normalised(x, mean, var, self.epsilon, ps)), st

    def updated(self, x: Any, mean: Any, var: Any, st: Any) -> dict[str, Any]:
        """Return the state with running statistics moved towards those of the batch."""
        axes = tuple(axis for axis in range(len(x.shape)) if axis != 1)
        if count_elements([x.shape[axis] for axis in axes]) == 1:
            warnings.warn(
                "BatchNorm has one value per channel: its running variance becomes NaN",
                stacklevel=2,
            )
        count = element_count(x, axes)
        unbiased = ops.multiply(var, ops.divide(count, ops.subtract(count, 1)))
        return {
            "running_mean": self.moved(st["running_mean"], mean),
            "running_var": self.moved(st["running_var"], unbiased),
            "training": st["training"],
        }

    def moved(self, old: Any, new: Any) -> Any:
        """Return (1 - momentum) * old + momentum * new."""
        return ops.add(
            ops.multiply(old, 1 - self.momentum), ops.multiply(new, self.momentum)
        )


def normalised(x: Any, mean: Any, var: Any, epsilon: float, ps: Any) -> Any:
    """Return (x - mean) / sqrt(var + epsilon) along axis 1, then scale and bias if given.

    There is one factor and one offset per channel, so that fixed statistics fold into them.
    """
    column = (x.shape[1], *(1,) * (len(x.shape) - 2))
    factor = ops.reciprocal(ops.sqrt(ops.add(var, epsilon)))
    if ps:
        factor = ops.multiply(ps["scale"], factor)
    y = ops.multiply(
        ops.subtract(x, ops.reshape(mean, column)), ops.reshape(factor, column)
    )
    return ops.add(y, ops.reshape(ps["bias"], column)) if ps else y
