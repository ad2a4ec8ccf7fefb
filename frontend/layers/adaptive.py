"""Pooling to an output of a given size."""

from dataclasses import dataclass
from typing import Any

from lxc.errors import LxcError, Mismatch
from lxc.frontend.layer import Layer
from lxc.frontend.layers.pool import check_space, spatial_axes
from lxc.frontend.padding import Numbers, window_sizes
from lxc.ir import functions as ops
from lxc.ir.dim import Size
from lxc.ir.types import shape_text


@dataclass(frozen=True, init=False)
class AdaptiveMaxPool(Layer):
    """Return the maximum over windows of x [N, C, *spatial], `outputs` of them per axis.

    All windows of an axis have one size: with s = floor(size / outputs) they start s cells
    apart and are size - (outputs - 1) * s cells long, without padding. NaN in a window
    gives NaN. The output is [N, C, *outputs].

    Raises LXC-E0101 for outputs below 1; LXC-E0103 for an input of another rank, with fewer
    cells than outputs, or with a spatial size that is known at run time only, which fits no
    output but 1.

    Differs from torch.nn.AdaptiveMaxPool2d, whose windows vary in size unless `outputs`
    divides the size: this is Lux.jl's rule.
    """

    outputs: tuple[int, ...]

    def __init__(self, outputs: Numbers) -> None:
        """Take output sizes in NumPy order: (h, w), (d, h, w)."""
        object.__setattr__(self, "outputs", window_sizes(outputs, "outputs"))

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return [N, C, *outputs]."""
        check_space(x, len(self.outputs), f"outputs are {shape_text(self.outputs)}")
        if set(self.outputs) == {1}:
            return self.whole(x), st
        moves = [
            self.window(*pair, x) for pair in zip(x.shape[2:], self.outputs, strict=True)
        ]
        window, strides = zip(*moves, strict=True)
        return self.pooled(x, window, strides), st

    def window(self, size: Size, outputs: int, x: Any) -> tuple[int, int]:
        """Return the size and the stride of the windows of an axis."""
        if not isinstance(size, int):
            raise LxcError(
                "LXC-E0103",
                "the windows of an adaptive pool follow from a known size",
                expected=f"x: a number of cells for {outputs} windows",
                actual=f"x: {shape_text(x.shape)}",
                hint="fix the size, or pool to 1",
            )
        if size < outputs:
            wanted = f"at least {shape_text(self.outputs)} cells"
            raise Mismatch("x", wanted, shape_text(x.shape), because="each window has one")
        stride = size // outputs
        return size - (outputs - 1) * stride, stride

    def whole(self, x: Any) -> Any:
        """Return the maximum over all of space."""
        return ops.max(x, spatial_axes(x), keepdims=True)

    def pooled(self, x: Any, window: tuple[int, ...], strides: tuple[int, ...]) -> Any:
        """Return the maximum over windows."""
        edges = [(0, 0)] * len(window)
        return ops.reduce_window(x, "max", window=window, strides=strides, padding=edges)


@dataclass(frozen=True, init=False)
class AdaptiveMeanPool(AdaptiveMaxPool):
    """Return the mean over windows of x [N, C, *spatial], `outputs` of them per axis.

    Windows, shapes and errors are those of `AdaptiveMaxPool`; 1..10 to 4 cells gives 2.5,
    4.5, 6.5, 8.5, where torch's windows give 2, 4, 7, 9. Integers give float64; half types
    add up in float32.
    """

    def whole(self, x: Any) -> Any:
        """Return the mean over all of space."""
        return ops.mean(x, spatial_axes(x), keepdims=True)

    def pooled(self, x: Any, window: tuple[int, ...], strides: tuple[int, ...]) -> Any:
        """Return the mean over windows."""
        edges = [(0, 0)] * len(window)
        return ops.mean_window(x, window=window, strides=strides, padding=edges)
