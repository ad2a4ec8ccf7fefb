"""What the JAX models are made of: layers as functions of weights under torch's names."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
from jax import lax
from jax import numpy as jnp

Weights = Mapping[str, Any]
Function = Callable[..., Any]

ACTIVATIONS: dict[str, Function] = {
    "relu": jax.nn.relu,
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "none": lambda x: x,
}
LAYOUTS = {1: ("NCH", "OIH", "NCH"), 2: ("NCHW", "OIHW", "NCHW")}


def dense(w: Weights, name: str, x: Any) -> Any:
    """Return a dense layer of the last axis."""
    y = x @ w[f"{name}weight"].T
    return y + w[f"{name}bias"] if f"{name}bias" in w else y


def conv(
    w: Weights, name: str, x: Any, stride: int = 1, pad: int = 0, groups: int = 1
) -> Any:
    """Return a convolution of [N, C, *spatial]."""
    weight = w[f"{name}.weight"]
    rank = x.ndim - 2
    y = lax.conv_general_dilated(
        x,
        weight,
        (stride,) * rank,
        [(pad, pad)] * rank,
        dimension_numbers=LAYOUTS[rank],
        feature_group_count=groups,
    )
    bias = w.get(f"{name}.bias")
    return y if bias is None else y + bias.reshape(-1, *(1,) * rank)


def batch_norm(w: Weights, name: str, x: Any) -> Any:
    """Return the norm with running statistics of [N, C, H, W]."""
    factor = w[f"{name}.weight"] * lax.rsqrt(w[f"{name}.running_var"] + 1e-5)
    summand = w[f"{name}.bias"] - w[f"{name}.running_mean"] * factor
    return x * factor[:, None, None] + summand[:, None, None]


def layer_norm(w: Weights, name: str, x: Any) -> Any:
    """Return the norm of the last axis."""
    mean = x.mean(-1, keepdims=True)
    var = ((x - mean) ** 2).mean(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(var + 1e-5) * w[f"{name}weight"] + w[f"{name}bias"]


def max_pool(x: Any, window: int, stride: int, pad: int = 0) -> Any:
    """Return the maxima of windows of [N, C, H, W]."""
    pads = [(0, 0), (0, 0), (pad, pad), (pad, pad)]
    sizes, strides = (1, 1, window, window), (1, 1, stride, stride)
    return lax.reduce_window(x, -jnp.inf, lax.max, sizes, strides, pads)


def part(w: Weights, prefix: str) -> Weights:
    """Return the weights below a path."""
    dot = f"{prefix}."
    return {name[len(dot) :]: value for name, value in w.items() if name.startswith(dot)}
