"""Convolutions of values whose channels lie side by side, behind the spatial axes.

They mean what `conv` means of the same numbers, and are no op of a model: a pass brings
values into this order for machines that copy neighbouring channels at once.
"""

import numpy as np

from lxc.errors import Mismatch
from lxc.ir.dim import Size
from lxc.ir.op import op
from lxc.ir.ops.contract import conv, conv_arrays
from lxc.ir.types import Array, DType, Shape, TensorType


@op(kind="reduction")
def channels_last_conv(
    x: TensorType,
    weight: TensorType,
    *,
    strides: tuple[int, ...],
    padding: tuple[tuple[Size, Size], ...],
    rhs_dilation: tuple[int, ...],
    groups: int,
    result: DType | None = None,
    factors: str | None = None,
) -> TensorType:
    """Return the cross-correlation [N, *cells, O] of `x` [N, *spatial, C] with a kernel.

    `weight` is [O, *taps, C/groups]. The rest is as for `conv`.
    """
    if x.rank < 3 or weight.rank != x.rank:
        raise Mismatch("weight", f"{x.dtype} of rank {x.rank}", weight, because=f"x is {x}")
    # Not left to `conv`, whose messages show axes in its own order.
    if x.shape[-1] != weight.shape[-1] * groups and groups > 0:
        expected = x.with_shape((*x.shape[:-1], weight.shape[-1] * groups))
        raise Mismatch("x", expected, x, because=f"weight is {weight} in {groups} groups")
    if groups > 0 and (not isinstance(weight.shape[0], int) or weight.shape[0] % groups):
        raise Mismatch("weight", f"output channels in {groups} equal groups", weight)
    facts = {
        "strides": strides,
        "padding": padding,
        "lhs_dilation": (1,) * len(strides),
        "rhs_dilation": rhs_dilation,
        "groups": groups,
        "result": result,
        "factors": factors,
    }
    operands = tuple(kind.with_shape(channels_first(kind.shape)) for kind in (x, weight))
    (found,) = conv.infer(operands, facts)
    return found.with_shape(channels_last(found.shape))


@channels_last_conv.reference
def channels_last_conv_arrays(
    x: Array,
    weight: Array,
    *,
    strides: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
    rhs_dilation: tuple[int, ...],
    groups: int,
    result: DType | None = None,
    factors: str | None = None,
) -> Array:
    """Convolve with the channels in front of the cells."""
    found = conv_arrays(
        np.moveaxis(x, -1, 1),
        np.moveaxis(weight, -1, 1),
        strides=strides,
        padding=padding,
        lhs_dilation=(1,) * len(strides),
        rhs_dilation=rhs_dilation,
        groups=groups,
        weight_order="oi",
        result=result,
        factors=factors,
    )
    return np.moveaxis(found, 1, -1)


def channels_first(shape: Shape) -> Shape:
    """Return a shape [N, *spatial, C] as [N, C, *spatial]."""
    return (shape[0], shape[-1], *shape[1:-1])


def channels_last(shape: Shape) -> Shape:
    """Return a shape [N, C, *spatial] as [N, *spatial, C]."""
    return (shape[0], *shape[2:], shape[1])
