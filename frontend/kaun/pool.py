"""Pooling over images, and flattening."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lxc.errors import LxcError, Mismatch
from lxc.frontend.kaun.activations import Function
from lxc.frontend.kaun.layer import Layer, layer_of
from lxc.frontend.padding import per_axis
from lxc.ir import functions as ops
from lxc.ir.types import count_elements, shape_text

Window = int | Sequence[int]
NO_PADS = ((0, 0), (0, 0))


def max_pool2d(kernel_size: Window, stride: Window | None = None) -> Layer:
    """Return a layer that takes the maximum over windows of images [B, C, H, W].

    The stride is the window unless given. Only whole windows count; NaN in gives NaN out.
    """
    return layer_of(Function(pool("max", kernel_size, stride)), "max_pool2d")


def avg_pool2d(kernel_size: Window, stride: Window | None = None) -> Layer:
    """Return a layer that takes the mean over windows of images [B, C, H, W].

    The stride is the window unless given. Only whole windows count; half types add up in
    float32.
    """
    return layer_of(Function(pool("mean", kernel_size, stride)), "avg_pool2d")


def flatten() -> Layer:
    """Return a layer that keeps the batch axis and joins all others: [B] becomes [B, 1]."""
    return layer_of(Function(flattened), "flatten")


def pool(
    kind: Literal["max", "mean"], kernel_size: Window, stride: Window | None
) -> "Pool":
    """Return the pooling function with one number per axis."""
    window = per_axis(kernel_size, 2, "kernel_size")
    return Pool(kind, window, window if stride is None else per_axis(stride, 2, "stride"))


@dataclass(frozen=True)
class Pool:
    """A reduction over the whole windows of images."""

    kind: Literal["max", "mean"]
    window: tuple[int, ...]
    stride: tuple[int, ...]

    def __call__(self, x: Any) -> Any:
        """Return [B, C, rows, columns]."""
        if len(x.shape) != 4:
            raise Mismatch("x", "[B, C, H, W]", shape_text(x.shape))
        places: dict[str, Any] = {
            "window": self.window,
            "strides": self.stride,
            "padding": NO_PADS,
        }
        if self.kind == "max":
            return ops.reduce_window(x, "max", **places)
        return ops.mean_window(x, **places)


def flattened(x: Any) -> Any:
    """Return x with one axis behind the batch axis."""
    if not x.shape:
        raise LxcError("LXC-E0103", "there is no batch axis to keep", actual="rank 0")
    return ops.reshape(x, (x.shape[0], count_elements(x.shape[1:])))
