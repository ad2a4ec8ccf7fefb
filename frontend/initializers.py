"""Initial values of Lux layers: callables `init(rng, *shape)` that return an array.

A layer's shapes are not in the order that fans are counted in, so layers pass the fans to
initialisers that take them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

import numpy as np

from lxc.errors import LxcError
from lxc.ir.types import Array, DType

Initializer = Callable[..., Any]
Fans = tuple[int, int]
NUMBERS = frozenset(dtype.numpy for dtype in DType)


def zeros32(rng: np.random.Generator, *shape: int) -> Array:
    """Return float32 zeros."""
    return np.zeros(shape, np.float32)


def ones32(rng: np.random.Generator, *shape: int) -> Array:
    """Return float32 ones."""
    return np.ones(shape, np.float32)


def randn32(rng: np.random.Generator, *shape: int) -> Array:
    """Return float32 numbers from N(0, 1)."""
    return rng.standard_normal(shape, np.float32)


def rand32(rng: np.random.Generator, *shape: int) -> Array:
    """Return float32 numbers from U[0, 1)."""
    return rng.random(shape, np.float32)


@dataclass(frozen=True)
class FanInitializer:
    """Random float32 values whose spread follows from the number of inputs and outputs.

    The variance is `gain**2 * scale / n`, with n the mean of both fans or the fan of
    inputs.
    """

    name: str
    distribution: Literal["uniform", "normal"]
    fan: Literal["mean", "in"]
    gain: float = 1.0

    def __call__(
        self, rng: np.random.Generator, *shape: int, fans: Fans | None = None
    ) -> Array:
        """Return an array of `shape`; `fans` default to the seed's rule for the shape."""
        fan_in, fan_out = fans or fans_of(shape)
        count = (fan_in + fan_out) / 2 if self.fan == "mean" else fan_in
        deviation = self.gain / np.sqrt(count)
        if self.distribution == "normal":
            return np.asarray(rng.standard_normal(shape) * deviation, np.float32)
        bound = np.sqrt(3.0) * deviation
        return np.asarray(rng.uniform(-bound, bound, shape), np.float32)


glorot_uniform = FanInitializer("glorot_uniform", "uniform", "mean")
glorot_normal = FanInitializer("glorot_normal", "normal", "mean")
kaiming_uniform = FanInitializer("kaiming_uniform", "uniform", "in", 2.0**0.5)
kaiming_normal = FanInitializer("kaiming_normal", "normal", "in", 2.0**0.5)


def fans_of(shape: tuple[int, ...]) -> Fans:
    """Return (fan in, fan out) of a matrix (out, in), a vector, or [out, in, *k]."""
    if len(shape) < 2:
        return 1, prod(shape)
    return shape[1] * prod(shape[2:]), shape[0] * prod(shape[2:])


def reversed_fans(shape: tuple[int, ...]) -> Fans:
    """Return (fan in, fan out) of a shape whose axes are those of Lux.jl in reverse."""
    return (shape[0], shape[1]) if len(shape) == 2 else fans_of(shape)


def initialise(
    initializer: Initializer, rng: np.random.Generator, shape: tuple[int, ...], fans: Fans
) -> Array:
    """Return what `initializer` makes of `shape`, with `fans` if it takes them.

    Its element type is the parameter's. Raise if it is not an array of numbers in `shape`.
    """
    if isinstance(initializer, FanInitializer):
        return initializer(rng, *shape, fans=fans)
    made = np.asarray(initializer(rng, *shape))
    if made.shape == shape and made.dtype in NUMBERS:
        return made
    name = getattr(initializer, "__name__", repr(initializer))
    raise LxcError(
        "LXC-E0101",
        f"{name} does not return what a parameter can be made of",
        expected=f"an array of numbers of shape {shape}",
        actual=f"{made.dtype.name} of shape {made.shape}",
        hint="an initialiser is called with a generator and the sizes",
    )
