"""One block of queries of an attention kernel: what it knows and what it brings in.

Rows of keys are turned around, so that a vector holds the same feature of several keys.
"""

from dataclasses import dataclass

from lxc.ir.machine import Machine
from lxc.passes.attention_memory import FEWEST, KEYS, LINE, TALL, AttentionMemory
from lxc.targets.kernels.sizes import covering_parts, whole_parts
from lxc.targets.kernels.split import vectors
from lxc.targets.kernels.strided import Strided
from lxc.targets.kernels.transposition import turned
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import (
    Buffer,
    Index,
    as_index,
    at_most,
    constant,
    divide,
    is_one,
    load,
    load_vector,
    modulo,
    store_vector,
)

F32 = "float32"
LOWEST = float("-inf")
MOST_VECTORS = 8
"""A tile of one row has at most this many vectors."""
SMALLEST_SQUARE = 4
"""Squares of fewer keys are not worth turning around in registers."""


@dataclass(frozen=True)
class Attention:
    """What all blocks of a kernel share: operands, sizes and options."""

    writer: Writer
    machine: Machine
    parts: AttentionMemory
    memory: Buffer
    query: Strided
    key: Strided
    value: Strided
    masks: tuple[Strided, ...]
    size: int
    width: int
    shared: int
    queries: Index
    keys: Index
    scale: float
    hidden: float
    causal: bool
    offset: Index

    @property
    def lanes(self) -> int:
        """The keys of one vector: less than twice as many as there are."""
        lanes = self.machine.lanes
        while isinstance(self.keys, int) and lanes >= 2 * self.keys > 0:
            lanes //= 2
        return lanes

    @property
    def side(self) -> int:
        """The keys and features of a square that is turned around at once."""
        side = self.lanes
        while side > max(1, self.size):
            side //= 2
        return side

    def panel(self, rows: int) -> int:
        """Return how many vectors wide a register tile of some rows is."""
        if rows == 1:
            return MOST_VECTORS
        return 4 if self.machine.registers >= 32 else 2

    def wide(self, rows: int) -> int:
        """Return how many vectors of keys such a tile has at most."""
        return min(self.panel(rows), KEYS // self.lanes)


@dataclass(frozen=True)
class Block:
    """One block of queries: its place in memory, and where its heads start in operands.

    It has `rows` rows from row `first` of its group of heads on. Rows are counted through
    all queries of the first head of the group, then of the second, and so on.
    """

    work: Attention
    place: Index
    first: Index
    rows: Index
    query: Index
    key: Index
    value: Index
    masks: tuple[Index, ...]

    def head_and_query(self, row: Index) -> tuple[Index, Index]:
        """Return which head of the group and which query a row is."""
        work = self.work
        number = self.first + row
        if work.shared == 1:
            return 0, number
        most = work.shared * work.queries
        number = work.writer.name(number, most)
        head = work.writer.name(divide(number, work.queries), work.shared)
        return head, work.writer.name(modulo(number, work.queries), work.queries)

    def last_row(self, row: Index) -> Index:
        """Return a row, or the last one instead of those that only fill up a tile."""
        if isinstance(self.rows, int) and isinstance(row, int):
            return min(row, self.rows - 1)
        return self.work.writer.name(at_most(row, self.rows - 1), self.rows)

    def query_start(self, row: Index) -> Index:
        """Return where the query of a row starts."""
        steps = self.work.query.steps
        head, query = self.head_and_query(self.last_row(row))
        at = self.query + head * steps[-3] + query * steps[-2]
        return named(self.work.writer, at)


@dataclass(frozen=True)
class Keys:
    """One block of keys: the first of them, how many, and how many vectors they fill."""

    first: Index
    count: Index
    vectors: Index


@dataclass(frozen=True)
class Tile:
    """Rows of a block that are computed together, from row `start` on."""

    block: Block
    keys: Keys
    start: Index
    rows: int

    def score(self, row: Index, key: Index) -> Index:
        """Return where the score of a row of the tile for a key of the block lies."""
        return self.block.place + self.block.work.parts.scores + row * KEYS + key


def clear_sums(block: Block, rows: Index) -> None:
    """Write the start of all sums of some rows."""
    work = block.work
    fill(block, work.parts.results, rows * work.width, 0.0)
    fill(block, work.parts.sums, rows * work.lanes, 0.0)
    fill(block, work.parts.highest, rows, LOWEST)


def fill(block: Block, start: Index, count: Index, number: float) -> None:
    """Write one number into a part of a place."""
    writer = block.work.writer
    for piece in vectors(0, count, block.work.machine.lanes):
        with writer.loop(piece.count) as turn:
            inner = piece.start + turn * piece.size + writer.lane(piece.size)
            at = block.place + start + inner
            writer.store(block.work.memory, at, constant(number, F32), piece.size)


def bring_keys(block: Block, keys: Keys) -> None:
    """Write a block of keys to memory as [size, KEYS], in full vectors.

    The last key fills up the last vector, and zeros what tiles read behind it: what else
    lies there may be numbers that are slow to compute with.
    """
    work = block.work
    clear_behind(block, keys)
    *_, along, feature = work.key.steps
    if is_one(feature) and not is_one(along) and work.side >= SMALLEST_SQUARE:
        turn_keys(block, keys)
        return
    writer, lanes = work.writer, work.lanes
    start = block.place + work.parts.keys
    whole = whole_parts(keys.count, lanes)

    def vector(place: Index, number: Index, *, last: bool) -> None:
        inner = number * lanes + writer.lane(lanes)
        key = keys.first + (at_most(inner, keys.count - 1) if last else inner)
        element = load(work.key.buffer, block.key + key * along + place * feature)
        writer.store(work.memory, start + place * KEYS + inner, element, lanes)

    with writer.loop(work.size) as place:
        with writer.loop(whole) as number:
            vector(place, number, last=False)
        with writer.loop(keys.vectors - whole) as number:
            vector(place, whole + number, last=True)


def clear_behind(block: Block, keys: Keys) -> None:
    """Write zeros to the vectors behind the keys that tiles read with the last of them."""
    work, vectors = block.work, keys.vectors
    writer, lanes = work.writer, work.lanes
    start = block.place + work.parts.keys
    if isinstance(vectors, int):
        wide = [min(work.wide(rows), vectors) for rows in (1, TALL)]
        end: Index = max(-(-vectors // size) * size for size in wide)
    else:
        most = max(work.wide(1), work.wide(TALL))
        end = covering_parts(vectors, most) * most
    with writer.loop(work.size) as place, writer.loop(end - vectors) as number:
        at = start + place * KEYS + (vectors + number) * lanes + writer.lane(lanes)
        writer.store(work.memory, at, constant(0.0, F32), lanes)


def turn_keys(block: Block, keys: Keys) -> None:
    """Write a block of keys whose features are neighbours, one square at a time.

    What does not fill a square overlaps with the square before, or repeats the last key.
    """
    work = block.work
    writer, side = work.writer, work.side
    with writer.loop(keys.vectors * (work.lanes // side)) as group:
        starts = []
        for lane in range(side):
            number = keys.first + at_most(group * side + lane, keys.count - 1)
            starts.append(named(writer, block.key + number * work.key.steps[-2]))
        with writer.loop(work.size // side) as number:
            turn_square(block, starts, number * side, group * side)
            if not isinstance(block.rows, int) or block.rows < FEWEST:
                fetch_in_order(block, keys.first + group * side, number)
        if work.size % side:
            turn_square(block, starts, work.size - side, group * side)


def named(writer: Writer, position: Index) -> Index:
    """Return a variable for a position in memory."""
    return writer.hold(as_index(position), "int64", 1)


def turn_square(block: Block, starts: list[Index], feature: Index, key: Index) -> None:
    """Write some features of as many keys."""
    work = block.work
    writer, side = work.writer, work.side
    rows = []
    for start in starts:
        rows.append(writer.array(F32, side))
        vector = load_vector(work.key.buffer, start + feature, side)
        writer.write(store_vector(rows[-1], 0, vector, side))
    for number, column in enumerate(turned(writer, rows, F32)):
        at = block.place + work.parts.keys + (feature + number) * KEYS + key
        vector = load_vector(column, 0, side)
        writer.write(store_vector(work.memory, at, vector, side))


def fetch_in_order(block: Block, first: Index, part: Index) -> None:
    """Ask for some of the next vectors of keys, and of the values of this one.

    Squares are read across rows; whole rows in order are what processors foresee.
    """
    work = block.work
    each = max(1, work.side // (work.size // work.side))
    for number in range(each):
        row = first + part * each + number
        fetch_row(block, work.key, block.key, row + 2 * work.side, work.size)
        fetch_row(block, work.value, block.value, row, work.width)


def fetch_row(block: Block, operand: Strided, at: Index, key: Index, size: int) -> None:
    """Ask for a row of keys or values, or for the last one instead of one behind it."""
    work = block.work
    row = at + at_most(key, work.keys - 1) * operand.steps[-2]
    for feature in range(0, size, LINE):
        position = row + feature * operand.steps[-1]
        work.writer.fetch(operand.buffer, position)


def fetch_ahead(block: Block, keys: Keys, part: Index, parts: Index) -> None:
    """Ask for one of so many parts of the keys and values of the next block."""
    work = block.work
    start = divide(part * KEYS, parts)
    with work.writer.loop(divide((part + 1) * KEYS, parts) - start) as number:
        key = work.writer.name(keys.first + KEYS + start + number, work.keys + KEYS)
        fetch_row(block, work.key, block.key, key, work.size)
        fetch_row(block, work.value, block.value, key, work.width)
