"""Random zeros while training."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.layer import Layer
from lxc.frontend.layers.basic import NoOpLayer
from lxc.ir import functions as ops
from lxc.ir.functions.shape import axes_of


@dataclass(frozen=True, init=False)
class Dropout(Layer):
    """Zero each element with probability p in training, scale the others by 1 / (1 - p).

    An element is kept where u > p for u from U[0, 1). `dims` are the axes along which
    elements are drawn apart; along all others, the batch included, they share one draw. In
    test mode nothing happens. `Dropout(0)` is a `NoOpLayer`; p = 1 gives zeros. The state
    holds the key `rng`, and a call in training returns the next one.
    """

    p: float
    dims: tuple[int, ...] | None

    def __new__(cls, p: float, *, dims: int | Sequence[int] | None = None) -> Any:
        """Return the layer, or a no-op if nothing is ever dropped."""
        if not 0 <= p <= 1:
            raise LxcError(
                "LXC-E0101", "p is a probability", expected="p: 0..1", actual=f"p: {p}"
            )
        return NoOpLayer() if p == 0 else super().__new__(cls)

    def __init__(self, p: float, *, dims: int | Sequence[int] | None = None) -> None:
        """Take the probability of a zero; `dims` default to all axes."""
        object.__setattr__(self, "p", float(p))
        axes = (dims,) if isinstance(dims, int) else dims
        object.__setattr__(self, "dims", None if axes is None else tuple(axes))

    def __getnewargs__(self) -> tuple[float]:
        """Hand copies what `__new__` checks."""
        return (self.p,)

    def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return a key and the mode."""
        return {"rng": draw_key(rng), "training": True}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return x with random zeros, or x itself."""
        if not st["training"]:
            return x, st
        rank = len(x.shape)
        apart = axes_of(self.dims, rank)
        shape = tuple(n if axis in apart else 1 for axis, n in enumerate(x.shape))
        kept = ops.greater(ops.random_uniform(st["rng"], shape), self.p)
        scaled = ops.multiply(x, 1 / (1 - self.p)) if self.p < 1 else x
        (following, *_) = ops.random_split(st["rng"])
        y = ops.where(kept, scaled, 0)
        return y, {"rng": following, "training": st["training"]}


def draw_key(rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """Return a key for random layers, u32[2]; the generator advances."""
    return rng.integers(0, 2**32, 2, dtype=np.uint32)
