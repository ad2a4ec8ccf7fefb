"""Layers in a row, each joined with an input of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.layer import Layer
from lxc.frontend.layers.connection import check_connection
from lxc.frontend.layers.naming import (
    Children,
    children_params,
    children_state,
    entry,
    several_children,
)


@dataclass(frozen=True, init=False)
class PairwiseFusion(Layer):
    """Join the output of each layer with the next input, and feed the next layer with it.

    A tuple input of N + 1 entries, for N layers: y = x[0], then for every i from 0
    y = connection(x[i + 1], layer_i(y)). Any other input stands for all of them:
    y = connection(x, layer_i(y)). The connection is a function of two values. A tuple of
    another length is an error.

    Differs from Lux.jl, where the code calls connection(layer_i(y), x[i + 1]), because the
    documentation gives the formula above; this matters only if the order of the arguments
    does.
    """

    connection: Callable[[Any, Any], Any]
    children: Children

    def __init__(
        self, connection: Callable[[Any, Any], Any], /, *layers: Any, **named: Any
    ) -> None:
        """Take the connection, then layers by place or by keyword."""
        if isinstance(connection, Layer):
            raise LxcError(
                "LXC-E0101",
                "the connection of PairwiseFusion is used once per layer, so it has no "
                "parameters of its own",
                expected="a function of 2 arguments",
                actual=f"connection: {type(connection).__name__}",
            )
        check_connection(connection, 2)
        object.__setattr__(self, "connection", connection)
        object.__setattr__(self, "children", several_children(self, layers, named))

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return one entry per child."""
        return children_params(self.children, rng)

    def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return one entry per child."""
        return children_state(self.children, rng)

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return what the last connection returned."""
        count = len(self.children)
        if isinstance(x, tuple) and len(x) != count + 1:
            raise LxcError(
                "LXC-E0103",
                "a tuple input needs one entry per layer, and one to begin with",
                expected=f"{count + 1} entries",
                actual=f"{len(x)} entries",
            )
        y, *others = x if isinstance(x, tuple) else [x] * (count + 1)
        states = {}
        for (name, layer), other in zip(self.children, others, strict=True):
            y, states[name] = layer(
                y, entry(ps, name, "parameters"), entry(st, name, "states")
            )
            y = self.connection(other, y)
        return y, states
