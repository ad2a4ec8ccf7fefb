"""Layers that users of the Kaun family might write."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc import kaun


@dataclass(frozen=True)
class Shifted:
    """A user's own kind of layer: an object with the two callables, and nothing else."""

    size: int

    def init(self, dtype: Any, rng: np.random.Generator) -> kaun.Vars:
        return kaun.make_vars({"shift": np.ones(self.size, dtype)}, [], dtype)

    def apply(
        self,
        params: Any,
        state: Any,
        dtype: Any,
        training: bool,
        rngs: Any,
        ctx: Any,
        x: Any,
    ) -> tuple[Any, Any]:
        return x + params["shift"], state


@dataclass(frozen=True)
class Doubled:
    """A layer that takes neither a key nor a context."""

    def init(self, dtype: Any, rng: np.random.Generator) -> kaun.Vars:
        return kaun.make_vars([], [], dtype)

    def apply(
        self, params: Any, state: Any, dtype: Any, training: bool, x: Any
    ) -> tuple[Any, Any]:
        return x * 2, state


def counting() -> kaun.Layer:
    """Return a layer that counts its calls in one bare tensor of state."""

    def init(dtype: Any, rng: np.random.Generator) -> kaun.Vars:
        return kaun.make_vars([], np.zeros((), np.int32), dtype)

    def apply(
        params: Any, state: Any, dtype: Any, training: Any, rngs: Any, ctx: Any, x: Any
    ) -> tuple[Any, Any]:
        return x, state + 1

    return kaun.Layer(init, apply)


def masked() -> kaun.Layer:
    """Return a layer that multiplies by the context's mask, if there is one."""

    def init(dtype: Any, rng: np.random.Generator) -> kaun.Vars:
        return kaun.make_vars([], [], dtype)

    def apply(
        params: Any, state: Any, dtype: Any, training: Any, rngs: Any, ctx: Any, x: Any
    ) -> tuple[Any, Any]:
        mask = ctx.find("mask") if ctx else None
        return (x if mask is None else x * mask), state

    return kaun.Layer(init, apply)


def layer_of(function: Any) -> kaun.Layer:
    """Return a layer without variables from a function of (ctx, training, rngs, x)."""

    def apply(
        params: Any, state: Any, dtype: Any, training: Any, rngs: Any, ctx: Any, x: Any
    ) -> tuple[Any, Any]:
        return function(ctx, training, rngs, x), state

    return kaun.Layer(kaun.relu().init, apply)
