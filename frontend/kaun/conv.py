"""Convolution over images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.errors import Mismatch
from lxc.frontend.kaun.context import Context
from lxc.frontend.kaun.initializers import glorot_uniform, zeros
from lxc.frontend.kaun.layer import Layer, layer_of
from lxc.frontend.kaun.vars import Vars, check_dtype
from lxc.frontend.layers.linear import check_sizes
from lxc.frontend.padding import per_axis
from lxc.ir import functions as ops
from lxc.ir.types import shape_text


def conv2d(
    in_channels: int, out_channels: int, kernel_size: int | Sequence[int] = (3, 3)
) -> Layer:
    """Return a layer that cross-correlates images [B, C, H, W] and adds a bias.

    The kernel is not flipped. The output has the size of the input: zeros are added around
    it, for an even kernel one more at the bottom and at the right.
    """
    check_sizes(in_channels=in_channels, out_channels=out_channels)
    taps = per_axis(kernel_size, 2, "kernel_size")
    return layer_of(Conv2d(in_channels, out_channels, taps), "conv2d")


@dataclass(frozen=True)
class Conv2d:
    """Sizes."""

    in_channels: int
    out_channels: int
    kernel_size: tuple[int, ...]

    def init(self, dtype: np.dtype[Any], rng: np.random.Generator) -> Vars:
        """Return weight [out, in, kh, kw] and bias."""
        shape = (self.out_channels, self.in_channels, *self.kernel_size)
        params = {
            "weight": glorot_uniform(in_axis=1, out_axis=0)(rng, shape, dtype),
            "bias": zeros(rng, (self.out_channels,), dtype),
        }
        return Vars(params, [], dtype)

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
        """Return the cross-correlation plus bias."""
        check_dtype(x, dtype)
        if len(x.shape) != 4 or x.shape[1] != self.in_channels:
            expected = f"[B, {self.in_channels}, H, W]"
            raise Mismatch("x", expected, shape_text(x.shape))
        y = ops.conv(
            x,
            params["weight"],
            strides=(1, 1),
            padding=[((k - 1) // 2, k // 2) for k in self.kernel_size],
        )
        return ops.add(y, ops.reshape(params["bias"], (self.out_channels, 1, 1))), state
