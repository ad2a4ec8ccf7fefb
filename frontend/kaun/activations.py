"""Layers without variables that apply one function to their input."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.frontend import activations
from lxc.frontend.kaun.context import Context
from lxc.frontend.kaun.layer import Layer, layer_of
from lxc.frontend.kaun.vars import Vars, check_dtype


@dataclass(frozen=True)
class Function:
    """A function of one float tensor."""

    function: Callable[[Any], Any]

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
        """Return the function of x."""
        check_dtype(x, dtype)
        return self.function(x), state


def relu() -> Layer:
    """Return a layer that computes max(0, x); NaN stays NaN."""
    return layer_of(Function(activations.relu), "relu")


def gelu() -> Layer:
    """Return a layer that computes 0.5 x (1 + erf(x / sqrt(2))), the exact form."""
    return layer_of(Function(activations.gelu_erf), "gelu")


def silu() -> Layer:
    """Return a layer that computes x * sigmoid(x)."""
    return layer_of(Function(activations.swish), "silu")


def tanh() -> Layer:
    """Return a layer that computes the hyperbolic tangent."""
    return layer_of(Function(activations.tanh), "tanh")


def sigmoid() -> Layer:
    """Return a layer that computes 1 / (1 + exp(-x))."""
    return layer_of(Function(activations.sigmoid), "sigmoid")
