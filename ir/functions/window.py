"""Reductions over sliding windows."""

from collections.abc import Sequence
from math import prod
from typing import Any

from lxc.ir.dim import Size
from lxc.ir.functions.elementwise import divide
from lxc.ir.functions.promotion import as_float, as_operand
from lxc.ir.functions.reduce import summing_type
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


def mean_window(
    x: Any,
    *,
    window: Sequence[int],
    strides: Sequence[int],
    padding: Sequence[tuple[Size, Size]],
) -> Any:
    """Return the sum over windows of the last axes of x divided by the full window size.

    Integers become float64; half types add up and are divided in float32.
    """
    x = as_float(x)
    total = reduce_window(
        summing_type(x), "add", window=window, strides=strides, padding=padding
    )
    return as_operand(divide(total, float(prod(window))), x.dtype)
