"""The state that a recurrent cell begins with, made when the model runs.

Zeros, ones and random numbers are made by the compiled code itself, the latter from a key.
A function of the user's own is called while the model is traced, so what it returns is a
constant there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.initializers import (
    FanInitializer,
    Initializer,
    ones32,
    rand32,
    randn32,
    reversed_fans,
    zeros32,
)
from lxc.ir import functions as ops
from lxc.ir.tensor import Tensor

CONSTANTS: Mapping[Any, float] = {zeros32: 0.0, ones32: 1.0}
RANDOM: Mapping[Any, Any] = {randn32: ops.random_normal, rand32: ops.random_uniform}


@dataclass(frozen=True)
class Start:
    """What cells begin with: the key that is left, or None where the state has none."""

    key: Any

    def state(self, make: Initializer, like: Any, size: int) -> "tuple[Any, Start]":
        """Return [batch, size] values for an input `like` [batch, ...], and what is left.

        Only a random initialiser moves the key on.
        """
        shape = (like.shape[0], size)
        if make in CONSTANTS:
            return ops.full_like(like, CONSTANTS[make], shape=shape), self
        if make in RANDOM or isinstance(make, FanInitializer):
            following, own = ops.random_split(self.given_key)
            return ops.astype(drawn(make, own, shape), like.dtype), Start(following)
        return self.called(make, like, shape)

    @property
    def given_key(self) -> Any:
        """The key, which has to be there where something is drawn."""
        if self.key is None:
            raise LxcError(
                "LXC-E0105",
                "the state has no entry for rng, and the first carry is random",
                expected="an entry rng",
                hint="lxc.setup makes trees that fit",
            )
        return self.key

    def called(
        self, make: Initializer, like: Any, shape: tuple[Any, int]
    ) -> "tuple[Any, Start]":
        """Return what a function of the user's own makes of a generator and a shape.

        Where the number of samples is symbolic it makes one row, which is repeated.
        """
        rows = shape[0] if isinstance(shape[0], int) else 1
        draws = Draws(self)
        made = np.asarray(make(draws, rows, shape[1])).astype(like.dtype)
        if made.shape != (rows, shape[1]):
            raise LxcError(
                "LXC-E0101",
                "init_state returned an array of another shape",
                expected=str((rows, shape[1])),
                actual=str(made.shape),
            )
        left = Start(ops.random_split(self.given_key)[0]) if draws.used else self
        return ops.add(ops.full_like(like, 0, shape=shape), made), left


@dataclass
class Draws:
    """A NumPy generator from a key, and whether it was used."""

    start: Start
    used: bool = field(default=False)

    def __getattr__(self, name: str) -> Any:
        """Return what the generator has, or raise where there are no numbers yet."""
        if name.startswith("__"):
            raise AttributeError(name)
        key = self.start.given_key
        if isinstance(key, Tensor):
            raise LxcError(
                "LXC-E0104",
                "a random initial state of one's own cannot be compiled",
                hint="use nn.randn32, nn.rand32 or an initialiser such as "
                "nn.glorot_uniform, or pass the carry",
            )
        self.used = True
        return getattr(np.random.default_rng(np.asarray(key)), name)


def drawn(make: Initializer, key: Any, shape: tuple[Any, int]) -> Any:
    """Return random numbers as the initialiser spreads them."""
    if not isinstance(make, FanInitializer):
        return RANDOM[make](key, shape)
    if not isinstance(shape[0], int):
        raise LxcError(
            "LXC-E0101",
            "this initial state spreads with the number of samples, which is symbolic",
            hint="use nn.randn32 or nn.rand32",
        )
    fan_in, fan_out = reversed_fans(shape)
    count = (fan_in + fan_out) / 2 if make.fan == "mean" else fan_in
    deviation = make.gain / sqrt(count)
    if make.distribution == "normal":
        return ops.multiply(ops.random_normal(key, shape), deviation)
    unit = ops.subtract(ops.multiply(ops.random_uniform(key, shape), 2), 1)
    return ops.multiply(unit, sqrt(3.0) * deviation)
