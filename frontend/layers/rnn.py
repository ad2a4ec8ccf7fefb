"""The simple recurrent cell."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.frontend.activations import Activation, choose, tanh
from lxc.frontend.initializers import (
    Initializer,
    glorot_uniform,
    initialise,
    ones32,
    zeros32,
)
from lxc.frontend.layers.linear import check_sizes, chosen_bias
from lxc.frontend.layers.recurrent_cell import Carry, RecurrentCell, product, with_bias
from lxc.ir import functions as ops


@dataclass(frozen=True, init=False)
class RNNCell(RecurrentCell):
    """Return h' = activation(x @ weight_ih.T + h @ weight_hh.T + bias): Elman, 1990.

    x is [batch, inputs], h [batch, outputs]. `weight_ih` is (outputs, inputs), `weight_hh`
    (outputs, outputs), `bias` (outputs,). Without a carry h is `init_state`, ones by
    default, or with `train_state` the parameter `hidden_state` (outputs,).
    """

    activation: Activation
    use_bias: bool
    train_state: bool
    init_bias: Initializer
    init_weight: Initializer
    init_state_value: Initializer

    def __init__(
        self,
        inputs: int,
        outputs: int,
        activation: Activation = tanh,
        *,
        use_bias: bool | None = None,
        bias: bool | None = None,
        train_state: bool = False,
        init_bias: Initializer = zeros32,
        init_weight: Initializer = glorot_uniform,
        init_state: Initializer = ones32,
    ) -> None:
        """Take sizes, then the activation; `bias` is an older name of `use_bias`."""
        check_sizes(inputs=inputs, outputs=outputs)
        fields = {
            "inputs": inputs,
            "outputs": outputs,
            "activation": choose(activation, allow_fast=False),
            "use_bias": chosen_bias(use_bias, bias),
            "train_state": train_state,
            "init_bias": init_bias,
            "init_weight": init_weight,
            "init_state_value": init_state,
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @property
    def first_values(self) -> tuple[Initializer, ...]:
        """The initialiser of h."""
        return (self.init_state_value,)

    @property
    def trained(self) -> tuple[bool, ...]:
        """Whether h is a parameter."""
        return (self.train_state,)

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return weights and, if used, bias and first state."""
        inputs, outputs = self.inputs, self.outputs
        make = self.init_weight
        ps = {
            "weight_ih": initialise(make, rng, (outputs, inputs), (inputs, outputs)),
            "weight_hh": initialise(make, rng, (outputs, outputs), (outputs, outputs)),
        }
        if self.use_bias:
            ps["bias"] = initialise(self.init_bias, rng, (outputs,), (1, outputs))
        return ps | self.trained_starts(rng)

    def step(self, x: Any, carry: Carry, ps: Any) -> Carry:
        """Return (h',)."""
        total = ops.add(product(x, ps["weight_ih"]), product(carry[0], ps["weight_hh"]))
        return (self.activation(with_bias(total, ps, "bias", self.use_bias)),)
