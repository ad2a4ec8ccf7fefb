"""Networks for images in JAX."""

from collections.abc import Sequence
from typing import Any

import jax

from cpu_suite.jax_models.parts import (
    Function,
    Weights,
    batch_norm,
    conv,
    dense,
    max_pool,
    part,
)


def filtered(w: Weights, number: str, x: Any, stride: int = 1, groups: int = 1) -> Any:
    """Return a convolution that keeps the size, and its norm."""
    pad = w[f"conv{number}.weight"].shape[-1] // 2
    return batch_norm(w, f"norm{number}", conv(w, f"conv{number}", x, stride, pad, groups))


def residual(w: Weights, x: Any, stride: int) -> Any:
    """Return a residual block; the last of its filters has no relu of its own."""
    kept = filtered(w, "0", x, stride) if "conv0.weight" in w else x
    is_wide = "conv3.weight" in w
    x = jax.nn.relu(filtered(w, "1", x, 1 if is_wide else stride))
    x = filtered(w, "2", x, stride if is_wide else 1)
    if is_wide:
        x = filtered(w, "3", jax.nn.relu(x))
    return jax.nn.relu(x + kept)


def resnet(w: Weights, block: str, depths: Sequence[int]) -> Function:
    """Return a residual network."""
    strides = [
        2 if stage and not place else 1
        for stage, depth in enumerate(depths)
        for place in range(depth)
    ]

    def forward(x: Any) -> Any:
        x = max_pool(jax.nn.relu(filtered(w, "", x, 2)), 3, 2, 1)
        for place, stride in enumerate(strides):
            x = residual(part(w, f"blocks.{place}"), x, stride)
        return dense(w, "head.", x.mean((2, 3)))

    return forward


def inverted(w: Weights, x: Any, stride: int) -> Any:
    """Return a block of MobileNetV2."""
    y = jax.nn.relu6(filtered(w, "1", x)) if "conv1.weight" in w else x
    y = jax.nn.relu6(filtered(w, "2", y, stride, y.shape[1]))
    y = filtered(w, "3", y)
    return x + y if stride == 1 and x.shape == y.shape else y


def mobilenet(w: Weights, stages: Sequence[tuple[int, int, int, int]]) -> Function:
    """Return MobileNetV2."""
    strides = [
        1 if place else stride for _, _, depth, stride in stages for place in range(depth)
    ]

    def forward(x: Any) -> Any:
        x = jax.nn.relu6(filtered(w, "", x, 2))
        for place, stride in enumerate(strides):
            x = inverted(part(w, f"blocks.{place}"), x, stride)
        x = jax.nn.relu6(batch_norm(w, "last_norm", conv(w, "last", x)))
        return dense(w, "head.", x.mean((2, 3)))

    return forward


def double(w: Weights, x: Any) -> Any:
    """Return two convolutions with norms."""
    return jax.nn.relu(filtered(w, "2", jax.nn.relu(filtered(w, "1", x))))


def upwards(w: Weights, x: Any) -> Any:
    """Return a transposed convolution whose windows do not overlap."""
    weight = w["weight"]
    size = weight.shape[-1]
    batch, _, height, width = x.shape
    y = jax.numpy.einsum("nchw,cokl->nohkwl", x, weight)
    y = y.reshape(batch, weight.shape[1], height * size, width * size)
    return y + w["bias"][:, None, None]


def unet(w: Weights, width: int, levels: int, classes: int) -> Function:
    """Return a U-Net."""

    def forward(x: Any) -> Any:
        kept = []
        for level in range(levels):
            if level:
                kept.append(x)
                x = max_pool(x, 2, 2)
            x = double(part(w, f"down.{level}"), x)
        for level in range(levels - 1):
            both = [kept.pop(), upwards(part(w, f"up.{level}"), x)]
            x = double(part(w, f"join.{level}"), jax.numpy.concatenate(both, 1))
        return conv(w, "head", x)

    return forward


def digits(w: Weights, width: int) -> Function:
    """Return a very small network for very small images."""

    def forward(x: Any) -> Any:
        x = max_pool(jax.nn.relu(conv(w, "conv", x, 1, 1)), 2, 2)
        return dense(w, "head.", x.reshape(x.shape[0], -1))

    return forward
