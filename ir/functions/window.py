"""Reductions over sliding windows."""

from collections.abc import Sequence
from typing import Any

from lxc.ir.dim import Size
from lxc.ir.ops import reduce as ops
from lxc.ir.tensor import apply


def reduce_window(
    x: Any,
    kind: str,
    *,
    window: Sequence[int],
    strides: Sequence[int],
    padding: Sequence[tuple[Size, Size]],
) -> Any:
    """Return `max`, `min`, `add` or `multiply` over windows of the last axes of x.

    `padding` is (before, after) per windowed axis; padded cells never change a result.
    """
    rest = len(x.shape) - len(window)
    return apply(
        ops.reduce_window,
        x,
        kind=kind,
        window=(*(1,) * rest, *window),
        strides=(*(1,) * rest, *strides),
        padding=(*((0, 0),) * rest, *((low, high) for low, high in padding)),
    )
