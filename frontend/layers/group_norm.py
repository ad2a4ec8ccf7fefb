"""Normalisation of each sample: over groups of channels, and over each channel."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.frontend.activations import Activation, choose, identity
from lxc.frontend.initializers import Initializer, ones32, zeros32
from lxc.frontend.layer import Layer
from lxc.frontend.layers.linear import check_sizes
from lxc.frontend.layers.norm import warn_of_nan
from lxc.frontend.layers.statistics import (
    affine_params,
    channel_column,
    channel_params,
    in_wide_type,
    moved,
    normalised,
    normalised_channels,
    running_statistics,
    scaled,
    statistics,
    type_of_result,
    unbiased,
)
from lxc.ir import functions as ops
from lxc.ir.functions.reduce import element_count
from lxc.ir.types import count_elements, shape_text


@dataclass(frozen=True, init=False)
class GroupNorm(Layer):
    """Return activation(scale * (x - mean) / sqrt(var + epsilon) + bias) for x [N, C, ...].

    Groups are blocks of neighbouring channels. In training, mean and biased variance are
    those of each sample and group; scale and bias hold one number per channel. The running
    statistics, one number per group, move by `momentum` (the share of the new batch)
    towards the means over the batch, the variance unbiased; with one value per group it
    becomes NaN, with a warning.

    In test mode the running statistics take the place of those of the sample, so the result
    is not that of torch; only with `track_stats=False` both modes use the sample. Tracking
    is on by default, as in the Lux.jl that this follows; giving `track_stats` or
    `momentum` warns, because Lux.jl has dropped both since. Epsilon is added to the
    variance (differs from Lux.jl, where images divide by std + epsilon, because its page
    says otherwise). Without `affine` the parameters are empty (differs from Lux.jl, where
    both keys hold `nothing`, because there is nothing to hold).
    """

    channels: int
    groups: int
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
        groups: int,
        activation: Activation = identity,
        *,
        init_bias: Initializer = zeros32,
        init_scale: Initializer = ones32,
        affine: bool = True,
        track_stats: bool | None = None,
        epsilon: float = 1e-5,
        momentum: float | None = None,
        allow_fast_activation: bool = True,
    ) -> None:
        """Take the numbers of channels and groups, then the activation."""
        check_sizes(channels=channels, groups=groups)
        check_divides(channels, groups)
        warn_of_tracking(track_stats=track_stats, momentum=momentum)
        fields = {
            "channels": channels,
            "groups": groups,
            "activation": choose(activation, allow_fast_activation),
            "affine": affine,
            "track_stats": track_stats is None or track_stats,
            "epsilon": float(epsilon),
            "momentum": 0.1 if momentum is None else float(momentum),
            "init_bias": init_bias,
            "init_scale": init_scale,
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return scale and bias, or nothing."""
        if not self.affine:
            return {}
        return channel_params(self.init_scale, self.init_bias, self.channels, rng)

    def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return running statistics of the groups, if tracked, and the mode."""
        tracked = running_statistics(rng, self.groups) if self.track_stats else {}
        return {**tracked, "training": True}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the normalised input, then the activation."""
        if len(x.shape) < 2 or x.shape[1] != self.channels:
            raise Mismatch("x", f"{self.channels} channels on axis 1", shape_text(x.shape))
        ps = affine_params(ps, self.affine)
        if self.track_stats and not st["training"]:
            mean, var = (
                self.per_channel(st[f"running_{name}"]) for name in ("mean", "var")
            )
            return self.activation(normalised_channels(x, mean, var, self.epsilon, ps)), st
        parts = (self.groups, self.channels // self.groups)
        grouped = ops.reshape(x, (x.shape[0], *parts, *x.shape[2:]))
        axes = tuple(range(2, len(grouped.shape)))
        mean, var = statistics(grouped, axes, keepdims=True)
        if self.track_stats:
            st = self.updated(grouped, mean, var, st)
        y = ops.reshape(normalised(grouped, mean, var, self.epsilon), x.shape)
        return self.activation(scaled(y, ps, channel_column(x), type_of_result(x, ps))), st

    def per_channel(self, groups: Any) -> Any:
        """Return numbers of groups as numbers of their channels."""
        shape = (self.groups, self.channels // self.groups)
        spread = ops.broadcast_to(ops.reshape(groups, (self.groups, 1)), shape)
        return ops.reshape(spread, (self.channels,))

    def updated(self, grouped: Any, mean: Any, var: Any, st: Any) -> dict[str, Any]:
        """Return the state with running statistics moved towards those of the batch."""
        axes = tuple(range(2, len(grouped.shape)))
        if count_elements([grouped.shape[axis] for axis in axes]) == 1:
            warn_of_nan("GroupNorm", "group")
        others = (0, *axes)
        variance = unbiased(var, element_count(in_wide_type(grouped), axes))
        return {
            "running_mean": moved(
                st["running_mean"], ops.mean(mean, others), self.momentum
            ),
            "running_var": moved(
                st["running_var"], ops.mean(variance, others), self.momentum
            ),
            "training": st["training"],
        }


@dataclass(frozen=True, init=False)
class InstanceNorm(Layer):
    """Return activation(scale * (x - mean) / sqrt(var + epsilon) + bias) for x [N, C, ...].

    Mean and biased variance are those of each sample and channel over the spatial axes, in
    both modes; one cell per channel gives y = bias. Without `affine` the parameters are
    empty (differs from Lux.jl, where both keys hold `nothing`, because there is nothing to
    hold). An input without spatial axes is refused: there is nothing to take a mean of.
    The example of Lux.jl's page, which stands behind a `Dense` and passes a number as
    activation, is refused for both (differs from the page, as Lux.jl's code does).
    """

    channels: int
    activation: Activation
    affine: bool
    epsilon: float
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
        epsilon: float = 1e-5,
        allow_fast_activation: bool = True,
    ) -> None:
        """Take the number of channels, then the activation."""
        check_sizes(channels=channels)
        object.__setattr__(self, "channels", channels)
        object.__setattr__(self, "activation", choose(activation, allow_fast_activation))
        object.__setattr__(self, "affine", affine)
        object.__setattr__(self, "epsilon", float(epsilon))
        object.__setattr__(self, "init_bias", init_bias)
        object.__setattr__(self, "init_scale", init_scale)

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return scale and bias, or nothing."""
        if not self.affine:
            return {}
        return channel_params(self.init_scale, self.init_bias, self.channels, rng)

    def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return the mode."""
        return {"training": True}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the normalised input, then the activation."""
        if len(x.shape) < 3 or x.shape[1] != self.channels:
            raise Mismatch(
                "x",
                f"rank 3 or more with {self.channels} channels on axis 1",
                shape_text(x.shape),
                because="the mean is over the axes behind the channels",
            )
        ps = affine_params(ps, self.affine)
        axes = tuple(range(2, len(x.shape)))
        y = normalised(x, *statistics(x, axes, keepdims=True), self.epsilon)
        return self.activation(scaled(y, ps, channel_column(x), type_of_result(x, ps))), st


def check_divides(channels: int, groups: int) -> None:
    """Refuse channels that do not form equal groups."""
    if channels % groups:
        raise LxcError(
            "LXC-E0101",
            "groups divide the channels",
            actual=f"channels: {channels}, groups: {groups}",
        )


def warn_of_tracking(**given: object) -> None:
    """Warn of options that later versions of Lux.jl no longer have."""
    for name, value in given.items():
        if value is not None:
            warnings.warn(
                f"{name} of GroupNorm is deprecated: Lux.jl has no running statistics now",
                DeprecationWarning,
                stacklevel=3,
            )
