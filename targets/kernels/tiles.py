"""Reductions with vectors along a result axis: register tiles of rows by vectors."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from lxc.ir.machine import Machine
from lxc.ir.node import Value
from lxc.passes.plain_convolutions import bytes_read
from lxc.targets.kernels.finish import LONG_WORK, finish_tile, rows_aside
from lxc.targets.kernels.halo import write_halo
from lxc.targets.kernels.nest import choose_kind, walk_axes
from lxc.targets.kernels.parts_choice import parts_of
from lxc.targets.kernels.place import Place
from lxc.targets.kernels.sizes import covering_parts, product
from lxc.targets.kernels.split import (
    Panels,
    Pieces,
    aligned_panels,
    block_panels,
    lane_panels,
    tiles,
    total,
)
from lxc.targets.kernels.tile import Tile, Work, has_next_panel, write_sums
from lxc.targets.kernels.tile_groups import (
    band_of,
    bytes_of_tile,
    known_part,
    shared_first,
    tiles_together,
)
from lxc.targets.kernels.tile_shapes import parts_of_vector, tile_shapes
from lxc.targets.kernels.variants import TileVariant
from lxc.targets.kernels.vector_math.steps import steps_of
from lxc.targets.tvm_api import Buffer, Index, address, at_most, divide, modulo

MOST_ROWS = 16
CACHE_WAY_BYTES = 4096
"""Addresses this far apart share a place in a first-level cache."""
FEW_ROWS = 8
"""So many lines surely fit into one place of a first-level cache."""


@dataclass(frozen=True)
class Tiling:
    """How a reduction is cut: kinds of tiles along the rows, panels along the lanes.

    `outer` are the loop axes that are walked outside of both. `chunk` is how many tiles
    are computed one after the other for a panel; 0 means all. `fetches` says whether the
    next panel is fetched meanwhile. Of the axis `first_shared` of the anchor, if it is set,
    a band of so many entries is walked inside of all others; 0 means that there are none.
    """

    work: Work
    long: bool
    kinds: list[Pieces]
    panels: list[Panels]
    outer: tuple[int, ...]
    chunk: int
    fetches: bool
    band: int

    @property
    def axes(self) -> list[Any]:
        """What is walked around the tiles: outer axes, chunks, panels, inner axes."""
        anchor, chunks = self.work.anchor, 1
        if self.chunk:
            chunks = divide(total(self.kinds) + self.chunk - 1, self.chunk)
        outer = [anchor.loops[axis] for axis in self.outer]
        if self.band and anchor.first_shared is not None:
            place = self.outer.index(anchor.first_shared)
            outer[place] = covering_parts(outer[place], self.band)
        inner = [anchor.loops[axis] for axis in anchor.inner]
        return [*outer, self.work.writer.prover.simplify(chunks), self.panels, *inner]

    def write(self, entries: tuple[Any, ...], columns: list[Buffer]) -> None:
        """Write the tiles of one entry of all axes."""
        writer, axis = self.work.writer, self.work.anchor.first_shared
        if not self.band or axis is None:
            self.write_rows(entries, columns)
            return
        place = self.outer.index(axis)
        first = entries[place] * self.band
        left = at_most(self.work.anchor.loops[axis] - first, self.band)
        with writer.loop(writer.prover.simplify(left)) as number:
            here = (*entries[:place], first + number, *entries[place + 1 :])
            self.write_rows(here, columns)

    def write_rows(self, entries: tuple[Any, ...], columns: list[Buffer]) -> None:
        """Write the tiles of one row of the result, or of one entry of all axes."""
        writer = self.work.writer
        if not self.chunk:
            for kind in self.kinds:
                with writer.loop(kind.count) as number:
                    row = kind.start + number * kind.size
                    self.tile(entries, kind, number, row, columns)
            return
        first = entries[len(self.outer)] * self.chunk
        left = at_most(total(self.kinds) - first, self.chunk)
        with writer.loop(writer.prover.simplify(left)) as turn:
            choose_kind(
                writer,
                self.kinds,
                first + turn,
                lambda entry: self.tile(entries, entry[0], turn, entry[1], columns),
            )

    def columns(self) -> list[Buffer]:
        """Return arrays for the sums of a tile, if its end is written in a loop.

        They are large enough for every kind of tile and panel.
        """
        if not (self.long and self.kinds):
            return []
        rows = max(kind.size for kind in self.kinds)
        panels = (panel.vectors for panel in self.panels)
        held, writer = self.work.anchor.held, self.work.writer
        return [
            writer.array(held, rows * max(vector.width for vector in column if vector))
            for column in zip_longest(*panels)
        ]

    def tile(
        self,
        entries: tuple[Any, ...],
        kind: Pieces,
        number: Index,
        row: Index,
        columns: list[Buffer],
    ) -> None:
        """Write one tile, whose first row is `row`."""
        anchor = self.work.anchor
        _, (panel, column), *inner = entries[len(self.outer) :]
        base: list[Index] = [0] * len(anchor.loops)
        along = anchor.lane if anchor.block is None else anchor.block
        placed = zip(
            (*self.outer, *anchor.inner, along, anchor.row),
            (*entries[: len(self.outer)], *inner, column, row),
            strict=True,
        )
        for axis, start in placed:
            if axis is not None:
                base[axis] = start
        extents = [anchor.loops[axis] for axis in anchor.inner]
        turns = self.chunk or total(self.kinds)
        before = (
            sum(k.count for k in self.kinds[: self.kinds.index(kind)])
            if (not self.chunk)
            else 0
        )
        turn = Place([*extents, turns], [*inner, before + number]).position
        made = Tile(
            self.work,
            tuple(base),
            kind.size,
            panel.vectors,
            turn,
            product([*extents, turns]),
        )
        self.compute(made, columns)

    def compute(self, tile: Tile, columns: Sequence[Buffer]) -> None:
        """Write the sums of a tile and what follows them."""
        finish_tile(tile, write_sums(tile, fetches=self.fetches), columns)


def write_tiles(work: Work, machine: Machine, *, parallel: bool) -> None:
    """Write the loops of a reduction whose vectors run along a result axis."""
    anchor = work.anchor
    wide = anchor.held in ("float64", "int64", "uint64")
    lanes = max(1, machine.lanes // 2) if wide else machine.lanes
    long = steps_of(work.group.body.nodes) > LONG_WORK
    rows = 1 if anchor.row is None else anchor.loops[anchor.row]
    variant = variant_of(work, rows, lanes, machine, long=long)
    tall, panels = variant.rows, panels_of(work, lanes, variant.vectors)
    kinds = tiles(rows, tall, few=long)
    placed = {anchor.lane, anchor.row, anchor.block, *anchor.inner}
    outer = tuple(axis for axis in range(len(anchor.loops)) if axis not in placed)
    band = band_of(anchor, outer) if parallel else 0
    if band and anchor.first_shared is not None:
        outer = shared_first(outer, anchor.first_shared)
    others = known_part([anchor.loops[axis] for axis in outer], panels)
    near = bytes_of_tile(anchor, tall)
    chunk = tiles_together(anchor, kinds, near, others, machine, parallel=parallel)
    tiling = Tiling(work, long, kinds, panels, outer, chunk, variant.fetches, band)
    write_halo(work.writer, work.source, work.group, work.result, machine.lanes)
    parts = None if long else parts_of(work, kinds, panels, outer, machine)
    if parts is not None:
        parts.write(parallel=parallel)
        return
    # Threads must not share what a tile keeps aside; a serial kernel needs it only once.
    shared = None if parallel else tiling.columns()

    def body(entries: tuple[Any, ...]) -> None:
        tiling.write(entries, tiling.columns() if shared is None else shared)

    walk_axes(work.writer, tiling.axes, body, parallel=parallel)


def variant_of(
    work: Work, rows: Index, lanes: int, machine: Machine, *, long: bool
) -> TileVariant:
    """Return how many rows and vectors a tile has, and whether it fetches ahead."""
    anchor = work.anchor
    lane_axis = 1 if anchor.lane is None else anchor.loops[anchor.lane]
    width = lanes if anchor.block is None else lane_axis
    most_rows = MOST_ROWS
    if long:
        item = 4 if lanes == machine.lanes else 8
        most_rows = rows_aside(width * item)
    if anchor.row_bytes and anchor.row_bytes % CACHE_WAY_BYTES == 0:
        most_rows = FEW_ROWS
    shared = len(anchor.factors) == 2 and not all(
        anchor.lane in factor.loops for factor in anchor.factors
    )
    if anchor.block is not None:
        vectors = anchor.loops[anchor.block]
        # Wide blocks take several registers each.
        registers = machine.registers // -(-width // lanes)
        machine = replace(machine, registers=registers, lanes=width)
    else:
        vectors = -(-lane_axis // lanes) if isinstance(lane_axis, int) else 1
    shapes = tile_shapes(
        rows,
        vectors,
        machine,
        most_rows,
        shared=shared,
        long=long,
        far_bytes=0 if anchor.far is None else bytes_read(anchor.node),
        turning=turning_of(work),
        parts=parts_of_vector(lane_axis, lanes) if anchor.block is None else 1,
        read_once=rows == 1 and is_large(anchor.panel_weight, machine),
    )
    return work.variants.tiles(shapes, fetches=has_next_panel(work))


def is_large(weight: Value | None, machine: Machine) -> bool:
    """Return whether there are weights in panels that the nearest cache does not hold."""
    return weight is not None and weight.type.max_bytes > machine.first_cache


def turning_of(work: Work) -> float:
    """Return what it takes to turn a row of a vector around, for each step of its sums."""
    steps, lane = product(work.anchor.depth), work.anchor.lane
    if work.group.exit is None or lane is None or not isinstance(steps, int):
        return 0.0
    operations: float = work.anchor.loops[lane] / max(1, steps)
    return operations


def panels_of(work: Work, lanes: int, vectors: int) -> list[Panels]:
    """Return the panels of so many vectors."""
    anchor, valid = work.anchor, work.anchor.valid
    lane_axis = 1 if anchor.lane is None else anchor.loops[anchor.lane]
    if anchor.block is None:
        first = first_aligned(work, lanes)
        if first is not None:
            return aligned_panels(lane_axis, lanes, vectors, first)
        return lane_panels(lane_axis, lanes, vectors)
    blocks = anchor.loops[anchor.block]
    if work.group.exit is not None and work.group.exit < blocks * lane_axis:
        valid = work.group.exit
    return block_panels(blocks, lane_axis, valid, vectors)


def first_aligned(work: Work, lanes: int) -> Index | None:
    """Return which entry of the lane axis begins a line of the operand that is read far.

    Where that is the same one for every step of the reduction, all vectors can be read
    without touching two lines each, wherever the operand lies. None if it is not.
    """
    anchor, writer = work.anchor, work.writer
    if anchor.far is None or work.group.halo is not None or lanes < 2:
        return None
    lane_axis = 1 if anchor.lane is None else anchor.loops[anchor.lane]
    if not isinstance(lane_axis, int) or lane_axis % lanes or lane_axis < 2 * lanes:
        return None
    item = anchor.far.type.dtype.bytes
    start = divide(address(work.source.buffers[anchor.far]), item)
    return writer.name(modulo(lanes - modulo(start, lanes), lanes), lanes)
