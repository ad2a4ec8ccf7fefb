"""Normalisation over the batch."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.errors import Mismatch
from lxc.frontend.activations import Activation, choose, identity
from lxc.frontend.initializers import Initializer, ones32, zeros32
from lxc.frontend.layer import Layer
from lxc.frontend.layers.linear import check_sizes
from lxc.frontend.layers.statistics import (
    affine_params,
    channel_params,
    in_wide_type,
    moved,
    normalised_channels,
    running_statistics,
    statistics,
    unbiased,
)
from lxc.ir.functions.reduce import element_count
from lxc.ir.types import count_elements, shape_text


@dataclass(frozen=True, init=False)
class BatchNorm(Layer):
    """Return activation(scale * (x - mean) / sqrt(var + epsilon) + bias) along axis 1.

    `x` is [N, channels, *spatial] with any number of spatial axes, none included. In
    training, mean and (biased) variance are those of the batch, and the running statistics
    move: new = (1 - momentum) * old + momentum * batch, the variance unbiased (times
    M / (M - 1) for M values per channel). `momentum` is the share of the new batch, as in
    torch. In test mode the running statistics are used and stay. Without `track_stats`
    there are none, and the batch is used in both modes. Without `affine` the parameters are
    empty.

    A batch of one value per channel gives y = bias and a running variance of NaN, with a
    warning: so says the page of Lux.jl, of which later versions refuse it. The running
    statistics keep their element type; half types are computed in float32.
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
        return channel_params(self.init_scale, self.init_bias, self.channels, rng)

    def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return running statistics, if tracked, and the mode."""
        tracked = running_statistics(rng, self.channels) if self.track_stats else {}
        return {**tracked, "training": True}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the normalised input, then the activation."""
        if len(x.shape) < 2 or x.shape[1] != self.channels:
            raise Mismatch("x", f"{self.channels} channels on axis 1", shape_text(x.shape))
        if st["training"] or not self.track_stats:
            axes = tuple(axis for axis in range(len(x.shape)) if axis != 1)
            mean, var = statistics(x, axes)
        else:
            mean, var = st["running_mean"], st["running_var"]
        if st["training"] and self.track_stats:
            st = self.updated(x, mean, var, st)
        own = affine_params(ps, self.affine)
        y = normalised_channels(x, mean, var, self.epsilon, own)
        return self.activation(y), st

    def updated(self, x: Any, mean: Any, var: Any, st: Any) -> dict[str, Any]:
        """Return the state with running statistics moved towards those of the batch."""
        axes = tuple(axis for axis in range(len(x.shape)) if axis != 1)
        if count_elements([x.shape[axis] for axis in axes]) == 1:
            warn_of_nan("BatchNorm", "channel")
        variance = unbiased(var, element_count(in_wide_type(x), axes))
        return {
            "running_mean": moved(st["running_mean"], mean, self.momentum),
            "running_var": moved(st["running_var"], variance, self.momentum),
            "training": st["training"],
        }


def warn_of_nan(layer: str, part: str) -> None:
    """Warn that the variance of one value is not known."""
    warnings.warn(
        f"{layer} has one value per {part}: its running variance becomes NaN", stacklevel=2
    )
