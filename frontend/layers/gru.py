"""The recurrent cell with two gates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.frontend.initializers import (
    Initializer,
    glorot_uniform,
    initialise,
    zeros32,
)
from lxc.frontend.layers.linear import check_sizes, chosen_bias
from lxc.frontend.layers.recurrent_cell import (
    Carry,
    RecurrentCell,
    blocks,
    per_gate,
    product,
    with_bias,
)
from lxc.ir import functions as ops


@dataclass(frozen=True, init=False)
class GRUCell(RecurrentCell):
    """Return h' = (1 - z) n + z h with n = tanh(gx_n + bias_i + r (gh_n)).

    r = s(gx_r + gh_r) and z = s(gx_z + gh_z), s the logistic function, where gx = x @
    weight_i.T and gh = h @ weight_h.T + bias_h split into blocks r, z, n: the reset gate
    multiplies the product (Cho et al., 2014, in the form of cuDNN). x is [batch, inputs], h
    [batch, outputs]. `weight_i` is (3 outputs, inputs), `weight_h` (3 outputs, outputs),
    `bias_i` (outputs,), `bias_h` (3 outputs,). `bias_h` uses the three initialisers of
    `init_bias` in the order of the blocks, `bias_i` the first. Without a carry h is
    `init_state`, or with `train_state` the parameter `hidden_state` (outputs,).
    """

    use_bias: bool
    train_state: bool
    init_weight: tuple[Initializer, ...]
    init_bias: tuple[Initializer, ...]
    init_state_value: Initializer

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        use_bias: bool | None = None,
        bias: bool | None = None,
        train_state: bool = False,
        init_weight: Initializer | Sequence[Initializer] = glorot_uniform,
        init_bias: Initializer | Sequence[Initializer] = zeros32,
        init_state: Initializer = zeros32,
    ) -> None:
        """Take sizes; initialisers are one for all blocks, or three."""
        check_sizes(inputs=inputs, outputs=outputs)
        fields = {
            "inputs": inputs,
            "outputs": outputs,
            "use_bias": chosen_bias(use_bias, bias),
            "train_state": train_state,
            "init_weight": per_gate(init_weight, 3, "init_weight"),
            "init_bias": per_gate(init_bias, 3, "init_bias"),
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
        """Return weights and, if used, biases and first state."""
        inputs, outputs = self.inputs, self.outputs
        make, column, fans = self.init_weight, (outputs, 1), (1, outputs)
        ps = {
            "weight_i": blocks(make, rng, (outputs, inputs), (inputs, outputs)),
            "weight_h": blocks(make, rng, (outputs, outputs), (outputs, outputs)),
        }
        if self.use_bias:
            first = initialise(self.init_bias[0], rng, column, fans)
            ps["bias_i"] = first.reshape(outputs)
            ps["bias_h"] = blocks(self.init_bias, rng, column, fans).reshape(3 * outputs)
        return ps | self.trained_starts(rng)

    def step(self, x: Any, carry: Carry, ps: Any) -> Carry:
        """Return (h',)."""
        (hidden,) = carry
        from_input = ops.split(product(x, ps["weight_i"]), 3, -1)
        from_state = ops.split(
            with_bias(product(hidden, ps["weight_h"]), ps, "bias_h", self.use_bias), 3, -1
        )
        r, z = (ops.sigmoid(ops.add(from_input[i], from_state[i])) for i in range(2))
        inner = with_bias(from_input[2], ps, "bias_i", self.use_bias)
        n = ops.tanh(ops.add(inner, ops.multiply(r, from_state[2])))
        kept = ops.multiply(z, hidden)
        return (ops.add(ops.multiply(ops.subtract(1, z), n), kept),)
