"""Long sums part by part, so that the weights of a part stay in the first-level cache.

All tiles of a panel add one part of their terms before the first of them adds the next. In
between their sums lie in memory. Every sum is still one chain in the order of the reduction
axes, so nothing of this changes a bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from lxc.targets.kernels.finish import finish_tile
from lxc.targets.kernels.nest import choose_entries, choose_kind
from lxc.targets.kernels.place import Place, unravel
from lxc.targets.kernels.sizes import product
from lxc.targets.kernels.split import Panels, Pieces, total
from lxc.targets.kernels.tile import (
    Cell,
    Tile,
    Work,
    write_terms,
)
from lxc.targets.kernels.tile_steps import TERMS_UNROLLED, write_steps
from lxc.targets.tvm_api import (
    Buffer,
    Index,
    as_index,
    at_most,
    divide,
    is_equal,
    is_less,
    load,
    modulo,
    select,
)

LINE = 16
"""The float32 of a line of a cache."""


@dataclass(frozen=True)
class Parts:
    """How sums are cut: `size` entries of the first reduction axis at a time.

    A task computes the tiles of one panel, for one entry of all `outer` axes: all of them,
    or those of one of so many `groups`.
    """

    work: Work
    kinds: list[Pieces]
    panels: list[Panels]
    outer: tuple[int, ...]
    size: int
    groups: int

    @property
    def count(self) -> int:
        """The number of parts."""
        return int(self.work.anchor.depth[0]) // self.size

    @property
    def depth(self) -> tuple[int, ...]:
        """The sizes of the reduction axes in one part."""
        return (self.size, *(int(entry) for entry in self.work.anchor.depth[1:]))

    @property
    def turns(self) -> tuple[int, ...]:
        """How many tiles a panel has: the inner axes, and the tiles along the rows."""
        inner = (int(self.work.anchor.loops[axis]) for axis in self.work.anchor.inner)
        return (*inner, int(total(self.kinds)))

    @property
    def tall(self) -> int:
        """The rows of the largest tile."""
        return max(kind.size for kind in self.kinds)

    @property
    def wide(self) -> int:
        """The lanes of the largest panel."""
        return max(width_of(self.work, panel) for panel in self.panels)

    @property
    def kept(self) -> int:
        """How many sums a task keeps."""
        return self.together * self.tall * self.wide

    @property
    def together(self) -> int:
        """How many tiles a task computes."""
        return prod(self.turns) // self.groups

    def write(self, *, parallel: bool) -> None:
        """Write the loop over tasks."""
        writer, anchor = self.work.writer, self.work.anchor
        axes = [*(anchor.loops[axis] for axis in self.outer), self.panels, self.groups]
        shape = [*axes[:-2], total(self.panels), self.groups]
        with writer.loop(product(shape), parallel=parallel) as number:
            kept = writer.array(anchor.held, self.kept, stays=True)

            def task(entries: tuple[Any, ...]) -> None:
                self.task(kept, entries)

            choose_entries(writer, axes, unravel(number, shape), task)

    def task(self, kept: Buffer, entries: tuple[Any, ...]) -> None:
        """Write the tiles of one task, part after part of their sums."""
        *outer, (panel, block), group = entries
        writer, anchor, first = self.work.writer, self.work.anchor, group * self.together
        with writer.loops((self.count, self.together)) as (part, place):
            *inner, turn = unravel(first + place, self.turns)
            base: list[Index] = [0] * len(anchor.loops)
            axes = (*self.outer, *anchor.inner, anchor.block or 0)
            for axis, start in zip(axes, (*outer, *inner, block), strict=True):
                base[axis] = start

            def tile(entry: tuple[Pieces, Index]) -> None:
                kind, row = entry
                if anchor.row is not None:
                    base[anchor.row] = row
                made = Tile(
                    self.work, tuple(base), kind.size, panel.vectors, place, self.together
                )
                self.tile(made, part, group, kept)

            choose_kind(writer, self.kinds, turn, tile)

    def tile(self, tile: Tile, part: Index, group: Index, kept: Buffer) -> None:
        """Write one part of the sums of a tile."""
        writer, anchor = self.work.writer, self.work.anchor
        start = tile.turn * self.tall * self.wide
        sums = {
            (row, j): writer.array(anchor.held, tile.vectors[j].width)
            for row, j in tile.cells
        }
        wide = width_of(self.work, tile)

        def lanes(cell: Cell) -> tuple[Index, Index, int]:
            row, j = cell
            width = tile.vectors[j].width
            return start + row * wide + j * lane_width(self.work), writer.lane(width), width

        def begin() -> None:
            for cell, held in sums.items():
                _, lane, width = lanes(cell)
                writer.store(held, lane, anchor.start, width)

        def go_on() -> None:
            for cell, held in sums.items():
                place, lane, width = lanes(cell)
                writer.store(held, lane, load(kept, place + lane), width)

        def keep() -> None:
            for cell, held in sums.items():
                place, lane, width = lanes(cell)
                writer.store(kept, place + lane, load(held, lane), width)

        writer.choose(is_equal(as_index(part), as_index(0)), begin, go_on)
        following = next_part(self, tile, part, group)

        def step(deep: tuple[Index, ...]) -> None:
            write_fetches(self, tile, following, deep)
            write_terms(tile, sums, (part * self.size + deep[0], *deep[1:]))

        most = max(1, TERMS_UNROLLED // len(sums))
        write_steps(writer, self.depth, most, step)
        is_last = is_equal(as_index(part), as_index(self.count - 1))
        writer.choose(is_last, lambda: finish_tile(tile, sums, []), keep)


def lane_width(work: Work) -> int:
    """Return the lanes of a block."""
    return 1 if work.anchor.lane is None else int(work.anchor.loops[work.anchor.lane])


def width_of(work: Work, panel: Panels | Tile) -> int:
    """Return how many lanes the blocks of a panel have together."""
    return len(panel.vectors) * lane_width(work)


def next_part(parts: Parts, tile: Tile, part: Index, group: Index) -> Index:
    """Return where the weights begin that are read after a part of those of a panel.

    Those are the next part of the panel, its first one for the next group of tiles, or the
    first one of the next panel.
    """
    anchor, writer = parts.work.anchor, parts.work.writer
    if anchor.panel_place is None or anchor.panel_weight is None:
        return 0
    place = anchor.panel_place(tile.base)
    panel = product(anchor.depth) * width_of(parts.work, tile)
    here = place + (part + 1) * prod(parts.depth) * lane_width(parts.work)
    last = int(anchor.panel_weight.type.element_count) - panel
    inside = is_less(as_index(part), as_index(parts.count - 1))
    behind = at_most(place + divide(group + 1, parts.groups) * panel, last)
    found = select(inside, here, behind)
    return writer.name(found, last + panel)


def write_fetches(
    parts: Parts, tile: Tile, following: Index, deep: Sequence[Index]
) -> None:
    """Write which of the weights that are read next one step brings near.

    All tiles that read a part bring in some lines of the next one each, those of all blocks
    side by side.
    """
    work, anchor = parts.work, parts.work.anchor
    weight, steps = anchor.panel_weight, prod(parts.depth)
    if weight is None:
        return
    count = width_of(work, tile) * steps // LINE
    turn = tile.turn * steps + Place(parts.depth, deep).position
    lines = -(-count // (steps * int(tile.turns)))
    blocks, block = len(tile.vectors), product(anchor.depth) * lane_width(work)
    for line in range(lines):
        number = turn * lines + line
        if lines == 1:
            number = divide(turn * count, steps * int(tile.turns))
        number = at_most(number, count - 1)
        place = modulo(number, blocks) * block + divide(number, blocks) * LINE
        work.writer.fetch(work.source.buffers[weight], following + place, nearest=True)
