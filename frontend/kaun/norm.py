"""Normalisation over the batch, with Kaun's running statistics."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.errors import Mismatch
from lxc.frontend.kaun.context import Context
from lxc.frontend.kaun.initializers import ones, zeros
from lxc.frontend.kaun.layer import Layer, layer_of
from lxc.frontend.kaun.vars import Vars, check_dtype
from lxc.frontend.layers.linear import check_sizes
from lxc.frontend.layers.norm import normalised
from lxc.ir import functions as ops
from lxc.ir.types import shape_text

EPSILON = 1e-5
KEPT = 0.99
"""The share of the old running statistics that a training call keeps."""


def batch_norm(num_features: int) -> Layer:
    """Return a layer that normalises every channel (axis 1) and applies scale and bias.

    In training the statistics are those of the batch, the variance biased, and the running
    ones become 0.99 * old + 0.01 * batch. Otherwise the running ones are used and stay.
    """
    check_sizes(num_features=num_features)
    return layer_of(BatchNorm(num_features), "batch_norm")


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
        mean, var = state["running_mean"], state["running_var"]
        if training:
            axes = (0, *range(2, len(x.shape)))
            mean, var = ops.mean(x, axes), ops.var(x, axes)
            state = {
                "running_mean": moved(state["running_mean"], mean),
                "running_var": moved(state["running_var"], var),
            }
        return normalised(x, mean, var, EPSILON, params), state


def moved(old: Any, new: Any) -> Any:
    """Return the running statistic after one more batch."""
    return ops.add(ops.multiply(old, KEPT), ops.multiply(new, 1 - KEPT))
