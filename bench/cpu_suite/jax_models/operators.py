"""Single operators and small feed-forward models in JAX."""

from collections.abc import Sequence
from typing import Any

import jax

from cpu_suite.jax_models import parts
from cpu_suite.jax_models.parts import ACTIVATIONS, Function, Weights


def dense(w: Weights, **sizes: int) -> Function:
    """Return one dense layer."""
    return lambda x: parts.dense(w, "", x)


def convolution(
    w: Weights,
    stride: int = 1,
    pad: int = 0,
    groups: int = 1,
    activation: str = "none",
    **sizes: int,
) -> Function:
    """Return one convolution."""
    act = ACTIVATIONS[activation]
    return lambda x: act(parts.conv(w, "conv", x, stride, pad, groups))


def perceptron(
    w: Weights, sizes: Sequence[int], activation: str = "relu", last: str = "none"
) -> Function:
    """Return dense layers in a row."""
    names = [activation] * (len(sizes) - 2) + [last]

    def forward(x: Any) -> Any:
        for place, name in enumerate(names):
            x = ACTIVATIONS[name](parts.dense(w, f"dense.{place}.", x))
        return x

    return forward


def elementwise(w: Weights, function: str) -> Function:
    """Return a function of every element."""
    return ACTIVATIONS[function]


def softmax(w: Weights) -> Function:
    """Return the softmax of the last axis."""
    return lambda x: jax.nn.softmax(x, -1)


def layer_norm(w: Weights, normalized_shape: int) -> Function:
    """Return the norm of the last axis."""
    return lambda x: parts.layer_norm(w, "", x)


def affine(w: Weights, features: int) -> Function:
    """Return a factor and a summand for each feature."""
    return lambda x: x * w["weight"] + w["bias"]


def max_pool(w: Weights, kernel_size: int) -> Function:
    """Return the maxima of windows."""
    return lambda x: parts.max_pool(x, kernel_size, kernel_size)


def mean_embedding(w: Weights, **sizes: int) -> Function:
    """Return the mean of the rows of a table."""
    return lambda ids: w["embedding.weight"][ids].mean(1)


def residual(w: Weights, **sizes: int) -> Function:
    """Return a skip around two dense layers, and a norm behind it."""

    def forward(x: Any) -> Any:
        y = parts.dense(w, "down.", jax.nn.relu(parts.dense(w, "up.", x)))
        return parts.layer_norm(w, "norm.", x + y)

    return forward
