"""The kernel of a convolution with one tap that copies a stretch of cells at a time.

The rows of channels lie far apart: what a tile reads of them is in a different page of
memory in every step. So the first tile of a panel of cells also copies what it reads to
where the vectors of the panel lie one after the other, and all other tiles read it there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from lxc.ir.machine import Machine
from lxc.ir.node import Node
from lxc.targets.kernels.anchors import Anchor, Coordinates, Factor
from lxc.targets.kernels.convolutions.grouped import CHANNEL, GROUP, SAMPLE, grouped
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.finish import LONG_WORK, finish_tile, rows_aside
from lxc.targets.kernels.halo import write_halo
from lxc.targets.kernels.nest import choose_kind
from lxc.targets.kernels.place import Place, unravel
from lxc.targets.kernels.rooms import shares
from lxc.targets.kernels.sizes import index_of, product
from lxc.targets.kernels.split import Panels, Pieces, lane_panels, tiles
from lxc.targets.kernels.tile import Cell, Tile, Work, write_sums, write_terms
from lxc.targets.kernels.tile_shapes import tile_shapes
from lxc.targets.kernels.vector_math.steps import steps_of
from lxc.targets.tvm_api import Buffer, Expr, Index, at_most, load

MOST_ROWS = 16
AHEAD = 8
"""Channels are asked for so long before they are copied."""
LINE = 16
"""The float32 of a cache line."""
CELL = CHANNEL + 1
"""The last loop axis: all cells of a channel."""


@dataclass(frozen=True)
class Room:
    """A row of the scratch memory: panels of `inputs` channels from `start` on.

    `columns` is where ends of tiles that are written in a loop find their sums.
    """

    memory: Buffer
    start: Index
    inputs: int
    columns: Sequence[Buffer]

    def place(self, panel: Panels, number: Index, channel: Index, cell: Index) -> Index:
        """Return where a cell of panel `number` lies, counted from its first one."""
        row = number * self.inputs + channel
        return self.start + row * panel.size + cell - min(0, panel.vectors[0].offset)


@dataclass(frozen=True)
class Stretches:
    """How results are cut: rows into tiles, cells into panels, of which some are a stretch.

    `kinds` counts the stretches of every entry of `panels`, `most` panels each.
    """

    work: Work
    rows: list[Pieces]
    panels: list[Panels]
    kinds: list[Pieces]
    most: int
    long: bool

    def write(self, which: tuple[Index, Index], number: Index, room: Room) -> None:
        """Write stretch `number` of a group of a sample."""
        writer = self.work.writer
        choose_kind(writer, self.kinds, number, lambda one: self.one(which, *one, room))

    def one(self, which: tuple[Index, Index], kind: Pieces, at: Index, room: Room) -> None:
        """Write a stretch of one kind: the copies, and the tiles that read them."""
        writer, panel = self.work.writer, self.panels[self.kinds.index(kind)]
        first = writer.prover.simplify((at - kind.start) * self.most)
        left = writer.prover.simplify(at_most(panel.count - first, self.most))
        start = panel.start + first * panel.size
        head, *rest = first_apart(self.rows)
        with writer.loop(left) as number:
            cell = start + number * panel.size
            copied = partial(self.copy_step, (which, cell), panel, number, room)
            self.tile((*which, head.start, cell), head.size, panel, number, room, copied)
        for rows in rest:
            with writer.loop(rows.count) as turn, writer.loop(left) as number:
                row = rows.start + turn * rows.size
                cell = start + number * panel.size
                self.tile((*which, row, cell), rows.size, panel, number, room)

    def copy_step(
        self,
        at: tuple[tuple[Index, Index], Index],
        panel: Panels,
        number: Index,
        room: Room,
        inner: Index,
    ) -> None:
        """Write the copy of a panel of cells of one channel, and ask for a later one."""
        writer, x = self.work.writer, self.work.anchor.node.operands[0]
        (sample, group), cell = at
        sizes = [index_of(entry, writer.dims) for entry in x.type.shape]
        flat = (*sizes[:2], product(sizes[2:]))
        channel = group * room.inputs + inner
        self.fetch((sample, channel + AHEAD, cell), panel, flat)
        for vector in panel.vectors:
            elements = Elements(writer, self.work.source, vector.width)
            inside = vector.offset + writer.lane(vector.width)
            position = Place(flat, (sample, channel, cell + inside)).position
            element = elements.at(x, Place(sizes, position=position))
            target = writer.prover.simplify(room.place(panel, number, inner, inside))
            writer.store(room.memory, target, element, vector.width)

    def fetch(self, at: Coordinates, panel: Panels, flat: Coordinates) -> None:
        """Ask for a panel of cells of a channel that is copied soon."""
        writer, x = self.work.writer, self.work.anchor.node.operands[0]
        if x not in self.work.source.buffers:
            return
        last = product(flat) - 1
        for cell in range(0, panel.size, LINE):
            position = at_most(Place(flat, at).position + cell, last)
            fetched = writer.prover.simplify(position)
            writer.fetch(self.work.source.buffers[x], fetched, nearest=True)

    def tile(
        self,
        base: tuple[Index, ...],
        rows: int,
        panel: Panels,
        number: Index,
        room: Room,
        copied: Callable[[Index], None] | None = None,
    ) -> None:
        """Write one tile, whose cells are panel `number` in the room.

        What is not there yet is `copied` channel by channel.
        """
        anchor = self.work.anchor

        def pull(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
            place = room.place(panel, number, deep[0], at[CELL] - base[CELL])
            return load(room.memory, elements.writer.prover.simplify(place))

        def terms(tile: Tile, sums: dict[Cell, Buffer], deep: Sequence[Index]) -> None:
            if copied is not None:
                copied(deep[0])
            write_terms(tile, sums, deep)

        kept = Factor(pull, frozenset({SAMPLE, GROUP, CELL}))
        whole = replace(anchor, factors=(kept, *anchor.factors))
        work = replace(self.work, anchor=whole, terms=terms)
        tile = Tile(work, base, rows, panel.vectors, 0, 1)
        finish_tile(tile, write_sums(tile, fetches=False), room.columns)

    def columns(self) -> list[Buffer]:
        """Return arrays for the sums of any tile, if its end is written in a loop."""
        anchor, rows = self.work.anchor, max(kind.size for kind in self.rows)
        widest = max((panel.vectors for panel in self.panels), key=len)
        return [
            self.work.writer.array(anchor.held, rows * vector.width)
            for vector in (widest if self.long else ())
        ]


def first_apart(rows: Sequence[Pieces]) -> list[Pieces]:
    """Return pieces of rows as they are, but the first piece apart from the others."""
    first, *others = rows
    head, left = replace(first, count=1), first.count - 1
    if isinstance(left, int) and left < 1:
        return [head, *others]
    return [head, replace(first, start=first.start + first.size, count=left), *others]


def stretched_conv(node: Node, dims: Mapping[str, Expr], source: Source) -> Anchor:
    """Return the loops over sample, group, channel and cell, with the weight as factor."""
    one = grouped(node, dims)
    samples, channels, *space = one.shape

    def position(at: Coordinates) -> Index:
        flat = (samples, channels, product(space))
        return Place(flat, (at[SAMPLE], one.channel(at), at[CELL])).position

    return Anchor(
        node,
        (samples, one.groups, one.outputs, product(space)),
        (one.kernel[1],),
        CELL,
        CHANNEL,
        "add",
        lambda at: (at[SAMPLE], one.channel(at), *unravel(at[CELL], space)),
        (one.factor,),
        position=position,
    )


def write_stretched(work: Work, machine: Machine, *, parallel: bool) -> str:
    """Write the kernel, a row of the scratch memory per task; return the algorithm."""
    anchor, writer = work.anchor, work.writer
    (inputs,) = anchor.depth
    memory = anchor.node.operands[2]
    rows, length = (int(entry) for entry in memory.type.shape)
    cut = stretches_of(work, length, machine)
    samples, groups = anchor.loops[:2]
    shape = (samples, groups, sum(int(kind.count) for kind in cut.kinds))
    write_halo(writer, work.source, work.group, work.result, machine.lanes)
    with shares(writer, rows, product(shape), parallel=parallel) as share:
        start, columns = share.row * length, cut.columns()
        room = Room(work.source.buffers[memory], start, int(inputs), columns)
        with writer.loop(share.count) as turn:
            sample, group, number = unravel(share.first + turn, shape)
            cut.write((sample, group), number, room)
    return f"{anchor.node.op} by tiles"


def stretches_of(work: Work, length: int, machine: Machine) -> Stretches:
    """Return how a convolution is cut, if a stretch is no longer than so much memory."""
    anchor, lanes = work.anchor, machine.lanes
    outputs, cells = (int(entry) for entry in anchor.loops[CHANNEL:])
    most_vectors = length // (int(anchor.depth[0]) * lanes)
    long = steps_of(work.group.body.nodes) > LONG_WORK
    most_rows = min(MOST_ROWS, rows_aside(lanes * 4)) if long else MOST_ROWS
    columns = min(most_vectors, -(-cells // lanes))
    shapes = tile_shapes(outputs, columns, machine, most_rows, shared=True, long=long)
    variant = work.variants.tiles(shapes, fetches=False)
    panels = lane_panels(cells, lanes, variant.vectors)
    most = max(1, most_vectors // variant.vectors)
    kinds, first = [], 0
    for panel in panels:
        count = -(-int(panel.count) // most)
        kinds.append(Pieces(first, count, (1,)))
        first += count
    return Stretches(work, tiles(outputs, variant.rows), panels, kinds, most, long)
