"""The recurrent cell with a memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lxc.frontend.initializers import (
    Initializer,
    glorot_uniform,
    ones32,
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
class LSTMCell(RecurrentCell):
    """Return h' = s(o) tanh(c') with c' = s(f) c + s(i) tanh(g), s the logistic function.

    i, f, g, o are the four blocks of x @ weight_i.T + h @ weight_h.T + bias, in this order
    (Hochreiter, Schmidhuber, 1997). x is [batch, inputs], the carry (h, c) [batch, outputs]
    each. `weight_i` is (4 outputs, inputs), `weight_h` (4 outputs, outputs), `bias`
    (4 outputs,). `init_weight` and `init_bias` hold one initialiser per block; the default
    bias is 1 on the third block, g, as the page of Lux.jl writes it and its code does,
    though the forget gate is probably meant. Without a carry h is `init_state`, or with
    `train_state` the parameter `hidden_state`; c is `init_memory` (differs from Lux.jl,
    which uses init_state there too), or with `train_memory` the parameter `memory`.
    """

    starts: ClassVar[tuple[str, ...]] = ("hidden_state", "memory")
    use_bias: bool
    train_state: bool
    train_memory: bool
    init_weight: tuple[Initializer, ...]
    init_bias: tuple[Initializer, ...]
    init_state_value: Initializer
    init_memory: Initializer

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        use_bias: bool | None = None,
        bias: bool | None = None,
        train_state: bool = False,
        train_memory: bool = False,
        init_weight: Initializer | Sequence[Initializer] = glorot_uniform,
        init_bias: Initializer | Sequence[Initializer] = (
            zeros32,
            zeros32,
            ones32,
            zeros32,
        ),
        init_state: Initializer = zeros32,
        init_memory: Initializer = zeros32,
    ) -> None:
        """Take sizes; initialisers are one for all blocks, or four."""
        check_sizes(inputs=inputs, outputs=outputs)
        fields = {
            "inputs": inputs,
            "outputs": outputs,
            "use_bias": chosen_bias(use_bias, bias),
            "train_state": train_state,
            "train_memory": train_memory,
            "init_weight": per_gate(init_weight, 4, "init_weight"),
            "init_bias": per_gate(init_bias, 4, "init_bias"),
            "init_state_value": init_state,
            "init_memory": init_memory,
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @property
    def first_values(self) -> tuple[Initializer, ...]:
        """The initialisers of h and c."""
        return self.init_state_value, self.init_memory

    @property
    def trained(self) -> tuple[bool, ...]:
        """Whether h and c are parameters."""
        return self.train_state, self.train_memory

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return weights and, if used, bias, first state and first memory."""
        inputs, outputs = self.inputs, self.outputs
        make = self.init_weight
        ps = {
            "weight_i": blocks(make, rng, (outputs, inputs), (inputs, outputs)),
            "weight_h": blocks(make, rng, (outputs, outputs), (outputs, outputs)),
        }
        if self.use_bias:
            column = blocks(self.init_bias, rng, (outputs, 1), (1, outputs))
            ps["bias"] = column.reshape(4 * outputs)
        return ps | self.trained_starts(rng)

    def step(self, x: Any, carry: Carry, ps: Any) -> Carry:
        """Return (h', c')."""
        hidden, memory = carry
        total = ops.add(product(x, ps["weight_i"]), product(hidden, ps["weight_h"]))
        i, f, g, o = ops.split(with_bias(total, ps, "bias", self.use_bias), 4, -1)
        kept = ops.multiply(ops.sigmoid(f), memory)
        memory = ops.add(kept, ops.multiply(ops.sigmoid(i), ops.tanh(g)))
        return ops.multiply(ops.sigmoid(o), ops.tanh(memory)), memory
