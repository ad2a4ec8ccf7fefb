"""Products of operands that lie in blocks of lanes, as vector registers hold them.

They mean what `dot_general` and `conv` mean of the same numbers in plain order, and are no
op of a model: passes bring values into blocks where a machine is faster with them. A block
has `lanes` entries, the size of the last axis. An axis that does not fill its blocks is
followed by entries that the op keeps out of its result (`packed_dot`) or computes like any
other.
"""

from itertools import chain

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.ir.dim import Size
from lxc.ir.op import Op, op
from lxc.ir.ops.contract import (
    Axes,
    conv_arrays,
    conv_size,
    dot_general_arrays,
    factor_type,
    free_axes,
)
from lxc.ir.ops.shape import check_axes, check_count
from lxc.ir.types import Array, DType, Shape, TensorType


@op(kind="reduction")
def packed_dot(
    lhs: TensorType,
    rhs: TensorType,
    *,
    lhs_batch: Axes,
    lhs_contract: Axes,
    columns: int,
) -> TensorType:
    """Return sums of products over the contracted axes, the columns of `rhs` in panels.

    `rhs` is [*batch, panels, *contracted, lanes]: column p * lanes + l is lane l of panel
    p, and lanes behind the last of `columns` are not read. The result's axes are the batch
    axes, then the other axes of `lhs`, then the columns.
    """
    check_axes((*lhs_batch, *lhs_contract), lhs.rank, "lhs axes")
    depth = tuple(lhs.shape[axis] for axis in lhs_contract)
    rank = len(lhs_batch) + len(depth) + 2
    dtype = factor_type(lhs, rhs)
    if rhs.rank != rank or rhs.dtype != dtype:
        raise Mismatch("rhs", f"{dtype} of rank {rank}", rhs, because=f"lhs is {lhs}")
    panel = (*depth, rhs.shape[-1])
    return lhs.with_shape(panel_product(lhs, rhs, lhs_batch, lhs_contract, columns, panel))


@packed_dot.reference
def packed_dot_arrays(
    lhs: Array, rhs: Array, *, lhs_batch: Axes, lhs_contract: Axes, columns: int
) -> Array:
    """Put the panels side by side and multiply."""
    return times_panels(lhs, rhs, lhs_batch, lhs_contract, columns)


@op(kind="reduction")
def blocked_conv(
    x: TensorType,
    weight: TensorType,
    *,
    strides: tuple[int, ...],
    rhs_dilation: tuple[int, ...],
    groups: int,
    plain: bool,
) -> TensorType:
    """Return the cross-correlation [N, O blocks, *cells, lanes] of blocks of channels.

    `x` is [N, C blocks, *spatial, lanes]: channel b * lanes + l is lane l of block b.
    `weight` is [O blocks, C blocks of a group, *taps, lanes in, lanes out]. If `plain`, `x`
    is [N, C, *spatial] and `weight` [O blocks, C, *taps, lanes out], in one group.
    """
    rank = x.rank - (2 if plain else 3)
    check_moves(x, strides, rhs_dilation, rank)
    if weight.rank != rank + (3 if plain else 4) or weight.dtype != x.dtype:
        wanted = f"{x.dtype} of rank {rank + (3 if plain else 4)}"
        raise Mismatch("weight", wanted, weight, because=f"x is {x}")
    if groups < 1 or (plain and groups != 1):
        raise LxcError("LXC-E0103", f"these channels cannot lie in {groups} groups")
    outputs, inputs, taps = weight.shape[0], weight.shape[1], weight.shape[2 : 2 + rank]
    lanes = weight.shape[-1]
    if not isinstance(outputs, int) or outputs % groups:
        raise Mismatch("weight", f"output blocks in {groups} equal groups", weight)
    if not isinstance(lanes, int) or lanes < 1:
        raise Mismatch("weight", "blocks of at least one lane", weight)
    if not plain and weight.shape[-2] != lanes:
        expected = weight.with_shape((*weight.shape[:-2], lanes, lanes))
        raise Mismatch("weight", expected, weight, because="blocks have one size")
    inner: Shape = () if plain else (lanes,)
    channels = inputs * groups
    expected = x.with_shape((x.shape[0], channels, *x.shape[2 : 2 + rank], *inner))
    if x != expected:
        raise Mismatch("x", expected, x, because=f"weight is {weight} in {groups} groups")
    cells = cells_of(x.shape[2 : 2 + rank], taps, strides, rhs_dilation)
    return x.with_shape((x.shape[0], outputs, *cells, lanes))


@blocked_conv.reference
def blocked_conv_arrays(
    x: Array,
    weight: Array,
    *,
    strides: tuple[int, ...],
    rhs_dilation: tuple[int, ...],
    groups: int,
    plain: bool,
) -> Array:
    """Convolve with the channels of all blocks in a row."""
    lanes = weight.shape[-1]
    kernel = unblocked(weight, 0)
    if not plain:
        x, kernel = unblocked(x, 1), unblocked(kernel, 1)
    found = plain_conv(x, kernel, strides, rhs_dilation, groups)
    return blocked(found, lanes)


@op(kind="reduction")
def depthwise_conv(
    x: TensorType,
    weight: TensorType,
    *,
    strides: tuple[int, ...],
    rhs_dilation: tuple[int, ...],
) -> TensorType:
    """Return the cross-correlation of every channel with a kernel of its own.

    `x` is [N, C blocks, *spatial, lanes], `weight` [C blocks, *taps, lanes] and the result
    [N, C blocks, *cells, lanes].
    """
    rank = x.rank - 3
    check_moves(x, strides, rhs_dilation, rank)
    if weight.rank != rank + 2 or weight.dtype != x.dtype:
        wanted = f"{x.dtype} of rank {rank + 2}"
        raise Mismatch("weight", wanted, weight, because=f"x is {x}")
    taps = weight.shape[1:-1]
    expected = weight.with_shape((x.shape[1], *taps, x.shape[-1]))
    if weight != expected:
        raise Mismatch("weight", expected, weight, because=f"x is {x}")
    cells = cells_of(x.shape[2:-1], taps, strides, rhs_dilation)
    return x.with_shape((*x.shape[:2], *cells, x.shape[-1]))


@depthwise_conv.reference
def depthwise_conv_arrays(
    x: Array,
    weight: Array,
    *,
    strides: tuple[int, ...],
    rhs_dilation: tuple[int, ...],
) -> Array:
    """Convolve in as many groups as there are channels."""
    kernel = unblocked(weight, 0)[:, np.newaxis]
    found = plain_conv(unblocked(x, 1), kernel, strides, rhs_dilation, kernel.shape[0])
    return blocked(found, x.shape[-1])


PACKED: frozenset[Op] = frozenset({packed_dot, blocked_conv, depthwise_conv})
"""The ops of this file; the second operand of each is its weight."""


def panel_product(
    lhs: TensorType,
    rhs: TensorType,
    lhs_batch: Axes,
    lhs_contract: Axes,
    columns: int,
    panel: Shape,
    lanes_axis: int = -1,
) -> Shape:
    """Return the shape of a product; refuse what is no `rhs` [*batch, panels, *panel].

    One axis of the panel has its lanes.
    """
    lanes = rhs.shape[lanes_axis]
    if not isinstance(lanes, int) or lanes < 1:
        raise Mismatch("rhs", "panels of at least one lane", rhs)
    if columns < 0:
        raise LxcError("LXC-E0103", f"a product cannot have {columns} columns")
    batch = tuple(lhs.shape[axis] for axis in lhs_batch)
    wanted = rhs.with_shape((*batch, -(-columns // lanes), *panel))
    if rhs != wanted:
        raise Mismatch("rhs", wanted, rhs, because=f"lhs is {lhs}, with {columns} columns")
    rows = (lhs.shape[axis] for axis in free_axes(lhs.rank, lhs_batch, lhs_contract))
    return (*batch, *rows, columns)


def times_panels(
    lhs: Array,
    rhs: Array,
    lhs_batch: Axes,
    lhs_contract: Axes,
    columns: int,
    result: DType | None = None,
) -> Array:
    """Return the product of an array and [*batch, panels, *contracted, lanes]."""
    batches = len(lhs_batch)
    panels, lanes = rhs.shape[batches], rhs.shape[-1]
    turned = np.moveaxis(rhs, batches, -2)
    flat = turned.reshape(*turned.shape[:-2], panels * lanes)[..., :columns]
    product = dot_general_arrays(
        lhs,
        flat,
        lhs_batch=lhs_batch,
        rhs_batch=tuple(range(batches)),
        lhs_contract=lhs_contract,
        rhs_contract=tuple(range(batches, batches + len(lhs_contract))),
        result=result,
    )
    return np.asarray(product)


def check_moves(
    x: TensorType, strides: tuple[int, ...], rhs_dilation: tuple[int, ...], rank: int
) -> None:
    """Refuse an operand without spatial axes and steps that do not fit them."""
    if rank < 1:
        raise Mismatch("x", "at least one spatial axis between channels and lanes", x)
    check_count("strides", len(strides), rank)
    check_count("rhs_dilation", len(rhs_dilation), rank)
    if min(chain(strides, rhs_dilation)) < 1:
        raise LxcError("LXC-E0103", "strides and dilations are at least 1")


def cells_of(
    spatial: Shape, taps: Shape, strides: tuple[int, ...], rhs_dilation: tuple[int, ...]
) -> tuple[Size, ...]:
    """Return the spatial sizes of the result of a convolution without padding."""
    moves = zip(spatial, taps, strides, rhs_dilation, strict=True)
    return tuple(conv_size(n, k, s, (0, 0), 1, d) for n, k, s, d in moves)


def unblocked(x: Array, axis: int) -> Array:
    """Return an array without its last axis, the lanes of the blocks along `axis`."""
    entries = x.shape[axis] * x.shape[-1]
    turned = np.moveaxis(x, -1, axis + 1)
    return turned.reshape(*x.shape[:axis], entries, *x.shape[axis + 1 : -1])


def blocked(x: Array, lanes: int) -> Array:
    """Return an array whose second axis lies in blocks, with the lanes as last axis."""
    blocks = x.shape[1] // lanes
    return np.moveaxis(x.reshape(x.shape[0], blocks, lanes, *x.shape[2:]), 2, -1)


def plain_conv(
    x: Array,
    weight: Array,
    strides: tuple[int, ...],
    rhs_dilation: tuple[int, ...],
    groups: int,
    result: DType | None = None,
) -> Array:
    """Return a convolution of channels in a row, without padding."""
    rank = len(strides)
    found = conv_arrays(
        x,
        weight,
        strides=strides,
        padding=((0, 0),) * rank,
        lhs_dilation=(1,) * rank,
        rhs_dilation=rhs_dilation,
        groups=groups,
        weight_order="oi",
        result=result,
    )
    return np.asarray(found)
