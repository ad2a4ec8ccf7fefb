"""Convolutions of 3 by 3 taps by Winograd's minimal filtering, on blocks of channels.

The result is computed in tiles of `tile` by `tile` cells. The tile + 2 by tile + 2 cells
that a tile reads are the values of polynomials, and so is the kernel; a product of
polynomials takes one multiplication per point at which both are known. The points are 0,
infinity, and pairs (p, -p): with `POINTS`, which are exact in every float type, the three
linear transforms have small numbers, and errors are a half to a fifth of those that the
more common points 1 and 2 give.
"""

from fractions import Fraction

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.ir.dim import Size, bounds
from lxc.ir.minimal_filtering import (
    ZERO,
    Rows,
    input_rows,
    number_array,
    output_rows,
    weight_rows,
)
from lxc.ir.op import op
from lxc.ir.ops.packed import blocked, unblocked
from lxc.ir.types import Array, DType, TensorType

TAPS = 3
POINTS = {2: (Fraction(1),), 4: (Fraction(5, 8), Fraction(3, 2))}
"""For every size of tile, the positive point of each pair."""


@op(kind="reduction")
def winograd_conv(
    x: TensorType,
    weight: TensorType,
    cells: TensorType,
    sums: TensorType,
    *,
    tile: int,
    block: int,
) -> TensorType:
    """Return the cross-correlation with 3 by 3 taps: [N, O blocks, H - 2, W - 2, lanes].

    `x` is [N, C blocks, H, W, lanes] as `blocked_conv` has it. `weight` is the kernel after
    its transform, [(tile + 2)**2, O blocks, C, lanes]. `cells` and `sums` are scratch
    memory, with a row per point for what `block` tiles are transformed to and multiplied
    to.
    """
    if tile not in POINTS:
        raise LxcError(
            "LXC-E0103",
            "there is no transform for this size of tile",
            expected=f"tile: one of {', '.join(map(str, POINTS))}",
            actual=f"tile: {tile}",
        )
    if x.rank != 5 or x.dtype not in (DType.F32, DType.F64):
        raise Mismatch("x", "f32 or f64, blocks of channels with two spatial axes", x)
    points, channels, lanes = (tile + 2) ** 2, x.shape[1] * x.shape[4], x.shape[4]
    wanted = x.with_shape((points, *weight.shape[1:2], channels, lanes))
    if weight != wanted:
        raise Mismatch("weight", wanted, weight, because=f"x is {x}")
    if min(bounds(entry)[0] for entry in x.shape[2:4]) < TAPS:
        raise Mismatch("x", "at least 3 cells along each axis", x)
    if block < 1:
        raise LxcError("LXC-E0103", f"a block cannot have {block} tiles")
    for name, found, blocks in (
        ("cells", cells, x.shape[1]),
        ("sums", sums, weight.shape[1]),
    ):
        least = blocks * block * lanes
        check_memory(name, found, x, points, least)
    return x.with_shape(
        (x.shape[0], weight.shape[1], *(n - 2 for n in x.shape[2:4]), lanes)
    )


def check_memory(
    name: str, found: TensorType, x: TensorType, points: int, least: Size
) -> None:
    """Refuse scratch memory that is not a row of at least some elements per point."""
    fits = found.rank == 2 and found.dtype == x.dtype and found.shape[0] == points
    if not fits or bounds(found.shape[1] - least)[0] < 0:
        wanted = f"{x.dtype}[{points}, {least}] or with longer rows"
        raise Mismatch(name, wanted, found, because=f"x is {x}")


@winograd_conv.reference
def winograd_conv_arrays(
    x: Array, weight: Array, cells: Array, sums: Array, *, tile: int, block: int
) -> Array:
    """Transform all tiles, multiply point by point, transform back: in the type of `x`."""
    size, lanes = tile + 2, x.shape[-1]
    plain = unblocked(x, 1)
    shape = [entry - 2 for entry in plain.shape[2:]]
    down, across = (-(-entry // tile) for entry in shape)
    edges = [(0, count * tile - n) for count, n in zip((down, across), shape, strict=True)]
    padded = np.pad(plain, [(0, 0), (0, 0), *edges])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), (2, 3))
    seen = windows[:, :, ::tile, ::tile]
    turn = number_array(input_matrix(tile), plain.dtype)
    back = number_array(output_matrix(tile), plain.dtype)
    spread = np.einsum("ay,ncijyx,bx->abnijc", turn, seen, turn, optimize=True)
    kernel = np.moveaxis(weight, 1, 2).reshape(size, size, plain.shape[1], -1)
    rows = spread.reshape(size, size, -1, plain.shape[1])
    found = np.einsum(
        "ya,abto,xb->toyx", back, np.matmul(rows, kernel), back, optimize=True
    )
    outputs = kernel.shape[-1]
    found = found.reshape(x.shape[0], down, across, outputs, tile, tile)
    joined = found.transpose(0, 3, 1, 4, 2, 5).reshape(
        x.shape[0], outputs, down * tile, across * tile
    )
    return blocked(joined[:, :, : shape[0], : shape[1]], lanes)


def finite_points(tile: int) -> list[Fraction]:
    """Return the points of a transform in order, but the last, which is infinity."""
    pairs = [sign * point for point in POINTS[tile] for sign in (1, -1)]
    return [ZERO, *pairs]


def input_matrix(tile: int) -> Rows:
    """Return the transform of the cells that a tile reads along one axis."""
    return input_rows(finite_points(tile))


def weight_matrix(tile: int) -> Rows:
    """Return the transform of the taps along one axis, one row per point."""
    return weight_rows(finite_points(tile), TAPS)


def output_matrix(tile: int) -> Rows:
    """Return the transform of the products to the cells of a tile along one axis."""
    return output_rows(finite_points(tile), tile)
