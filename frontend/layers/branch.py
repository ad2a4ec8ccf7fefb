"""Layers side by side, and around others."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.layer import Layer
from lxc.frontend.layers.basic import as_layer
from lxc.frontend.layers.connection import check_connection, join
from lxc.frontend.layers.naming import (
    Children,
    children_params,
    children_state,
    entry,
    several_children,
)


@dataclass(frozen=True, init=False)
class BranchLayer(Layer):
    """Feed the same input to every layer; return the tuple of outputs.

    A tuple input is not split: each layer receives it whole. No-op layers stay.
    """

    children: Children

    def __init__(self, /, *layers: Any, **named: Any) -> None:
        """Take layers by place, called `layer_1`, ..., or by keyword."""
        object.__setattr__(self, "children", several_children(self, layers, named))

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return one entry per child."""
        return children_params(self.children, rng)

    def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return one entry per child."""
        return children_state(self.children, rng)

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the outputs in order."""
        return run_children(self.children, [x] * len(self.children), ps, st)


@dataclass(frozen=True, init=False)
class Parallel(Layer):
    """Join the outputs of several layers: connection(l1(x), ..., lN(x)).

    A tuple input of length N is split, one entry per layer; a list is not a tuple. The
    connection is called once with N arguments; the binary functions add, multiply, maximum
    and minimum of NumPy, `lxc.ops` and `operator` join any number of outputs. Without a
    connection the tuple of outputs is returned. A connection that is a layer receives that
    tuple, and the trees become {layers, connection}.
    """

    connection: Callable[..., Any] | Layer | None
    children: Children

    def __init__(
        self,
        connection: Callable[..., Any] | Layer | None,
        /,
        *layers: Any,
        **named: Any,
    ) -> None:
        """Take the connection, then layers by place or by keyword."""
        object.__setattr__(self, "connection", connection)
        object.__setattr__(self, "children", several_children(self, layers, named))
        if not isinstance(connection, Layer | None):
            check_connection(connection, len(self.children))

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return one entry per child, below `layers` if the connection is a layer."""
        layers = children_params(self.children, rng)
        if not isinstance(self.connection, Layer):
            return layers
        return {"layers": layers, "connection": self.connection.init_params(rng)}

    def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return one entry per child, below `layers` if the connection is a layer."""
        layers = children_state(self.children, rng)
        if not isinstance(self.connection, Layer):
            return layers
        return {"layers": layers, "connection": self.connection.init_state(rng)}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return what the connection makes of the outputs."""
        if not isinstance(self.connection, Layer):
            outputs, states = self.branches(x, ps, st)
            joined = outputs if self.connection is None else join(self.connection, outputs)
            return joined, states
        states = {}
        y = x
        for name, run in (("layers", self.branches), ("connection", self.connection)):
            y, states[name] = run(
                y, entry(ps, name, "parameters"), entry(st, name, "states")
            )
        return y, states

    def branches(self, x: Any, ps: Any, st: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the outputs of the layers and their new states."""
        count = len(self.children)
        if isinstance(x, tuple) and len(x) != count:
            raise LxcError(
                "LXC-E0103",
                "a tuple input needs one entry per layer",
                expected=f"{count} entries",
                actual=f"{len(x)} entries",
            )
        inputs = list(x) if isinstance(x, tuple) else [x] * count
        return run_children(self.children, inputs, ps, st)


def run_children(
    children: Children, inputs: list[Any], ps: Any, st: Any
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the outputs and new states of children, each on its own input."""
    outputs, states = [], {}
    for (name, layer), x in zip(children, inputs, strict=True):
        y, states[name] = layer(x, entry(ps, name, "parameters"), entry(st, name, "states"))
        outputs.append(y)
    return tuple(outputs), states


@dataclass(frozen=True, init=False)
class SkipConnection(Layer):
    """Join the output of a layer with its input: connection(layer(x), x), in this order.

    The trees are those of the layer itself. A connection that is a layer receives the tuple
    (layer(x), x), and the trees become {layers, connection}.
    """

    layer: Layer
    connection: Callable[..., Any] | Layer

    def __init__(self, layer: Any, connection: Callable[..., Any] | Layer) -> None:
        """Take a layer (or function) and a function of two arguments, or a layer."""
        if not isinstance(connection, Layer):
            check_connection(connection, 2)
        object.__setattr__(self, "layer", as_layer(layer))
        object.__setattr__(self, "connection", connection)

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return the layer's parameters, or both under their names."""
        if not isinstance(self.connection, Layer):
            return self.layer.init_params(rng)
        return children_params(self.parts(self.connection), rng)

    def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return the layer's state, or both under their names."""
        if not isinstance(self.connection, Layer):
            return self.layer.init_state(rng)
        return children_state(self.parts(self.connection), rng)

    def parts(self, connection: Layer) -> Children:
        """Return layer and connection under their names."""
        return (("layers", self.layer), ("connection", connection))

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return what the connection makes of output and input."""
        if not isinstance(self.connection, Layer):
            y, st = self.layer(x, ps, st)
            return self.connection(y, x), st
        states = {}
        y = x
        for name, layer in self.parts(self.connection):
            y, states[name] = layer(
                y if name == "layers" else (y, x),
                entry(ps, name, "parameters"),
                entry(st, name, "states"),
            )
        return y, states
