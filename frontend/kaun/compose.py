"""Layers one after the other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.kaun.context import Context
from lxc.frontend.kaun.layer import Layer, LayerLike, layer_of, recorded
from lxc.frontend.kaun.vars import Vars, entry, kind_of
from lxc.frontend.record import path_of
from lxc.ir import functions as ops


def sequential(layers: Sequence[LayerLike]) -> Layer:
    """Return a layer that feeds each layer with what the one before it returned.

    Parameters and state are lists with one entry per layer, `[]` where it has none. In
    training each layer gets its own key: a key splits into that of the layer and that of
    the rest.
    """
    return layer_of(Sequential(checked(layers)), "sequential", is_container=True)


def compose(left: LayerLike, right: LayerLike) -> Layer:
    """Return a layer that computes right(left(x)); trees are {left: ..., right: ...}.

    Unlike in `sequential` the element type may change on the way. A key splits into two.
    """
    return layer_of(Compose(*checked((left, right))), "compose", is_container=True)


def checked(layers: Sequence[LayerLike]) -> tuple[LayerLike, ...]:
    """Return layers as a tuple, or raise if something is no layer."""
    if not isinstance(layers, Iterable):
        raise LxcError(
            "LXC-E0101",
            f"{layers!r} is not a list of layers",
            expected="sequential([first, second, ...])",
            actual=type(layers).__name__,
        )
    layers = tuple(layers)
    for layer in layers:
        recorded(layer)
    return layers


@dataclass(frozen=True)
class Sequential:
    """Any number of layers; none at all is the identity."""

    layers: tuple[LayerLike, ...]

    def init(self, dtype: np.dtype[Any], rng: np.random.Generator) -> Vars:
        """Return the variables of every layer in order."""
        parts = [layer.init(dtype, rng) for layer in self.layers]
        return Vars([part.params for part in parts], [part.state for part in parts], dtype)

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
        """Return what the last layer makes of it all."""
        count = len(self.layers)
        entries = (
            entries_of(params, count, "parameters"),
            entries_of(state, count, "state"),
        )
        states = []
        for layer, own, before in zip(self.layers, *entries, strict=True):
            key, rngs = split_key(rngs)
            x, after = recorded(layer)(own, before, dtype, training, key, ctx, x)
            states.append(after)
        return x, states


@dataclass(frozen=True)
class Compose:
    """Two layers."""

    left: LayerLike
    right: LayerLike

    def init(self, dtype: np.dtype[Any], rng: np.random.Generator) -> Vars:
        """Return the variables of both, those of `left` drawn first."""
        left, right = self.left.init(dtype, rng), self.right.init(dtype, rng)
        params = {"left": left.params, "right": right.params}
        return Vars(params, {"left": left.state, "right": right.state}, dtype)

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
        """Return right(left(x))."""
        states = {}
        parts = (("left", self.left), ("right", self.right))
        for (name, layer), key in zip(parts, split_key(rngs), strict=True):
            own, before = entry(params, name, "parameters"), entry(state, name, "state")
            x, states[name] = recorded(layer)(own, before, dtype, training, key, ctx, x)
        return x, states


def split_key(rngs: Any) -> tuple[Any, Any]:
    """Return two keys, or None twice where there is no key."""
    if rngs is None:
        return None, None
    first, second = ops.random_split(rngs)
    return first, second


def entries_of(tree: Any, count: int, what: str) -> Sequence[Any]:
    """Return the entries of a list with one per layer, or raise if it is none."""
    if isinstance(tree, list | tuple) and len(tree) == count:
        return tree
    is_list = isinstance(tree, list | tuple)
    found = f"{len(tree)} entries" if is_list else f"a {kind_of(tree)}"
    raise LxcError(
        "LXC-E0105",
        f"a sequential model has one entry per layer in its {what} (length mismatch)",
        layer=path_of(tree) or None,
        expected=f"a list of {count} entries",
        actual=found,
        hint="kaun.init makes variables that fit",
    )
