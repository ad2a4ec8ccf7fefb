"""Attention of half types by matrix units: what blocks have, and the sums of a warp.

A weight is the sum of two numbers of the half type, for the sums of values are to be those
of float32: one keeps its upper digits, the other what that leaves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from lxc.ir.node import Node
from lxc.ir.types import DType
from lxc.passes.attention_memory import head_sizes
from lxc.passes.nodes import attributes_of
from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.intrinsics import (
    LOAD_MATRICES,
    LOAD_MATRICES_TURNED,
    MULTIPLY_ADD,
    SHUFFLE_XOR,
    SPLIT_BF16,
    SPLIT_F16,
)
from lxc.targets.cuda.shared_memory import SharedArray
from lxc.targets.cuda.templates.attention.masks import LOWEST, larger, shown_score
from lxc.targets.cuda.templates.attention.work import (
    F32,
    WARPS,
    Attention,
    Block,
    Parts,
    attention_of,
)
from lxc.targets.cuda.templates.products.copies import unrolled
from lxc.targets.cuda.templates.products.matrices import MULTIPLY
from lxc.targets.kernels.attention.kernel import Finish, finish_vector
from lxc.targets.kernels.attention.power import falling_power
from lxc.targets.kernels.element import Source
from lxc.targets.kernels.storage import stored
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    address_of,
    as_index,
    both,
    constant,
    divide,
    is_equal,
    load,
    modulo,
    select,
)

LINE = 16
"""Rows of a warp, and terms of one instruction."""
GAP = 8
"""Elements between lines of shared memory: eight of those lie in different banks."""
SPLIT = {DType.BF16: SPLIT_BF16, DType.F16: SPLIT_F16}
GROWN = {DType.BF16: 1.0, DType.F16: 2.0**15}
"""What the parts of a weight, at most 1, are multiplied by, so that small ones stay."""
LARGE = 64
"""Values with more features have smaller tiles of keys, for registers are short."""


@dataclass(frozen=True)
class MatrixShapes:
    """The sizes of the parts of a block: features, and keys of a tile.

    Of two stages of keys and values one is written while the other one is read.
    """

    size: int
    width: int
    tile: int

    @property
    def rows(self) -> int:
        """The queries of a block."""
        return LINE * WARPS

    @property
    def deep(self) -> int:
        """The features of queries and keys, with zeros up to whole instructions."""
        return -(-self.size // LINE) * LINE

    @property
    def wide(self) -> int:
        """The same of values."""
        return -(-self.width // LINE) * LINE

    @property
    def columns(self) -> int:
        """The matrices of eight features that a warp has of the results."""
        return self.wide // 8

    @property
    def key_stage(self) -> int:
        """The elements of one stage of keys."""
        return self.tile * (self.deep + GAP)

    @property
    def value_stage(self) -> int:
        """The elements of one stage of values."""
        return self.tile * (self.wide + GAP)


@dataclass(frozen=True)
class Matrices:
    """Attention by matrix units: what blocks share, their parts and their arrays."""

    work: Attention
    shapes: MatrixShapes
    queries: Buffer
    keys: Buffer
    values: Buffer


def matrices_of(writer: GridWriter, source: Source, node: Node) -> Matrices:
    """Return attention of a half type, of which heads are never too large."""
    query, key, value, *_ = (operand.type for operand in node.operands)
    sizes = head_sizes(query, key, value)
    shapes = MatrixShapes(sizes.size, sizes.width, 32 if sizes.width > LARGE else 64)
    kind = stored(query.dtype)
    queries, keys, values, flags = writer.shared(
        SharedArray("queries", kind, shapes.rows * (shapes.deep + GAP)),
        SharedArray("keys", kind, 2 * shapes.key_stage),
        SharedArray("values", kind, 2 * shapes.value_stage),
        SharedArray("flags", "int32", WARPS),
    )
    parts = Parts(shapes.rows, shapes.tile, flags)
    return Matrices(
        attention_of(writer, source, node, parts), shapes, queries, keys, values
    )


class MatrixSums:
    """Writes the sums of a warp: a thread has parts of two rows, eight rows apart."""

    def __init__(self, matrices: Matrices, block: Block) -> None:
        """Write the start of all sums."""
        self.block, self.work, self.matrices = block, block.work, matrices
        self.writer, self.shapes = block.work.writer, matrices.shapes
        self.multiply = MULTIPLY[self.work.dtype]
        self.results = self.filled(4 * self.shapes.columns, 0.0)
        self.weights, self.highest = self.filled(2, 0.0), self.filled(2, LOWEST)
        self.group, self.member = divide(self.work.lane, 4), modulo(self.work.lane, 4)

    def filled(self, count: int, number: float) -> Buffer:
        """Return new registers with the same number in all of them."""
        found = self.writer.array(F32, count)
        with unrolled(self.writer, count) as place:
            self.writer.store(found, place, constant(number, F32), 1)
        return found

    def hold(self, value: Expr, dtype: str = F32) -> Expr:
        """Return a number that is kept in a register."""
        return self.writer.hold(value, dtype, 1)

    def row(self, number: Index) -> Index:
        """Return one of the two rows of this thread."""
        return self.block.first + self.work.warp * LINE + self.group + number * 8

    def add_tile(self, tile: Index, stage: Index) -> None:
        """Write what the tile of keys that lies in a stage adds."""
        scores = self.scores(stage * self.shapes.key_stage)
        with unrolled(self.writer, 2) as number:
            self.weigh(tile, scores, number)
        self.add_values(scores, stage * self.shapes.value_stage)

    def scores(self, base: Index) -> Buffer:
        """Write the products of the warp's queries with the keys of a tile."""
        writer, shapes, matrices = self.writer, self.shapes, self.matrices
        found, pitch = self.filled(shapes.tile // 2, 0.0), shapes.deep + GAP
        which, line = divide(self.work.lane, 8), modulo(self.work.lane, 8)
        lower, upper = modulo(which, 2) * 8, divide(which, 2) * 8
        with unrolled(writer, shapes.deep // LINE) as step:
            query, key = writer.array("uint32", 4), writer.array("uint32", 4)
            at = (self.work.warp * LINE + lower + line) * pitch + step * LINE + upper
            self.read(query, matrices.queries, at)
            with unrolled(writer, shapes.tile // LINE) as pair:
                at = base + (pair * LINE + upper + line) * pitch + step * LINE + lower
                self.read(key, matrices.keys, at)
                for second in range(2):
                    to = address_of(found, (pair * 2 + second) * 4)
                    factors = address_of(query, 0), address_of(key, second * 2)
                    writer.write(self.multiply.statement(to, *factors))
        return found

    def read(self, to: Buffer, memory: Buffer, at: Index, *, turned: bool = False) -> None:
        """Write the load of four matrices, of which each lane names a line."""
        load_matrices = LOAD_MATRICES_TURNED if turned else LOAD_MATRICES
        statement = load_matrices.statement(address_of(to, 0), address_of(memory, at))
        self.writer.write(statement)

    def weigh(self, tile: Index, scores: Buffer, number: Index) -> None:
        """Write the weights of a tile for one row, and make room for them in all sums."""
        writer, shapes = self.writer, self.shapes
        largest, total = self.filled(1, LOWEST), self.filled(1, 0.0)
        with unrolled(writer, shapes.tile // 8) as part, unrolled(writer, 2) as side:
            place = part * 4 + number * 2 + side
            key = tile * shapes.tile + part * 8 + self.member * 2 + side
            shown = shown_score(self.block, self.row(number), key, load(scores, place))
            writer.store(scores, place, shown, 1)
            writer.store(largest, 0, larger(load(largest, 0), load(scores, place)), 1)
        before = self.hold(load(self.highest, number))
        top = self.hold(larger(before, self.across(load(largest, 0), larger)))
        # A row that has seen nothing yet: minus infinity less itself would be NaN.
        nothing = is_equal(top, constant(LOWEST, F32))
        safe = self.hold(select(nothing, constant(0.0, F32), top))
        shrink = self.hold(falling_power(self.hold(before - safe), self.hold))
        writer.store(self.highest, number, top, 1)
        with unrolled(writer, shapes.tile // 8) as part, unrolled(writer, 2) as side:
            place = part * 4 + number * 2 + side
            below = self.hold(load(scores, place) - safe)
            weight = self.hold(writer.settled(F32, falling_power(below, self.hold)))
            writer.store(scores, place, weight, 1)
            writer.store(total, 0, load(total, 0) + weight, 1)
        whole = MULTIPLY_ADD.value(F32, load(self.weights, number), shrink, load(total, 0))
        writer.store(self.weights, number, whole, 1)
        with unrolled(writer, shapes.columns) as part, unrolled(writer, 2) as side:
            place = part * 4 + number * 2 + side
            writer.store(self.results, place, load(self.results, place) * shrink, 1)

    def across(self, value: Expr, combine: Callable[[Expr, Expr], Expr]) -> Expr:
        """Return the numbers of the four lanes that share a row put together."""
        found = self.hold(value)
        for lanes in (2, 1):
            mask = constant(lanes, "int32")
            other = self.hold(SHUFFLE_XOR.value(F32, found, mask))
            found = self.hold(combine(found, other))
        return found

    def add_values(self, weights: Buffer, base: Index) -> None:
        """Write the values of a tile, added by both parts of their weights."""
        writer, shapes = self.writer, self.shapes
        pitch, split = shapes.wide + GAP, SPLIT[self.work.dtype]
        which, line = divide(self.work.lane, 8), modulo(self.work.lane, 8)
        with unrolled(writer, shapes.tile // LINE) as step:
            high, low = writer.array("uint32", 4), writer.array("uint32", 4)
            with unrolled(writer, 4) as part:
                first = step * 8 + part * 2
                pair = load(weights, first), load(weights, first + 1)
                places = address_of(high, part), address_of(low, part)
                writer.write(split.statement(*places, *pair))
            value = writer.array("uint32", 4)
            with unrolled(writer, shapes.columns // 2) as pair_of_columns:
                row = step * LINE + modulo(which, 2) * 8 + line
                column = pair_of_columns * LINE + divide(which, 2) * 8
                at = base + row * pitch + column
                self.read(value, self.matrices.values, at, turned=True)
                for second in range(2):
                    place = (pair_of_columns * 2 + second) * 4
                    for factor in (high, low):
                        to, right = address_of(self.results, place), second * 2
                        factors = address_of(factor, 0), address_of(value, right)
                        writer.write(self.multiply.statement(to, *factors))

    def finish(self, after: Finish) -> None:
        """Write the results divided by the sums of weights, and what follows."""
        writer, shapes, work = self.writer, self.shapes, self.work
        first_queries = attributes_of(after.node)["queries_first"]
        *batch, group = self.block.heads
        grown = constant(GROWN[work.dtype], F32)
        for number in range(2):
            whole = self.across(load(self.weights, number), lambda x, y: x + y)
            part = self.hold(constant(1.0, F32) / (whole * grown))
            row = self.row(number)
            head, query = work.head_and_query(row)
            order = (query, group + head) if first_queries else (group + head, query)
            with unrolled(writer, shapes.columns) as column, unrolled(writer, 2) as side:
                feature = column * 8 + self.member * 2 + side
                place = column * 4 + number * 2 + side
                element = self.hold(load(self.results, place) * part)
                is_row = as_index(row) < as_index(work.total)
                is_there = both(is_row, as_index(feature) < as_index(shapes.width))
                at = (*batch, *order, feature)
                write = partial(finish_vector, writer, after, at, element, 1)
                writer.choose(is_there, write, lambda: None)
