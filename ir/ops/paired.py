"""Products of bfloat16 values that lie two and two, as dot instructions read them.

Their sums are float32. They mean what `packed_dot` and `blocked_conv` mean of the same
numbers, but that two neighbours along the summed axis lie side by side in every lane of a
weight: [..., pairs, lanes, 2]. Where there is an odd number of them, a zero follows.
"""

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.ir.op import Op, op
from lxc.ir.ops.contract import Axes, dot_general_arrays, free_axes
from lxc.ir.ops.packed import blocked, cells_of, check_moves, plain_conv, unblocked
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
    batch = tuple(lhs.shape[axis] for axis in lhs_batch)
    check_count("axes of rhs", rhs.rank, len(batch) + 4)
    terms = count_elements([lhs.shape[axis] for axis in lhs_contract])
    lanes = rhs.shape[-2]
    if not isinstance(lanes, int) or lanes < 1:
        raise Mismatch("rhs", "panels of at least one lane", rhs)
    if columns < 0:
        raise LxcError("LXC-E0103", f"a product cannot have {columns} columns")
    panels = -(-columns // lanes)
    wanted = rhs.with_shape((*batch, panels, (terms + 1) // PAIR, lanes, PAIR))
    if rhs != wanted:
        raise Mismatch("rhs", wanted, rhs, because=f"lhs is {lhs}, with {columns} columns")
    rows = (lhs.shape[axis] for axis in free_axes(lhs.rank, lhs_batch, lhs_contract))
    return TensorType(DType.F32, (*batch, *rows, columns))


@paired_dot.reference
def paired_dot_arrays(
    lhs: Array, rhs: Array, *, lhs_batch: Axes, lhs_contract: Axes, columns: int
) -> Array:
    """Put the panels side by side and multiply."""
    batches = len(lhs_batch)
    panels, pairs, lanes, _ = rhs.shape[batches:]
    order = (*range(batches), *(batches + axis for axis in (1, 3, 0, 2)))
    flat = rhs.transpose(order).reshape(*rhs.shape[:batches], pairs * PAIR, panels * lanes)
    depth = [lhs.shape[axis] for axis in lhs_contract]
    kept = flat[..., : int(np.prod(depth)), :columns]
    found = dot_general_arrays(
        lhs,
        kept.reshape(*rhs.shape[:batches], *depth, columns),
        lhs_batch=lhs_batch,
        rhs_batch=tuple(range(batches)),
        lhs_contract=lhs_contract,
        rhs_contract=tuple(range(batches, batches + len(depth))),
        result=DType.F32,
    )
    return np.asarray(found)


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

    `x` is [N, C blocks, *spatial, lanes]: channel b * lanes + l is lane l of block b.
    `weight` is [O blocks, C blocks of a group, *taps, lanes in / 2, lanes out, 2].
    """
    rank = x.rank - 3
    check_pairs(x, weight)
    check_moves(x, strides, rhs_dilation, rank)
    check_count("axes of weight", weight.rank, rank + 5)
    outputs, inputs, taps = weight.shape[0], weight.shape[1], weight.shape[2 : 2 + rank]
    lanes = weight.shape[-2]
    if groups < 1 or not isinstance(outputs, int) or outputs % groups:
        raise Mismatch("weight", f"output blocks in {groups} equal groups", weight)
    if not isinstance(lanes, int) or lanes < PAIR or lanes % PAIR:
        raise Mismatch("weight", "blocks of an even number of lanes", weight)
    expected = weight.with_shape((outputs, inputs, *taps, lanes // PAIR, lanes, PAIR))
    if weight != expected:
        raise Mismatch("weight", expected, weight, because="blocks have one size")
    wanted = x.with_shape((x.shape[0], inputs * groups, *x.shape[2 : 2 + rank], lanes))
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
    inner = single.reshape(*weight.shape[:-3], lanes, lanes)
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
