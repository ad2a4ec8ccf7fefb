"""Products summed over shared axes: the ops that most of a network's time goes into.

Half types accumulate in float32 and round once at the end, or not at all where the result
is to be float32. The second factor of a product of float32 matrices may have 8-bit
integers, which are exact in float32.
"""

from itertools import product
from typing import Any

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.ir.dim import Size, bounds
from lxc.ir.op import op
from lxc.ir.ops.half import HALF, accumulator
from lxc.ir.ops.shape import check_axes, check_count, check_padding, spread_size
from lxc.ir.ops.tf32 import rounded_to_tf32
from lxc.ir.types import Array, DType, Shape, TensorType

Axes = tuple[int, ...]


def free_axes(rank: int, *taken: Axes) -> Axes:
    """Return the axes that are in none of `taken`."""
    return tuple(axis for axis in range(rank) if not any(axis in axes for axes in taken))


def factor_type(lhs: TensorType, rhs: TensorType) -> DType:
    """Return the element type that the second factor of a product of matrices must have."""
    integers = lhs.dtype is DType.F32 and rhs.dtype is DType.I8
    return DType.I8 if integers else lhs.dtype


def check_result(x: TensorType, result: DType | None) -> DType:
    """Return the element type of a product; sums of half types may stay in float32."""
    if result in (None, x.dtype):
        return x.dtype
    if result is DType.F32 and x.dtype in (DType.F16, DType.BF16):
        return result
    raise LxcError(
        "LXC-E0103",
        f"products of {x.dtype} have no results in {result}",
        expected=f"{x.dtype}, or f32 for half types",
        actual=str(result),
    )


def kept(total: Array, x: Array, result: DType | None) -> Array:
    """Return sums in the type of `x`, or as they are if those of half types are to stay."""
    stays = result is DType.F32 and x.dtype.name in HALF
    return total if stays else total.astype(x.dtype)


def check_factors(x: TensorType, y: TensorType, factors: str | None) -> None:
    """Refuse a way to read factors that there is not; only float32 is rounded to TF32."""
    if factors is None or (factors == "tf32" and {x.dtype, y.dtype} == {DType.F32}):
        return
    raise LxcError(
        "LXC-E0103",
        f"factors of {x.dtype} and {y.dtype} are not read as {factors!r}",
        expected='none, or "tf32" for f32',
    )


def read_as(x: Array, factors: str | None) -> Array:
    """Return a factor as a product reads it."""
    return rounded_to_tf32(x) if factors == "tf32" else x


@op(kind="reduction")
def dot_general(
    lhs: TensorType,
    rhs: TensorType,
    *,
    lhs_batch: Axes,
    rhs_batch: Axes,
    lhs_contract: Axes,
    rhs_contract: Axes,
    result: DType | None = None,
    factors: str | None = None,
) -> TensorType:
    """Return sums of products over the contracted axes, for every batch index.

    The result's axes are the batch axes, then the other axes of `lhs`, then those of `rhs`.
    Its elements are those of `lhs`, unless `result` is another type. Where `factors` are
    "tf32", they are rounded to that first.
    """
    check_factors(lhs, rhs, factors)
    check_axes((*lhs_batch, *lhs_contract), lhs.rank, "lhs axes")
    check_axes((*rhs_batch, *rhs_contract), rhs.rank, "rhs axes")
    check_count("rhs_batch", len(rhs_batch), len(lhs_batch))
    check_count("rhs_contract", len(rhs_contract), len(lhs_contract))
    wanted = list(rhs.shape)
    for left, right in zip(
        (*lhs_batch, *lhs_contract), (*rhs_batch, *rhs_contract), strict=True
    ):
        wanted[right] = lhs.shape[left]
    expected = rhs.with_shape(tuple(wanted)).with_dtype(factor_type(lhs, rhs))
    if rhs != expected:
        raise Mismatch("rhs", expected, rhs, because=f"lhs is {lhs}")
    return TensorType(
        check_result(lhs, result),
        (
            *(lhs.shape[axis] for axis in lhs_batch),
            *(lhs.shape[axis] for axis in free_axes(lhs.rank, lhs_batch, lhs_contract)),
            *(rhs.shape[axis] for axis in free_axes(rhs.rank, rhs_batch, rhs_contract)),
        ),
    )


@dot_general.reference
def dot_general_arrays(
    lhs: Array,
    rhs: Array,
    *,
    lhs_batch: Axes,
    rhs_batch: Axes,
    lhs_contract: Axes,
    rhs_contract: Axes,
    result: DType | None = None,
    factors: str | None = None,
) -> Array:
    """Multiply as matrices, batch by batch."""
    lhs, rhs = read_as(lhs, factors), read_as(rhs, factors)
    rows = free_axes(lhs.ndim, lhs_batch, lhs_contract)
    columns = free_axes(rhs.ndim, rhs_batch, rhs_contract)
    batch_shape = [lhs.shape[axis] for axis in lhs_batch]
    row_shape = [lhs.shape[axis] for axis in rows]
    column_shape = [rhs.shape[axis] for axis in columns]
    depth = [lhs.shape[axis] for axis in lhs_contract]
    left = accumulator(lhs).transpose(*lhs_batch, *rows, *lhs_contract)
    right = accumulator(rhs).transpose(*rhs_batch, *rhs_contract, *columns)
    sizes = [int(np.prod(part)) for part in (batch_shape, row_shape, depth, column_shape)]
    total = np.matmul(
        left.reshape(sizes[0], sizes[1], sizes[2]),
        right.reshape(sizes[0], sizes[2], sizes[3]),
    )
    shape = (*batch_shape, *row_shape, *column_shape)
    return kept(np.asarray(total.reshape(shape)), lhs, result)


@op(kind="reduction")
def conv(
    x: TensorType,
    weight: TensorType,
    *,
    strides: tuple[int, ...],
    padding: tuple[tuple[Size, Size], ...],
    lhs_dilation: tuple[int, ...],
    rhs_dilation: tuple[int, ...],
    groups: int,
    weight_order: str = "oi",
    result: DType | None = None,
    factors: str | None = None,
) -> TensorType:
    """Return the cross-correlation of `x` [N, C, *spatial] with a kernel.

    `weight_order` "oi" means `weight` is [O, C/groups, *taps], "io" means [*taps, C/groups,
    O].

    `padding` is (before, after) per spatial axis. `lhs_dilation` puts zeros between the
    cells of `x`, `rhs_dilation` between the taps of `weight`. Output channels come in
    `groups` equal blocks; block q reads the q-th block of input channels. The elements of
    the result are those of `x`, unless `result` is another type. Where `factors` are
    "tf32", they are rounded to that first.
    """
    check_factors(x, weight, factors)
    rank = x.rank - 2
    if rank < 1 or weight.rank != x.rank or weight.dtype != x.dtype:
        raise Mismatch("weight", f"{x.dtype} of rank {x.rank}", weight, because=f"x is {x}")
    for name, entries in (
        ("strides", strides),
        ("padding", padding),
        ("lhs_dilation", lhs_dilation),
        ("rhs_dilation", rhs_dilation),
    ):
        check_count(name, len(entries), rank)
    if min((groups, *strides, *lhs_dilation, *rhs_dilation)) < 1:
        raise LxcError("LXC-E0103", "strides, dilations and groups are at least 1")
    for pair in padding:
        check_padding("padding", pair)
    outputs, inputs, taps = kernel_sizes(weight.shape, weight_order)
    if x.shape[1] != inputs * groups:
        expected = x.with_shape((x.shape[0], inputs * groups, *x.shape[2:]))
        raise Mismatch("x", expected, x, because=f"weight is {weight} in {groups} groups")
    if not isinstance(outputs, int) or outputs % groups:
        raise Mismatch("weight", f"output channels in {groups} equal groups", weight)
    cells = map(conv_size, x.shape[2:], taps, strides, padding, lhs_dilation, rhs_dilation)
    return TensorType(check_result(x, result), (x.shape[0], outputs, *cells))


def kernel_sizes(shape: Shape, weight_order: str) -> tuple[Size, Size, Shape]:
    """Return output channels, input channels per group and taps of a kernel."""
    if weight_order == "io":
        return shape[-1], shape[-2], shape[:-2]
    return shape[0], shape[1], shape[2:]


def conv_size(
    entry: Size,
    taps: Size,
    stride: int,
    pads: tuple[Size, Size],
    spread: int,
    dilation: int,
) -> Size:
    """Return floor((spread cells + pads - reach of taps) / stride) + 1, or raise."""
    cells = spread_size(entry, spread) + pads[0] + pads[1]
    reach = (taps - 1) * dilation + 1
    if bounds(cells - reach)[0] < 0:
        raise LxcError(
            "LXC-E0103",
            "the kernel is larger than the padded input",
            expected=f"at most {cells} cells along the axis",
            actual=f"{reach} cells, {taps} taps with dilation {dilation}",
        )
    return (cells - reach) // stride + 1


@conv.reference
def conv_arrays(
    x: Array,
    weight: Array,
    *,
    strides: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
    lhs_dilation: tuple[int, ...],
    rhs_dilation: tuple[int, ...],
    groups: int,
    weight_order: str,
    result: DType | None = None,
    factors: str | None = None,
) -> Array:
    """Add one shifted product of matrices per tap of the kernel."""
    x, weight = read_as(x, factors), read_as(weight, factors)
    if weight_order == "io":
        weight = np.moveaxis(weight, (-1, -2), (0, 1))
    spread = spread_cells(accumulator(x), lhs_dilation, padding)
    taps = weight.shape[2:]
    outputs = [
        (entry - (k - 1) * d - 1) // s + 1
        for entry, k, d, s in zip(
            spread.shape[2:], taps, rhs_dilation, strides, strict=True
        )
    ]
    blocks = accumulator(weight).reshape(
        groups, weight.shape[0] // groups, *weight.shape[1:]
    )
    total = np.zeros(
        (x.shape[0], groups, blocks.shape[1], int(np.prod(outputs))), spread.dtype
    )
    for tap in product(*map(range, taps)):
        window = tuple(
            np.s_[t * d : t * d + (o - 1) * s + 1 : s]
            for t, d, o, s in zip(tap, rhs_dilation, outputs, strides, strict=True)
        )
        cells = spread[(slice(None), slice(None), *window)]
        cells = cells.reshape(x.shape[0], groups, weight.shape[1], total.shape[-1])
        at: tuple[Any, ...] = (..., *tap)
        total += np.matmul(blocks[at], cells)
    return kept(total.reshape(x.shape[0], weight.shape[0], *outputs), x, result)


def spread_cells(
    x: Array, dilation: tuple[int, ...], padding: tuple[tuple[int, int], ...]
) -> Array:
    """Return `x` with zeros between its spatial cells and around them."""
    sizes = [max(0, (n - 1) * d + 1) for n, d in zip(x.shape[2:], dilation, strict=True)]
    shape = [n + a + b for n, (a, b) in zip(sizes, padding, strict=True)]
    result = np.zeros((*x.shape[:2], *shape), x.dtype)
    window = tuple(
        np.s_[a : a + n : d] for (a, _), n, d in zip(padding, sizes, dilation, strict=True)
    )
    result[(slice(None), slice(None), *window)] = x
    return result
