"""Convolution over sequences and images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.frontend.kaun.context import Context
from lxc.frontend.kaun.even_padding import even_pads
from lxc.frontend.kaun.initializers import glorot_uniform, zeros
from lxc.frontend.kaun.layer import Layer, layer_of
from lxc.frontend.kaun.vars import Vars, check_dtype, fields
from lxc.frontend.layers.linear import check_sizes
from lxc.frontend.padding import per_axis
from lxc.ir import functions as ops
from lxc.ir.dim import Size
from lxc.ir.types import shape_text

Padding = Literal["same", "valid", "causal"]


def conv1d(
    in_channels: int,
    out_channels: int,
    kernel_size: int = 3,
    stride: int = 1,
    dilation: int = 1,
    padding: Padding = "same",
) -> Layer:
    """Return a layer that cross-correlates sequences [B, C, L] and adds a bias.

    `weight` is [out, in, k] and is not flipped (`nn.Conv` flips). With padding "same" the
    output has ceil(L / stride) cells; of the zeros around the input an odd one goes to the
    end, where `nn.SamePad` puts it in front. "valid" adds none, and "causal" adds
    dilation * (k - 1) in front, so that no cell sees a later one.
    """
    check_sizes(in_channels=in_channels, out_channels=out_channels)
    if padding not in ("same", "valid", "causal"):
        raise LxcError(
            "LXC-E0101",
            f"there is no padding {padding!r}",
            expected="padding: same, valid or causal",
        )
    steps = (per_axis(stride, 1, "stride"), per_axis(dilation, 1, "dilation"))
    taps = per_axis(kernel_size, 1, "kernel_size")
    made = Convolution(in_channels, out_channels, taps, *steps, padding)
    return layer_of(made, "conv1d")


def conv2d(
    in_channels: int, out_channels: int, kernel_size: int | Sequence[int] = (3, 3)
) -> Layer:
    """Return a layer that cross-correlates images [B, C, H, W] and adds a bias.

    The kernel is not flipped. The output has the size of the input: zeros are added around
    it, for an even kernel one more at the bottom and at the right.
    """
    check_sizes(in_channels=in_channels, out_channels=out_channels)
    taps = per_axis(kernel_size, 2, "kernel_size")
    made = Convolution(in_channels, out_channels, taps, (1, 1), (1, 1), "same")
    return layer_of(made, "conv2d")


@dataclass(frozen=True)
class Convolution:
    """Sizes, with one number per spatial axis."""

    in_channels: int
    out_channels: int
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: Padding

    def init(self, dtype: np.dtype[Any], rng: np.random.Generator) -> Vars:
        """Return weight [out, in, *taps] and bias."""
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
        axes = "HW" if len(self.kernel_size) == 2 else "L"
        if len(x.shape) != 2 + len(axes) or x.shape[1] != self.in_channels:
            expected = shape_text(["B", self.in_channels, *axes])
            raise Mismatch("x", expected, shape_text(x.shape))
        own = fields(params, dtype, "weight", "bias", what="parameters")
        y = ops.conv(
            x,
            own["weight"],
            strides=self.stride,
            padding=self.pads(x.shape[2:]),
            rhs_dilation=self.dilation,
        )
        column = (self.out_channels, *(1,) * len(axes))
        return ops.add(y, ops.reshape(own["bias"], column)), state

    def pads(self, sizes: Sequence[Size]) -> list[tuple[Size, Size]]:
        """Return the zeros before and after each axis of an input of these sizes."""
        found: list[tuple[Size, Size]] = []
        for size, taps, stride, dilation in zip(
            sizes, self.kernel_size, self.stride, self.dilation, strict=True
        ):
            reach = dilation * (taps - 1) + 1
            if self.padding == "same":
                found.append(even_pads(size, reach, stride))
            else:
                found.append((reach - 1 if self.padding == "causal" else 0, 0))
        return found
