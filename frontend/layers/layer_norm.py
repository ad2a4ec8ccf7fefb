"""Normalisation over chosen axes, or over the whole array."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.errors import Mismatch
from lxc.frontend.activations import Activation, choose, identity
from lxc.frontend.initializers import (
    Initializer,
    initialise,
    ones32,
    reversed_fans,
    zeros32,
)
from lxc.frontend.layer import Layer
from lxc.frontend.layers.linear import check_sizes
from lxc.frontend.layers.statistics import (
    affine_params,
    normalised,
    scaled,
    statistics,
    type_of_result,
)
from lxc.frontend.padding import numbers_of
from lxc.ir.types import shape_text


@dataclass(frozen=True, init=False)
class LayerNorm(Layer):
    """Return activation(scale * (x - mean) / sqrt(var + epsilon) + bias).

    Mean and biased variance are those of the **whole array, the batch included**, as in
    Lux.jl; `dims=-1` gives what other libraries call layer norm, and dims=(1, 2, 3) that of
    images [N, C, H, W] sample by sample. `shape` is that of one sample, with 1 where all
    entries share a number. There is no scale and no bias unless `affine=True` (differs from
    Lux.jl, whose code has them by default, because its page has not). Epsilon is added to
    the variance (differs from Lux.jl, where it divides by std + epsilon, because its page
    says otherwise). There is no state, and both modes do the same.
    """

    shape: tuple[int, ...]
    activation: Activation
    dims: tuple[int, ...] | None
    affine: bool
    epsilon: float
    init_bias: Initializer
    init_scale: Initializer

    def __init__(
        self,
        shape: int | Sequence[int],
        activation: Activation = identity,
        *,
        dims: int | Sequence[int] | None = None,
        affine: bool = False,
        epsilon: float = 1e-5,
        init_bias: Initializer = zeros32,
        init_scale: Initializer = ones32,
        allow_fast_activation: bool = True,
    ) -> None:
        """Take the shape of a sample, then the activation; `dims` default to all axes."""
        sample = numbers_of(shape, 1, "shape")
        check_sizes(**{f"axis {place} of shape": n for place, n in enumerate(sample)})
        fields = {
            "shape": sample,
            "activation": choose(activation, allow_fast_activation),
            "dims": None if dims is None else numbers_of(dims, 1, "dims"),
            "affine": affine,
            "epsilon": float(epsilon),
            "init_bias": init_bias,
            "init_scale": init_scale,
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return bias and scale in the shape of a sample, or nothing."""
        if not self.affine:
            return {}
        fans = reversed_fans((1, *self.shape))
        return {
            "bias": initialise(self.init_bias, rng, self.shape, fans),
            "scale": initialise(self.init_scale, rng, self.shape, fans),
        }

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the normalised input, then the activation."""
        self.check(x)
        ps = affine_params(ps, self.affine)
        y = normalised(x, *statistics(x, self.dims, keepdims=True), self.epsilon)
        return self.activation(scaled(y, ps, self.shape, type_of_result(x, ps))), st

    def check(self, x: Any) -> None:
        """Refuse an input that the shape of a sample does not broadcast against."""
        rank = len(self.shape)
        behind = x.shape[len(x.shape) - rank :]
        fits = len(x.shape) >= rank and all(
            own in (1, entry) for own, entry in zip(self.shape, behind, strict=True)
        )
        if not fits:
            raise Mismatch(
                "x",
                f"samples that {shape_text(self.shape)} broadcasts to",
                shape_text(x.shape),
            )
