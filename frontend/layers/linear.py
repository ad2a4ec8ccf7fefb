"""Affine maps of the last axis."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.frontend.activations import Activation, choose, identity
from lxc.frontend.initializers import Initializer, glorot_uniform, initialise, zeros32
from lxc.frontend.layer import Layer
from lxc.ir import functions as ops
from lxc.ir.types import shape_text


def chosen_bias(use_bias: bool | None, bias: bool | None) -> bool:
    """Return whether there is a bias; `bias` is an older name of `use_bias`."""
    if use_bias is not None and bias is not None and use_bias != bias:
        raise LxcError(
            "LXC-E0101",
            "use_bias and bias contradict each other",
            actual=f"use_bias={use_bias}, bias={bias}",
            hint="give use_bias only",
        )
    return next((given for given in (use_bias, bias) if given is not None), True)


def check_sizes(**sizes: int) -> None:
    """Refuse sizes below 1, and those that are no whole numbers."""
    for name, number in sizes.items():
        if not isinstance(number, int | np.integer) or number < 1:
            raise LxcError(
                "LXC-E0101",
                f"{name} is a whole number of at least 1",
                actual=f"{name}: {number!r}",
            )


def check_weight(weight: Any, shape: tuple[int, ...]) -> None:
    """Refuse a weight of another shape than the layer has."""
    if tuple(weight.shape) != shape:
        found = shape_text(weight.shape)
        raise Mismatch("weight", shape_text(shape), found, because="the layer says so")


@dataclass(frozen=True, init=False)
class Dense(Layer):
    """Return activation(x @ weight.T + bias) over the last axis of x.

    `weight` is (outputs, inputs), `bias` (outputs,). Any leading axes are kept. With
    `allow_fast_activation` tanh and sigmoid may be off by 8 ULP instead of 2.
    """

    inputs: int
    outputs: int
    activation: Activation
    use_bias: bool
    init_weight: Initializer
    init_bias: Initializer

    def __init__(
        self,
        inputs: int,
        outputs: int,
        activation: Activation = identity,
        *,
        use_bias: bool | None = None,
        bias: bool | None = None,
        init_weight: Initializer = glorot_uniform,
        init_bias: Initializer = zeros32,
        allow_fast_activation: bool = True,
    ) -> None:
        """Take sizes, then the activation; `bias` is an older name of `use_bias`."""
        check_sizes(inputs=inputs, outputs=outputs)
        object.__setattr__(self, "inputs", inputs)
        object.__setattr__(self, "outputs", outputs)
        object.__setattr__(self, "activation", choose(activation, allow_fast_activation))
        object.__setattr__(self, "use_bias", chosen_bias(use_bias, bias))
        object.__setattr__(self, "init_weight", init_weight)
        object.__setattr__(self, "init_bias", init_bias)

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return weight and, if used, bias."""
        shape = (self.outputs, self.inputs)
        ps = {
            "weight": initialise(self.init_weight, rng, shape, (self.inputs, self.outputs))
        }
        if self.use_bias:
            column = initialise(self.init_bias, rng, (self.outputs, 1), (1, self.outputs))
            ps["bias"] = column.reshape(self.outputs)
        return ps

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the affine map of the last axis, then the activation."""
        if not x.shape or x.shape[-1] != self.inputs:
            raise Mismatch(
                "x",
                shape_text([*x.shape[:-1], self.inputs]),
                shape_text(x.shape),
                because=f"the layer takes {self.inputs} features",
            )
        check_weight(ps["weight"], (self.outputs, self.inputs))
        y = ops.tensordot(x, ps["weight"], ((-1,), (1,)))
        if self.use_bias:
            y = ops.add(y, ps["bias"])
        return self.activation(y), st
