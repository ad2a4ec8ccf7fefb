"""Elementwise products and sums with parameters."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.activations import Activation, choose, identity
from lxc.frontend.initializers import (
    Initializer,
    initialise,
    ones32,
    reversed_fans,
    zeros32,
)
from lxc.frontend.layer import Layer
from lxc.frontend.layers.linear import check_sizes, chosen_bias
from lxc.ir import functions as ops


@dataclass(frozen=True, init=False)
class Scale(Layer):
    """Return activation(weight * x + bias), with NumPy's broadcasting.

    `weight` and `bias` are [*dims], in NumPy order. x is [N, *dims], or has fewer axes than
    `dims`, and the result then has all of them. Weights start from ones (differs from
    Lux.jl, whose code starts from glorot_uniform, because its page says ones).
    """

    dims: tuple[int, ...]
    activation: Activation
    use_bias: bool
    init_weight: Initializer
    init_bias: Initializer

    def __init__(
        self,
        *dims: Any,
        activation: Activation = identity,
        use_bias: bool | None = None,
        bias: bool | None = None,
        init_weight: Initializer = ones32,
        init_bias: Initializer = zeros32,
        allow_fast_activation: bool = True,
    ) -> None:
        """Take sizes, one by one or as a tuple, then perhaps the activation.

        `bias` is an older name of `use_bias`.
        """
        given = [*dims]
        if given and callable(given[-1]):
            activation = given.pop()
        flat = tuple(size for entry in given for size in listed(entry))
        if not flat:
            raise LxcError(
                "LXC-E0101",
                "there are no sizes",
                hint="give one size per axis behind the batch",
            )
        check_sizes(**{f"axis {place} of dims": size for place, size in enumerate(flat)})
        object.__setattr__(self, "dims", flat)
        object.__setattr__(self, "activation", choose(activation, allow_fast_activation))
        object.__setattr__(self, "use_bias", chosen_bias(use_bias, bias))
        object.__setattr__(self, "init_weight", init_weight)
        object.__setattr__(self, "init_bias", init_bias)

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return weight and, if used, bias."""
        fans = reversed_fans(self.dims)
        ps = {"weight": initialise(self.init_weight, rng, self.dims, fans)}
        if self.use_bias:
            ps["bias"] = initialise(self.init_bias, rng, self.dims, fans)
        return ps

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the scaled input plus bias, then the activation."""
        y = ops.multiply(x, ps["weight"])
        if self.use_bias:
            y = ops.add(y, ps["bias"])
        return self.activation(y), st


def listed(given: Any) -> tuple[int, ...]:
    """Return a size as a tuple of one, and sizes as they are, or raise."""
    sizes = tuple(given) if isinstance(given, tuple | list) else (given,)
    for size in sizes:
        if not isinstance(size, int | np.integer):
            raise LxcError(
                "LXC-E0101",
                "sizes are integers, and an activation stands behind them",
                actual=str(getattr(size, "__name__", repr(size))),
            )
    return sizes
