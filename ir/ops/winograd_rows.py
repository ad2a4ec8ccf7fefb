"""Convolutions of few channels by minimal filtering along the rows of cells.

A tile is four neighbouring cells of one row of the result. Where tiles step over several
cells at a time, every part of the taps that meets cells a step apart is a filter of its
own, with as many points as it needs: their products at the same point add up to one sum,
for what follows is the same. Down the columns every tap is one more term of these sums.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.ir.dim import bounds
from lxc.ir.minimal_filtering import ZERO, input_rows, number_array, output_rows
from lxc.ir.op import op
from lxc.ir.ops.packed import blocked
from lxc.ir.types import Array, DType, TensorType

TILE = 4
"""So many cells of the result have a tile."""
POINTS = (ZERO, *(Fraction(n, 8) for n in (7, -7, 14, -14, 3)))
"""The finite points; a filter takes as many from the front as it needs.

They are exact in every float type. Of all eighths up to 3, errors for filters of three and
four taps together are smallest with these.
"""
Moves = tuple[int, int]
Edges = tuple[Moves, Moves]


@dataclass(frozen=True)
class Filter:
    """The taps `first`, `first + step` and so on: `points` of the transformed weight.

    Those begin with number `start`; there are as many of them as cells that a tile reads.
    """

    first: int
    taps: int
    start: int

    @property
    def points(self) -> int:
        """The number of points, infinity with them."""
        return TILE - 1 + self.taps

    @property
    def finite(self) -> tuple[Fraction, ...]:
        """The points but infinity."""
        return POINTS[: self.points - 1]


def filters(taps: int, step: int) -> tuple[Filter, ...]:
    """Return the filters that taps of a row come apart to where tiles take steps."""
    found: list[Filter] = []
    start = 0
    for first in range(min(taps, step)):
        found.append(Filter(first, -(-(taps - first) // step), start))
        start += found[-1].points
    return tuple(found)


def taps_of(points: int, step: int) -> int:
    """Return how many taps a row has whose filters have so many points together."""
    return points - step * (TILE - 1)


def tiles_in(cells: int) -> int:
    """Return how many tiles cover a row of the result."""
    return -(-cells // TILE)


@op(kind="reduction")
def winograd_row_conv(
    x: TensorType,
    weight: TensorType,
    memory: TensorType,
    *,
    strides: Moves,
    padding: Edges,
    band: int,
) -> TensorType:
    """Return the cross-correlation [N, O blocks, *cells, lanes] of `x` [N, C, H, W].

    `weight` is the kernel after its transform, [points, O blocks, taps down * C, lanes].
    The padding is zeros. `memory` is scratch memory: in each of its rows, `room_size` long
    at least, some rows of the result, `band` at most, are worked at.
    """
    if x.rank != 4 or x.dtype not in (DType.F32, DType.F64):
        raise Mismatch("x", "f32 or f64 with two spatial axes", x)
    if weight.rank != 4 or weight.dtype != x.dtype or bounds(x.shape[1])[1] < 1:
        raise Mismatch("weight", f"{x.dtype} of rank 4", weight, because=f"x is {x}")
    points, outputs, depth, lanes = (bounds(entry)[1] for entry in weight.shape)
    inputs, taps = bounds(x.shape[1])[1], taps_of(points, strides[1])
    known = isinstance(x.shape[1], int) and all(isinstance(n, int) for n in weight.shape)
    if not known or depth % inputs or taps < strides[1] or outputs * lanes < 1:
        wanted = "[points, O blocks, taps down * C, lanes]"
        raise Mismatch("weight", wanted, weight, because=f"x is {x}")
    if max(one.points for one in filters(taps, strides[1])) > len(POINTS) + 1:
        raise LxcError("LXC-E0103", f"there are no filters of {taps} taps")
    cells = []
    moves = zip(x.shape[2:], padding, strides, (depth // inputs, taps), strict=True)
    for entry, (low, high), step, window in moves:
        reach = entry + low + high - window
        if bounds(reach)[0] < 0 or step < 1:
            raise Mismatch("x", f"at least {window} cells with what is around them", x)
        cells.append(reach // step + 1)
    if band < 1:
        raise LxcError("LXC-E0103", f"a band cannot have {band} rows")
    least = room_size(x, weight, strides, bounds(cells[1])[1], band)
    fits = memory.rank == 2 and memory.dtype == x.dtype
    if not fits or bounds(memory.shape[1])[0] < least:
        wanted = f"rows of {least} {x.dtype} or more"
        raise Mismatch("memory", wanted, memory, because=f"x is {x}")
    return x.with_shape((x.shape[0], outputs, *cells, lanes))


@dataclass(frozen=True)
class Room:
    """How many elements the parts of a row of the scratch memory have.

    Each of the `rows` of cells that a band reads has a line of `columns` for every point of
    every channel, and `cells_row` elements for all points of one. A `line` holds a row of
    cells with what is around them, `turned` the same with the cells of all tiles side by
    side, and `sums` those of `together` tiles of the result for `most` blocks of channels.
    """

    columns: int
    cells_row: int
    rows: int
    line: int
    turned: int
    sums: int
    inputs: int
    together: int
    most: int

    @property
    def cells(self) -> int:
        """The elements of all points of all rows."""
        return self.rows * self.inputs * self.cells_row

    @property
    def size(self) -> int:
        """The number of all elements."""
        return self.cells + self.line + self.turned + self.sums


MOST_BLOCKS = 8
"""So many blocks of output channels at most are computed at a time."""
MOST_TILES = 32
"""Of so many tiles at most the sums lie in memory at a time."""
LINE = 16
"""The float32 of a line of a cache."""


def room_of(inputs: int, weight: TensorType, strides: Moves, width: int, band: int) -> Room:
    """Return the room for a band, given the number of cells in a row of the result."""
    points, outputs, depth, lanes = (bounds(entry)[1] for entry in weight.shape)
    tiles = tiles_in(width)
    columns = -(-tiles // lanes) * lanes
    cells_row = -(-points * columns // LINE) * LINE
    # Rows must not lie a power of two apart: caches have few places for such addresses.
    cells_row += LINE * (1 - cells_row // LINE % 2)
    height = -(-points // lanes) * lanes
    most = min(outputs, MOST_BLOCKS)
    largest = max(one.points for one in filters(taps_of(points, strides[1]), strides[1]))
    return Room(
        columns,
        cells_row,
        (band - 1) * strides[0] + depth // inputs,
        -(-(TILE * strides[1] * (columns - 1) + height) // LINE) * LINE,
        height * columns,
        largest * min(tiles, MOST_TILES) * most * lanes,
        inputs,
        min(tiles, MOST_TILES),
        most,
    )


def room_size(
    x: TensorType, weight: TensorType, strides: Moves, width: int, band: int
) -> int:
    """Return how many elements the room for a band has."""
    return room_of(bounds(x.shape[1])[1], weight, strides, width, band).size


@winograd_row_conv.reference
def winograd_row_conv_arrays(
    x: Array,
    weight: Array,
    memory: Array,
    *,
    strides: Moves,
    padding: Edges,
    band: int,
) -> Array:
    """Transform all tiles, multiply point by point, transform back: in the type of `x`."""
    points, outputs, depth, lanes = weight.shape
    down, across = depth // x.shape[1], taps_of(points, strides[1])
    padded = np.pad(x, [(0, 0), (0, 0), *padding])
    width = (padded.shape[3] - across) // strides[1] + 1
    tiles, step = tiles_in(width), TILE * strides[1]
    more = max(0, step * (tiles - 1) + points - padded.shape[3])
    padded = np.pad(padded, [(0, 0), (0, 0), (0, 0), (0, more)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (down, points), (2, 3))
    seen = windows[:, :, :: strides[0], ::step][:, :, :, :tiles]
    samples, height = seen.shape[0], seen.shape[2]
    parts = filters(across, strides[1])
    largest = max(parts, key=lambda one: one.points)
    sums = np.zeros((largest.points, samples * height * tiles, outputs * lanes), x.dtype)
    kernel = np.moveaxis(weight, 1, 2).reshape(points, depth, outputs * lanes)
    for one in parts:
        turn = number_array(input_rows(one.finite), x.dtype)
        cells = seen[..., one.first :: strides[1]][..., : one.points]
        spread = np.einsum("pj,nchtyj->pnhtyc", turn, cells, optimize=True)
        rows = spread.reshape(one.points, -1, depth)
        found = np.matmul(rows, kernel[one.start : one.start + one.points])
        sums[: one.points - 1] += found[:-1]
        sums[-1] += found[-1]
    back = number_array(output_rows(largest.finite, TILE), x.dtype)
    made = np.einsum("ip,pro->roi", back, sums, optimize=True)
    made = made.reshape(samples, height, tiles, outputs * lanes, TILE)
    shape = samples, outputs * lanes, height, tiles * TILE
    joined = made.transpose(0, 3, 1, 2, 4).reshape(shape)
    return blocked(joined[..., :width], lanes)
