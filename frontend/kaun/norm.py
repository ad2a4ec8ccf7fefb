"""Normalisation over the batch, with Kaun's running statistics, and over the last axis."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.frontend.kaun.context import Context
from lxc.frontend.kaun.initializers import ones, zeros
from lxc.frontend.kaun.layer import Layer, layer_of
from lxc.frontend.kaun.vars import Vars, check_dtype, fields
from lxc.frontend.layers.linear import check_sizes
from lxc.frontend.layers.statistics import (
    in_wide_type,
    moved,
    normalised,
    normalised_channels,
    statistics,
)
from lxc.ir import functions as ops
from lxc.ir.types import shape_text

EPSILON = 1e-5
MOVED = 0.01
"""The share of the batch in the running statistics that a training call returns."""


def layer_norm(dim: int, eps: float = 1e-5) -> Layer:
    """Return a layer that computes gamma * (x - mean) / sqrt(var + eps) + beta.

    Mean and biased variance are those of the last axis, which has `dim` elements
    (`nn.LayerNorm` takes the whole array unless told otherwise). Half types are computed in
    float32.
    """
    check_sizes(dim=dim)
    return layer_of(LayerNorm(dim, check_eps(eps)), "layer_norm")


def rms_norm(dim: int, eps: float = 1e-6) -> Layer:
    """Return a layer that computes scale * x / sqrt(mean(x * x) + eps) over the last axis.

    No mean is subtracted, and there is no bias. Half types are computed in float32.
    """
    check_sizes(dim=dim)
    return layer_of(RmsNorm(dim, check_eps(eps)), "rms_norm")


def batch_norm(num_features: int) -> Layer:
    """Return a layer that normalises every channel (axis 1) and applies scale and bias.

    In training the statistics are those of the batch, the variance biased, and the running
    ones become 0.99 * old + 0.01 * batch (`nn.BatchNorm` keeps 0.9, and stores an unbiased
    variance). Otherwise the running ones are used and stay. The input has rank 2 to 5.
    Epsilon is 1e-5, inside of the root. Half types are computed in float32.
    """
    check_sizes(num_features=num_features)
    return layer_of(BatchNorm(num_features), "batch_norm")


def check_eps(eps: float) -> float:
    """Return an epsilon, or raise if it is negative."""
    if not eps >= 0:
        raise LxcError("LXC-E0101", "eps is at least 0", actual=f"eps: {eps}")
    return float(eps)


def check_last(x: Any, dim: int) -> None:
    """Refuse an input whose last axis has another size."""
    if not x.shape or x.shape[-1] != dim:
        expected = shape_text([*x.shape[:-1], dim])
        raise Mismatch("x", expected, shape_text(x.shape), because=f"dim is {dim}")


@dataclass(frozen=True)
class LayerNorm:
    """The size of the last axis, and epsilon."""

    dim: int
    eps: float

    def init(self, dtype: np.dtype[Any], rng: np.random.Generator) -> Vars:
        """Return gamma and beta."""
        shape = (self.dim,)
        params = {"gamma": ones(rng, shape, dtype), "beta": zeros(rng, shape, dtype)}
        return Vars(params, [], dtype)

    def apply(
        self,
        params: Any,
        state: Any,
        dtype: np.dtype[Any],
        training: bool,
        rngs: Any,
        ctx: Context | None,
        x: Any,
    ) -> tuple[Any, Any]:
        """Return the normalised input."""
        check_dtype(x, dtype)
        check_last(x, self.dim)
        own = fields(params, dtype, "gamma", "beta", what="parameters")
        y = normalised(x, *statistics(x, -1, keepdims=True), self.eps)
        y = ops.add(ops.multiply(y, own["gamma"]), own["beta"])
        return ops.astype(y, dtype), state


@dataclass(frozen=True)
class RmsNorm:
    """The size of the last axis, and epsilon."""

    dim: int
    eps: float

    def init(self, dtype: np.dtype[Any], rng: np.random.Generator) -> Vars:
        """Return scale."""
        return Vars({"scale": ones(rng, (self.dim,), dtype)}, [], dtype)

    def apply(
        self,
        params: Any,
        state: Any,
        dtype: np.dtype[Any],
        training: bool,
        rngs: Any,
        ctx: Context | None,
        x: Any,
    ) -> tuple[Any, Any]:
        """Return the normalised input."""
        check_dtype(x, dtype)
        check_last(x, self.dim)
        own = fields(params, dtype, "scale", what="parameters")
        wide = in_wide_type(x)
        power = ops.mean(ops.multiply(wide, wide), -1, keepdims=True)
        y = ops.divide(wide, ops.sqrt(ops.add(power, self.eps)))
        return ops.astype(ops.multiply(y, own["scale"]), dtype), state


@dataclass(frozen=True)
class BatchNorm:
    """The number of channels."""

    num_features: int

    def init(self, dtype: np.dtype[Any], rng: np.random.Generator) -> Vars:
        """Return scale and bias, and running statistics."""
        shape = (self.num_features,)
        params = {"scale": ones(rng, shape, dtype), "bias": zeros(rng, shape, dtype)}
        state = {
            "running_mean": zeros(rng, shape, dtype),
            "running_var": ones(rng, shape, dtype),
        }
        return Vars(params, state, dtype)

    def apply(
        self,
        params: Any,
        state: Any,
        dtype: np.dtype[Any],
        training: bool,
        rngs: Any,
        ctx: Context | None,
        x: Any,
    ) -> tuple[Any, Any]:
        """Return the normalised input and the running statistics."""
        check_dtype(x, dtype)
        if not 2 <= len(x.shape) <= 5 or x.shape[1] != self.num_features:
            expected = f"rank 2 to 5 with {self.num_features} channels on axis 1"
            raise Mismatch("x", expected, shape_text(x.shape))
        own = fields(params, dtype, "scale", "bias", what="parameters")
        running = fields(state, dtype, "running_mean", "running_var", what="state")
        mean, var = running.values()
        if training:
            old = mean, var
            mean, var = statistics(x, (0, *range(2, len(x.shape))))
            state = {
                "running_mean": moved(old[0], mean, MOVED),
                "running_var": moved(old[1], var, MOVED),
            }
        return normalised_channels(x, mean, var, EPSILON, own), state
