"""What a convolution into blocks costs in cycles, by every algorithm there is.

Sizes are those of one sample, so the algorithm does not depend on the batch. Weights are
read from memory once, which takes its time where there are few cells for many channels:
what is fetched ahead keeps places busy that operands from nearer caches wait for.
"""

from dataclasses import dataclass

from lxc.ir.machine import Machine
from lxc.ir.ops.winograd import POINTS, TAPS
from lxc.ir.ops.winograd_rows import filters, tiles_in
from lxc.passes.tile_blocks import tile_counts

WEIGHT_BYTES_PER_CYCLE = 8
"""What one core gets from memory, on top of computing."""
TRANSFORM_CYCLES = {2: (40, 30), 4: (150, 110)}
"""For every size of tile, the cycles to transform one vector of tiles in, and one out."""
ROW_TRANSFORM_CYCLES = (12, 30)
"""The same for tiles of a row: for one point of one vector of tiles, and for a tile."""
ROWS_AGAIN = 1.3
"""So often every row of cells is transformed: bands of the result share some."""
DIRECT = 0
"""What stands for no tiles at all."""


@dataclass(frozen=True)
class Convolution:
    """The sizes of a convolution for one sample: cells of the result, and channels."""

    cells: tuple[int, int]
    inputs: int
    outputs: int


def costs(one: Convolution, machine: Machine) -> dict[int, int]:
    """Return the cycles without tiles and for every size of tile."""
    found = {DIRECT: direct_cycles(one, machine)}
    return found | {tile: tile_cycles(one, tile, machine) for tile in POINTS}


def direct_cycles(one: Convolution, machine: Machine) -> int:
    """Return the cycles of a convolution that multiplies every cell with every tap."""
    taps = TAPS * TAPS
    return product_cycles(one, taps * one.cells[0] * one.cells[1], taps, machine)


def tile_cycles(one: Convolution, tile: int, machine: Machine) -> int:
    """Return the cycles of a convolution by tiles."""
    rows, columns = tile_counts(one.cells, tile)
    points = (tile + 2) ** 2
    products = product_cycles(one, points * rows * columns, points, machine)
    into, out = TRANSFORM_CYCLES[tile]
    turned = into * one.inputs + out * one.outputs
    return products + rows * columns * turned // machine.lanes


def product_cycles(one: Convolution, rows: int, matrices: int, machine: Machine) -> int:
    """Return the cycles to multiply rows of input channels with matrices of weights."""
    weights = one.inputs * one.outputs
    per_cycle = machine.lanes * (2 if machine.has_fma else 1)
    bytes_read = matrices * weights * 4
    return rows * weights // per_cycle + bytes_read // WEIGHT_BYTES_PER_CYCLE


@dataclass(frozen=True)
class RowConvolution:
    """The sizes of one of few channels for one sample; `steps` are its strides."""

    cells: tuple[int, int]
    inputs: int
    outputs: int
    taps: tuple[int, int]
    steps: tuple[int, int]


def row_costs(one: RowConvolution, machine: Machine) -> tuple[int, int]:
    """Return the cycles without tiles, and with tiles along the rows."""
    per_cycle = machine.lanes * (2 if machine.has_fma else 1)
    (rows, columns), (down, across) = one.cells, one.taps
    depth, tiles = down * one.inputs, tiles_in(columns)
    points = sum(part.points for part in filters(across, one.steps[1]))
    blocks = -(-one.outputs // machine.lanes)
    per_term = blocks * machine.lanes * depth
    direct = rows * columns * across * per_term // per_cycle
    products = rows * tiles * points * per_term // per_cycle
    into, out = ROW_TRANSFORM_CYCLES
    lines = round(ROWS_AGAIN * rows * one.steps[0]) * one.inputs
    turned = lines * points * into * -(-tiles // machine.lanes)
    return direct, products + turned + rows * tiles * blocks * out
