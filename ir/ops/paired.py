"""Products of bfloat16 values that lie two and two, as dot instructions read them.

Their sums are float32. They mean what `packed_dot` and `blocked_conv` mean of the same
numbers, but that two neighbours along the summed axis lie side by side in every lane of a
weight: [..., pairs, lanes, 2]. Where there is an odd number of them, a zero follows.
"""

from math import prod

import numpy as np

from lxc.errors import Mismatch
from lxc.ir.op import Op, op
from lxc.ir.ops.contract import Axes
from lxc.ir.ops.packed import (
    blocked,
    cells_of,
    check_moves,
    panel_product,
    plain_conv,
    times_panels,
    unblocked,
)
from lxc.ir.ops.shape import check_axes, check_count
from lxc.ir.types import Array, DType, TensorType, count_elements

PAIR = 2


@op(kind="reduction")
def paired_dot(
    lhs: TensorType,
    rhs: TensorType,
    *,
    lhs_batch: Axes,
    lhs_contract: Axes,
    columns: int,
) -> TensorType:
    """Return float32 sums of products over the contracted axes, with columns in panels.

    `rhs` is [*batch, panels, pairs, lanes, 2]: the contracted axes in a row, two and two.
    Column p * lanes + l is lane l of panel p, and lanes behind the last of `columns` are
    not read. The result's axes are the batch axes, then the other axes of `lhs`, then the
    columns.
    """
    check_pairs(lhs, rhs)
    check_axes((*lhs_batch, *lhs_contract), lhs.rank, "lhs axes")
    check_count("axes of rhs", rhs.rank, len(lhs_batch) + 4)
    terms = count_elements([lhs.shape[axis] for axis in lhs_contract])
    panel = ((terms + 1) // PAIR, rhs.shape[-2], PAIR)
    shape = panel_product(lhs, rhs, lhs_batch, lhs_contract, columns, panel, lanes_axis=-2)
    return TensorType(DType.F32, shape)


@paired_dot.reference
def paired_dot_arrays(
    lhs: Array, rhs: Array, *, lhs_batch: Axes, lhs_contract: Axes, columns: int
) -> Array:
    """Put what is paired in a row, the panels side by side, and multiply."""
    *outer, pairs, lanes, _ = rhs.shape
    depth = [lhs.shape[axis] for axis in lhs_contract]
    single = np.moveaxis(rhs, -1, -2).reshape(*outer, pairs * PAIR, lanes)
    panels = single[..., : prod(depth), :].reshape(*outer, *depth, lanes)
    return times_panels(lhs, panels, lhs_batch, lhs_contract, columns, DType.F32)


@op(kind="reduction")
def paired_conv(
    x: TensorType,
    weight: TensorType,
    *,
    strides: tuple[int, ...],
    rhs_dilation: tuple[int, ...],
    groups: int,
) -> TensorType:
    """Return the float32 cross-correlation [N, O blocks, *cells, lanes] of blocks.

    `x` is [N, C blocks, *spatial, lanes in]: channel b * lanes + l is lane l of block b.
    `weight` is [O blocks, C blocks of a group, *taps, lanes in / 2, lanes out, 2].
    """
    rank = x.rank - 3
    check_pairs(x, weight)
    check_moves(x, strides, rhs_dilation, rank)
    check_count("axes of weight", weight.rank, rank + 5)
    outputs, inputs, taps = weight.shape[0], weight.shape[1], weight.shape[2 : 2 + rank]
    lanes, inner = weight.shape[-2], x.shape[-1]
    if groups < 1 or not isinstance(outputs, int) or outputs % groups:
        raise Mismatch("weight", f"output blocks in {groups} equal groups", weight)
    if not isinstance(inner, int) or inner < PAIR or inner % PAIR:
        raise Mismatch("x", "blocks of an even number of lanes", x)
    expected = weight.with_shape((outputs, inputs, *taps, inner // PAIR, lanes, PAIR))
    if weight != expected:
        raise Mismatch(
            "weight", expected, weight, because=f"blocks of x have {inner} lanes"
        )
    wanted = x.with_shape((x.shape[0], inputs * groups, *x.shape[2 : 2 + rank], inner))
    if x != wanted:
        raise Mismatch("x", wanted, x, because=f"weight is {weight} in {groups} groups")
    cells = cells_of(x.shape[2 : 2 + rank], taps, strides, rhs_dilation)
    return TensorType(DType.F32, (x.shape[0], outputs, *cells, lanes))


@paired_conv.reference
def paired_conv_arrays(
    x: Array,
    weight: Array,
    *,
    strides: tuple[int, ...],
    rhs_dilation: tuple[int, ...],
    groups: int,
) -> Array:
    """Convolve with the channels of all blocks in a row."""
    lanes = weight.shape[-2]
    single = np.moveaxis(weight, -1, -2)
    inner = single.reshape(*weight.shape[:-3], x.shape[-1], lanes)
    kernel = unblocked(unblocked(inner, 0), 1)
    found = plain_conv(unblocked(x, 1), kernel, strides, rhs_dilation, groups, DType.F32)
    return blocked(found, lanes)


PAIRED: frozenset[Op] = frozenset({paired_dot, paired_conv})
"""The ops of this file; the second operand of each is its weight."""


def check_pairs(x: TensorType, weight: TensorType) -> None:
    """Refuse operands that are no bfloat16."""
    for name, kind in (("x", x), ("weight", weight)):
        if kind.dtype is not DType.BF16:
            raise Mismatch(name, kind.with_dtype(DType.BF16), kind)
