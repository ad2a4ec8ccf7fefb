"""Pooling over windows and over whole images."""

from dataclasses import dataclass
from typing import Any, ClassVar

from lxc.errors import LxcError, Mismatch
from lxc.frontend.layer import Layer
from lxc.frontend.padding import Numbers, Pairs, SamePad, pad_pairs, per_axis, window_sizes
from lxc.ir import functions as ops
from lxc.ir.types import shape_text


def check_space(x: Any, rank: int, option: str) -> None:
    """Refuse an input with other than `rank` axes behind batch and channels."""
    if len(x.shape) != rank + 2:
        raise Mismatch(
            "x", f"rank {rank + 2}", shape_text(x.shape), because=f"the {option}"
        )


@dataclass(frozen=True, init=False)
class MaxPool(Layer):
    """Return the maximum over each window of x [N, C, *spatial].

    The window has one size per spatial axis, any number of them. The stride is the window
    unless given. `pad` is a number, one per axis, (before, after) pairs per axis, or
    `SamePad()`. The output has floor((size + pads - k) / stride) + 1 cells per axis, and
    the element type of x. Padded cells never win.

    Raises LXC-E0101 for options that do not fit, and for padding as large as the window,
    which could leave a window without a cell; LXC-E0103 for an input of another rank or
    smaller than a window.

    Differs from Lux.jl, where NaN is passed over: NaN in a window gives NaN, so that it
    does not go unseen. Where all of a window is padding, Lux.jl gives the lowest float.
    """

    window: tuple[int, ...]
    stride: tuple[int, ...]
    padding: Pairs
    padding_reaches: ClassVar[bool] = False

    def __init__(
        self,
        window: Numbers,
        *,
        stride: Numbers | None = None,
        pad: Numbers | SamePad = 0,
    ) -> None:
        """Take window sizes in NumPy order: (h, w), (d, h, w)."""
        sizes = window_sizes(window, "window")
        padding = pad_pairs(pad, sizes, (1,) * len(sizes))
        if not self.padding_reaches and any(
            max(pair) >= k for pair, k in zip(padding, sizes, strict=True)
        ):
            raise LxcError(
                "LXC-E0101",
                "padding reaches past a whole window",
                expected=f"pad: below the window {shape_text(sizes)}",
                actual=f"pad: {shape_text(padding)}",
            )
        steps = sizes if stride is None else per_axis(stride, len(sizes), "stride")
        object.__setattr__(self, "window", sizes)
        object.__setattr__(self, "stride", steps)
        object.__setattr__(self, "padding", padding)

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the reduction over each window."""
        check_space(x, len(self.window), f"window is {shape_text(self.window)}")
        return self.pooled(x), st

    def pooled(self, x: Any) -> Any:
        """Return the maximum over each window."""
        return ops.reduce_window(
            x, "max", window=self.window, strides=self.stride, padding=self.padding
        )


@dataclass(frozen=True, init=False)
class MeanPool(MaxPool):
    """Return the sum over each window of x [N, C, *spatial] divided by its full size.

    Padding counts as 0, at the borders, too: torch calls that count_include_pad. Options,
    shapes and errors are those of `MaxPool`, but a window may lie in padding alone: its
    mean is 0. Integers give float64; half types add up in float32.
    """

    padding_reaches: ClassVar[bool] = True

    def pooled(self, x: Any) -> Any:
        """Return the mean over each window."""
        return ops.mean_window(
            x, window=self.window, strides=self.stride, padding=self.padding
        )


def spatial_axes(x: Any) -> tuple[int, ...]:
    """Return the axes behind batch and channels, or raise if there are none."""
    if len(x.shape) < 3:
        raise Mismatch(
            "x", "rank 3 or more", shape_text(x.shape), because="it works on space"
        )
    return tuple(range(2, len(x.shape)))


@dataclass(frozen=True)
class GlobalMaxPool(Layer):
    """Return the maximum over all spatial axes of x [N, C, *spatial]: [N, C, 1, ...].

    NaN gives NaN. Raises LXC-E0103 for an input without spatial axes.
    """

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return [N, C, 1, ...]."""
        return ops.max(x, spatial_axes(x), keepdims=True), st


@dataclass(frozen=True)
class GlobalMeanPool(Layer):
    """Return the mean over all spatial axes of x [N, C, *spatial]: [N, C, 1, ...].

    Integers give float64. Raises LXC-E0103 for an input without spatial axes.
    """

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return [N, C, 1, ...]."""
        return ops.mean(x, spatial_axes(x), keepdims=True), st
