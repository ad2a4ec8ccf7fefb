"""Cells from channels."""

from dataclasses import dataclass
from itertools import chain
from typing import Any

from lxc.errors import Mismatch
from lxc.frontend.layers.basic import WrappedFunction
from lxc.frontend.layers.linear import check_sizes
from lxc.frontend.layers.pool import spatial_axes
from lxc.ir import functions as ops
from lxc.ir.types import shape_text


def PixelShuffle(factor: int) -> WrappedFunction:  # noqa: N802 - Lux's name
    """Return a layer that makes [N, C, H * r, W * r] of [N, C * r**2, H, W], r the factor.

    Channel c * r**2 + i * r + j goes to cell (h * r + i, w * r + j) of channel c, as in
    torch.pixel_shuffle; with D spatial axes r**D channels make one, the last axis changing
    fastest. Any element type is moved as it is.

    Raises LXC-E0101 for a factor below 1; the layer raises LXC-E0103 for an input without
    spatial axes and for channels that r**D does not divide.
    """
    check_sizes(factor=factor)
    return WrappedFunction(Shuffle(int(factor)))


@dataclass(frozen=True)
class Shuffle:
    """Spreads blocks of channels over the cells of space."""

    factor: int

    def __call__(self, x: Any) -> Any:
        """Return [N, C / factor**D, *sizes * factor]."""
        shape, factor, rank = x.shape, self.factor, len(spatial_axes(x))
        block = factor**rank
        if not isinstance(shape[1], int) or shape[1] % block:
            raise Mismatch(
                "x",
                f"channels on axis 1 divisible by {block}",
                shape_text(shape),
                because=f"{factor} cells per axis come from them",
            )
        channels = shape[1] // block
        apart = ops.reshape(x, (shape[0], channels, *(factor,) * rank, *shape[2:]))
        pairs = [(2 + rank + axis, 2 + axis) for axis in range(rank)]
        cells = ops.transpose(apart, (0, 1, *chain.from_iterable(pairs)))
        sizes = [entry * factor for entry in shape[2:]]
        return ops.reshape(cells, (shape[0], channels, *sizes))
