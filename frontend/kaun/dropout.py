"""Random zeros while training."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.kaun.context import Context
from lxc.frontend.kaun.layer import Layer, layer_of
from lxc.frontend.kaun.vars import Vars, check_dtype
from lxc.ir import functions as ops


def dropout(rate: float) -> Layer:
    """Return a layer that zeroes each element with probability `rate` in training.

    Kept elements, those where u < 1 - rate for u from U[0, 1), are divided by 1 - rate.
    """
    if not 0 <= rate < 1:
        raise LxcError(
            "LXC-E0101",
            "rate is a probability below 1",
            expected="rate: 0 up to, not including, 1",
            actual=f"rate: {rate}",
        )
    return layer_of(Dropout(float(rate)), "dropout")


@dataclass(frozen=True)
class Dropout:
    """The probability of a zero."""

    rate: float

    def init(self, dtype: np.dtype[Any], rng: np.random.Generator) -> Vars:
        """Return no variables."""
        return Vars([], [], dtype)

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
        """Return x with random zeros, or x itself."""
        check_dtype(x, dtype)
        if not training or self.rate == 0:
            return x, state
        if rngs is None:
            raise LxcError(
                "LXC-E0108",
                "dropout requires rngs during training",
                hint="give rngs, a key of two uint32 words",
            )
        kept = ops.less(ops.random_uniform(rngs, x.shape), 1 - self.rate)
        return ops.where(kept, ops.multiply(x, 1 / (1 - self.rate)), 0), state
