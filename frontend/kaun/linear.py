"""Affine maps of the last axis, weights as Kaun stores them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.errors import Mismatch
from lxc.frontend.kaun.context import Context
from lxc.frontend.kaun.initializers import Initializer, glorot_uniform, zeros
from lxc.frontend.kaun.layer import Layer, layer_of
from lxc.frontend.kaun.vars import Vars, check_dtype, fields
from lxc.frontend.layers.linear import check_sizes
from lxc.ir import functions as ops
from lxc.ir.types import shape_text


def linear(
    in_features: int,
    out_features: int,
    weight_init: Initializer | None = None,
    bias_init: Initializer = zeros,
) -> Layer:
    """Return a layer that computes x @ weight + bias over the last axis.

    x is [..., in_features] and the result [..., out_features]. `weight` is [in_features,
    out_features] (`nn.Dense` stores the transpose), glorot uniform unless told otherwise.
    """
    check_sizes(in_features=in_features, out_features=out_features)
    made = Linear(in_features, out_features, weight_init or glorot_uniform(), bias_init)
    return layer_of(made, "linear")


@dataclass(frozen=True)
class Linear:
    """Sizes and initialisers."""

    in_features: int
    out_features: int
    weight_init: Initializer
    bias_init: Initializer

    def init(self, dtype: np.dtype[Any], rng: np.random.Generator) -> Vars:
        """Return weight and bias."""
        params = {
            "weight": self.weight_init(rng, (self.in_features, self.out_features), dtype),
            "bias": self.bias_init(rng, (self.out_features,), dtype),
        }
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
        """Return x @ weight + bias."""
        check_dtype(x, dtype)
        if not x.shape or x.shape[-1] != self.in_features:
            raise Mismatch(
                "x",
                shape_text([*x.shape[:-1], self.in_features]),
                shape_text(x.shape),
                because=f"in_features is {self.in_features}",
            )
        own = fields(params, dtype, "weight", "bias", what="parameters")
        product = ops.tensordot(x, own["weight"], ((-1,), (0,)))
        return ops.add(product, own["bias"]), state
