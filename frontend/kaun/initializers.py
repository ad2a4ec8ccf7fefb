"""Initial values of Kaun layers: callables `initializer(rng, shape, dtype)`.

Fans are read off the shape: `in_axis` and `out_axis` say where inputs and outputs stand,
every other axis counts towards both.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod, sqrt
from typing import Any, Literal

import numpy as np

from lxc.errors import LxcError
from lxc.ir.types import Array

Initializer = Callable[[np.random.Generator, tuple[int, ...], np.dtype[Any]], Any]
Mode = Literal["fan_in", "fan_out", "fan_avg"]
Distribution = Literal["normal", "uniform", "truncated_normal"]

CUT_DEVIATION = 0.87962566103423978
"""The standard deviation that N(0, 1) has left when it is cut at two deviations."""


@dataclass(frozen=True)
class Constant:
    """The same value everywhere."""

    value: float

    def __call__(
        self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> Array:
        """Return an array full of the value."""
        return np.full(shape, self.value, dtype)


@dataclass(frozen=True)
class Uniform:
    """Numbers from U[0, scale): not symmetric around zero."""

    scale: float

    def __call__(
        self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> Array:
        """Return random numbers; rounding to `dtype` never reaches the scale."""
        drawn = (rng.random(shape) * self.scale).astype(dtype)
        below = np.nextafter(np.asarray(self.scale, dtype), np.asarray(0, dtype))
        return np.asarray(np.minimum(drawn, below), dtype)


@dataclass(frozen=True)
class Normal:
    """Numbers from N(0, stddev squared)."""

    stddev: float

    def __call__(
        self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> Array:
        """Return random numbers."""
        return np.asarray(rng.standard_normal(shape) * self.stddev).astype(dtype)


@dataclass(frozen=True)
class VarianceScaling:
    """Random numbers of mean 0 and variance scale / n, n being a fan or the mean of both.

    The truncated normal is cut at two deviations and widened, so that the variance stays.
    """

    scale: float
    mode: Mode
    distribution: Distribution
    in_axis: int = -2
    out_axis: int = -1

    def __call__(
        self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> Array:
        """Return random numbers."""
        fan_in, fan_out = fans_of(shape, self.in_axis, self.out_axis)
        counts = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        deviation = sqrt(self.scale / counts[self.mode])
        if self.distribution == "uniform":
            drawn = rng.uniform(-1.0, 1.0, shape) * (sqrt(3.0) * deviation)
        elif self.distribution == "normal":
            drawn = rng.standard_normal(shape) * deviation
        else:
            drawn = cut_normal(rng, shape) * (deviation / CUT_DEVIATION)
        return np.asarray(drawn).astype(dtype)


def cut_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return numbers from N(0, 1), those beyond two deviations drawn again."""
    drawn = np.asarray(rng.standard_normal(shape))
    while (beyond := np.abs(drawn) > 2).any():
        drawn[beyond] = rng.standard_normal(int(beyond.sum()))
    return drawn


def fans_of(shape: Sequence[int], in_axis: int, out_axis: int) -> tuple[int, int]:
    """Return (fan in, fan out) of a shape, or raise if an axis is missing or a fan is 0."""
    if len(shape) < 2:
        fans = (prod(shape), prod(shape))
    else:
        for axis in (in_axis, out_axis):
            if not -len(shape) <= axis < len(shape):
                raise LxcError(
                    "LXC-E0101",
                    "an initialiser's axis is out of range",
                    expected=f"in_axis and out_axis of a shape with {len(shape)} axes",
                    actual=f"in_axis: {in_axis}, out_axis: {out_axis}",
                )
        named = {in_axis % len(shape), out_axis % len(shape)}
        rest = prod(size for axis, size in enumerate(shape) if axis not in named)
        fans = (shape[in_axis] * rest, shape[out_axis] * rest)
    if min(fans) < 1:
        raise LxcError(
            "LXC-E0101", "an initialiser needs sizes of at least 1", actual=f"{shape}"
        )
    return fans


def at_least_zero(name: str, value: float) -> float:
    """Return `value`, or raise if it is negative."""
    if not value >= 0:
        raise LxcError("LXC-E0101", f"{name} is at least 0", actual=f"{name}: {value}")
    return float(value)


zeros: Initializer = Constant(0.0)
ones: Initializer = Constant(1.0)


def constant(value: float) -> Initializer:
    """Return an initialiser that gives `value` everywhere."""
    return Constant(value)


def uniform(scale: float = 0.01) -> Initializer:
    """Return an initialiser with numbers from U[0, scale)."""
    return Uniform(at_least_zero("scale", scale))


def normal(stddev: float = 0.01) -> Initializer:
    """Return an initialiser with numbers from N(0, stddev squared)."""
    return Normal(at_least_zero("stddev", stddev))


def variance_scaling(
    scale: float,
    mode: Mode,
    distribution: Distribution,
    in_axis: int = -2,
    out_axis: int = -1,
) -> Initializer:
    """Return an initialiser of variance scale / n; `mode` says which fan n is."""
    for name, word, words in (
        ("mode", mode, ("fan_in", "fan_out", "fan_avg")),
        ("distribution", distribution, ("normal", "uniform", "truncated_normal")),
    ):
        if word not in words:
            raise LxcError(
                "LXC-E0101",
                f"there is no {name} {word!r}",
                expected=f"{name}: one of {', '.join(words)}",
            )
    return VarianceScaling(
        at_least_zero("scale", scale), mode, distribution, in_axis, out_axis
    )


def glorot_uniform(in_axis: int = -2, out_axis: int = -1) -> Initializer:
    """Return the initialiser with bounds of sqrt(6 / (fan in + fan out))."""
    return VarianceScaling(1.0, "fan_avg", "uniform", in_axis, out_axis)


def glorot_normal(in_axis: int = -2, out_axis: int = -1) -> Initializer:
    """Return the truncated normal of variance 2 / (fan in + fan out)."""
    return VarianceScaling(1.0, "fan_avg", "truncated_normal", in_axis, out_axis)


def he_uniform(in_axis: int = -2, out_axis: int = -1) -> Initializer:
    """Return the initialiser with bounds of sqrt(6 / fan in)."""
    return VarianceScaling(2.0, "fan_in", "uniform", in_axis, out_axis)


def he_normal(in_axis: int = -2, out_axis: int = -1) -> Initializer:
    """Return the truncated normal of variance 2 / fan in."""
    return VarianceScaling(2.0, "fan_in", "truncated_normal", in_axis, out_axis)


def lecun_uniform(in_axis: int = -2, out_axis: int = -1) -> Initializer:
    """Return the initialiser with bounds of sqrt(3 / fan in)."""
    return VarianceScaling(1.0, "fan_in", "uniform", in_axis, out_axis)


def lecun_normal(in_axis: int = -2, out_axis: int = -1) -> Initializer:
    """Return the truncated normal of variance 1 / fan in."""
    return VarianceScaling(1.0, "fan_in", "truncated_normal", in_axis, out_axis)
