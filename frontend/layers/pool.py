"""Pooling over windows and over whole images."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

from lxc.errors import LxcError, Mismatch
from lxc.frontend.layer import Layer
from lxc.frontend.padding import Pairs, SamePad, pad_pairs, per_axis
from lxc.ir import functions as ops
from lxc.ir.types import shape_text


@dataclass(frozen=True, init=False)
class MaxPool(Layer):
    """Return the maximum over each window; padded cells never win, NaN in gives NaN out.

    The stride is the window unless given. The output has floor((size + pads - k) / stride)
    + 1 cells per axis. Padding as large as the window is refused: a window could hold no
    cell.
    """

    kind: ClassVar[str] = "max"
    window: tuple[int, ...]
    stride: tuple[int, ...]
    padding: Pairs

    def __init__(
        self,
        window: int | Sequence[int],
        *,
        stride: int | Sequence[int] | None = None,
        pad: int | Sequence[int] | SamePad = 0,
    ) -> None:
        """Take window sizes in NumPy order: (h, w), (d, h, w)."""
        sizes = (window,) if isinstance(window, int) else tuple(window)
        sizes = per_axis(sizes, len(sizes), "window")
        padding = pad_pairs(pad, sizes, (1,) * len(sizes))
        if any(max(pair) >= k for pair, k in zip(padding, sizes, strict=True)):
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
        """Return the maximum over each window."""
        return self.pooled(x), st

    def pooled(self, x: Any) -> Any:
        """Return the reduction over each window."""
        if len(x.shape) != len(self.window) + 2:
            raise Mismatch(
                "x",
                f"rank {len(self.window) + 2}",
                shape_text(x.shape),
                because=f"the window is {shape_text(self.window)}",
            )
        return ops.reduce_window(
            x, self.kind, window=self.window, strides=self.stride, padding=self.padding
        )


@dataclass(frozen=True, init=False)
class MeanPool(MaxPool):
    """Return the sum over each window divided by its full size; padding counts as 0."""

    kind: ClassVar[str] = "add"

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the mean over each window."""
        return ops.divide(self.pooled(x), float(prod(self.window))), st


def spatial_axes(x: Any) -> tuple[int, ...]:
    """Return the axes behind batch and channels, or raise if there are none."""
    if len(x.shape) < 3:
        raise Mismatch(
            "x", "rank 3 or more", shape_text(x.shape), because="it pools over space"
        )
    return tuple(range(2, len(x.shape)))


@dataclass(frozen=True)
class GlobalMaxPool(Layer):
    """Return the maximum over all spatial axes, kept as size 1."""

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return [N, C, 1, ...]."""
        return ops.max(x, spatial_axes(x), keepdims=True), st


@dataclass(frozen=True)
class GlobalMeanPool(Layer):
    """Return the mean over all spatial axes, kept as size 1."""

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return [N, C, 1, ...]."""
        return ops.mean(x, spatial_axes(x), keepdims=True), st
