"""A map of two inputs that is linear in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.frontend.activations import Activation, choose, identity
from lxc.frontend.initializers import Initializer, glorot_uniform, initialise, zeros32
from lxc.frontend.layer import Layer
from lxc.frontend.layers.linear import check_sizes, chosen_bias
from lxc.frontend.padding import numbers_of
from lxc.ir import functions as ops
from lxc.ir.functions.promotion import as_operand, common_type
from lxc.ir.functions.reduce import summing_type
from lxc.ir.types import shape_text


@dataclass(frozen=True, init=False)
class Bilinear(Layer):
    """Return z with z[..., i] = activation(x @ weight[i] @ y + bias[i]) for a tuple (x, y).

    x is [..., inputs[0]] and y [..., inputs[1]] with the same leading axes, any number of
    them; `weight` is (outputs, *inputs), `bias` (outputs,). A single array stands for both,
    if `inputs` are equal. Half types are multiplied and summed in float32.
    """

    inputs: tuple[int, int]
    outputs: int
    activation: Activation
    use_bias: bool
    init_weight: Initializer
    init_bias: Initializer

    def __init__(
        self,
        inputs: int | Sequence[int],
        outputs: int,
        activation: Activation = identity,
        *,
        use_bias: bool | None = None,
        bias: bool | None = None,
        init_weight: Initializer = glorot_uniform,
        init_bias: Initializer = zeros32,
        allow_fast_activation: bool = True,
    ) -> None:
        """Take one size for both inputs or a size for each, outputs, then the activation.

        `bias` is another name of `use_bias`.
        """
        pair = numbers_of(inputs, 2, "inputs")
        if len(pair) != 2:
            raise LxcError(
                "LXC-E0101",
                "inputs is one size, or two",
                expected="inputs: n or (n, m)",
                actual=f"inputs: {pair}",
            )
        check_sizes(inputs=min(pair), outputs=outputs)
        object.__setattr__(self, "inputs", pair)
        object.__setattr__(self, "outputs", outputs)
        object.__setattr__(self, "activation", choose(activation, allow_fast_activation))
        object.__setattr__(self, "use_bias", chosen_bias(use_bias, bias))
        object.__setattr__(self, "init_weight", init_weight)
        object.__setattr__(self, "init_bias", init_bias)

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return weight and, if used, bias."""
        first, second = self.inputs
        # The page counts the outputs as positions of a kernel.
        fans = (self.outputs * first, self.outputs * second)
        ps = {
            "weight": initialise(self.init_weight, rng, (self.outputs, first, second), fans)
        }
        if self.use_bias:
            column = initialise(self.init_bias, rng, (self.outputs, 1), (1, self.outputs))
            ps["bias"] = column.reshape(self.outputs)
        return ps

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the bilinear form of each output, then the activation."""
        first, second = self.both(x)
        weight = ps["weight"]
        dtype = common_type((first, second, weight))
        first, second, weight = map(summing_type, (first, second, weight))
        leading, count = first.shape[:-1], self.inputs[0] * self.inputs[1]
        products = ops.multiply(
            ops.expand_dims(first, -1), ops.expand_dims(second, len(leading))
        )
        z = ops.tensordot(
            ops.reshape(products, (*leading, count)),
            ops.reshape(weight, (self.outputs, count)),
            ((-1,), (1,)),
        )
        if self.use_bias:
            z = ops.add(z, summing_type(ps["bias"]))
            dtype = np.result_type(dtype, ps["bias"].dtype)
        return self.activation(as_operand(z, dtype)), st

    def both(self, x: Any) -> tuple[Any, Any]:
        """Return the two inputs, or raise if they do not fit."""
        if (isinstance(x, tuple) and len(x) != 2) or isinstance(x, list | dict):
            raise LxcError(
                "LXC-E0103",
                "the layer takes two arrays, or one for both",
                expected="an array, or a tuple of two",
                actual=f"a {type(x).__name__} of {len(x)}",
            )
        first, second = x if isinstance(x, tuple) else (x, x)
        for name, part, size in zip("xy", (first, second), self.inputs, strict=True):
            if not part.shape or part.shape[-1] != size:
                raise Mismatch(
                    name if isinstance(x, tuple) else "x",
                    shape_text([*part.shape[:-1], size]),
                    shape_text(part.shape),
                    because=f"the layer takes {self.inputs} features",
                )
        if first.shape[:-1] != second.shape[:-1]:
            raise Mismatch(
                "y",
                shape_text([*first.shape[:-1], self.inputs[1]]),
                shape_text(second.shape),
                because=f"x is {shape_text(first.shape)}",
            )
        return first, second
