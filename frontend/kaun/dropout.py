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
    A call in training needs `rngs`, a key. Differs from Kaun's third alpha, where a key is
    found in the surrounding scope, because Kaun's guide requires it.
    """
    return layer_of(Dropout(check_rate("rate", rate)), "dropout")


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
        return (dropped(x, self.rate, rngs, "dropout") if training else x), state


def check_rate(name: str, rate: float) -> float:
    """Return a probability below 1, or raise if it is none."""
    if not 0 <= rate < 1:
        raise LxcError(
            "LXC-E0101",
            f"{name} is a probability below 1",
            expected=f"{name}: 0 up to, not including, 1",
            actual=f"{name}: {rate}",
        )
    return float(rate)


def dropped(x: Any, rate: float, rngs: Any, what: str) -> Any:
    """Return x with random zeros, or raise if there is no key to draw from."""
    if rate == 0:
        return x
    if rngs is None:
        raise LxcError(
            "LXC-E0108",
            f"{what} requires rngs during training",
            hint="give rngs, a key of two uint32 words",
        )
    kept = ops.less(ops.random_uniform(rngs, x.shape), 1 - rate)
    return ops.where(kept, ops.multiply(x, 1 / (1 - rate)), 0)
