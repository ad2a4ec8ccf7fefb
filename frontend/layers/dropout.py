"""Random zeros while training."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from numbers import Real
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.layer import Layer
from lxc.frontend.layers.basic import NoOpLayer, WrappedFunction
from lxc.frontend.padding import numbers_of
from lxc.ir import functions as ops
from lxc.ir.functions.shape import axes_of

ALPHA = -1.7580993408473766
"""Where selu goes for large negative numbers: -1.0507... * 1.6732..."""


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
        check_probability(p)
        return NoOpLayer() if p == 0 else super().__new__(cls)

    def __init__(self, p: float, *, dims: int | Sequence[int] | None = None) -> None:
        """Take the probability of a zero; `dims` default to all axes."""
        object.__setattr__(self, "p", float(p))
        axes = None if dims is None else numbers_of(dims, 1, "dims")
        object.__setattr__(self, "dims", axes)

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
        apart = axes_of(self.dims, len(x.shape))
        shape = tuple(n if axis in apart else 1 for axis, n in enumerate(x.shape))
        scaled = ops.multiply(x, 1 / (1 - self.p)) if self.p < 1 else x
        y = ops.where(drawn(st["rng"], shape, self.p), scaled, 0)
        return y, advanced(st)


@dataclass(frozen=True, init=False)
class AlphaDropout(Layer):
    """Replace each element with probability p in training, keeping mean and variance.

    An element is kept where u > p for u from U[0, 1); the others become alpha, the limit of
    selu for large negative numbers, and everything is mapped so that mean 0 and variance 1
    stay: y = A * (x or alpha) + B with A = 1 / sqrt((1 - p) * (1 + p * alpha^2)) and
    B = -A * alpha * p (Klambauer et al., 2017). In test mode nothing happens.
    `AlphaDropout(0)` is a `NoOpLayer`. `AlphaDropout(1)` is a layer of zeros in both modes,
    as the page of Lux.jl says (differs from its code, which fails). The state holds the key
    `rng`, and a call in training returns the next one.
    """

    p: float

    def __new__(cls, p: float) -> Any:
        """Return the layer, or a simpler one if nothing or everything is dropped."""
        check_probability(p)
        if p == 1:
            return WrappedFunction(ops.zeros_like)
        return NoOpLayer() if p == 0 else super().__new__(cls)

    def __init__(self, p: float) -> None:
        """Take the probability that an element is dropped."""
        object.__setattr__(self, "p", float(p))

    def __getnewargs__(self) -> tuple[float]:
        """Hand copies what `__new__` checks."""
        return (self.p,)

    def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return a key and the mode."""
        return {"rng": draw_key(rng), "training": True}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return x with some elements replaced, or x itself."""
        if not st["training"]:
            return x, st
        spread = 1 / sqrt((1 - self.p) * (1 + self.p * ALPHA**2))
        either = ops.where(drawn(st["rng"], tuple(x.shape), self.p), x, ALPHA)
        y = ops.add(ops.multiply(either, spread), -spread * ALPHA * self.p)
        return y, advanced(st)


def check_probability(p: float) -> None:
    """Refuse what is no probability."""
    if not isinstance(p, Real) or not 0 <= p <= 1:
        raise LxcError(
            "LXC-E0101", "p is a probability", expected="p: 0..1", actual=f"p: {p}"
        )


def drawn(key: Any, shape: tuple[Any, ...], p: float) -> Any:
    """Return which elements are kept: each with probability 1 - p."""
    return ops.greater(ops.random_uniform(key, shape), p)


def advanced(st: Any) -> dict[str, Any]:
    """Return the state after one draw."""
    (following, *_) = ops.random_split(st["rng"])
    return {"rng": following, "training": st["training"]}


def draw_key(rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """Return a key for random layers, u32[2]; the generator advances."""
    return rng.integers(0, 2**32, 2, dtype=np.uint32)
