"""The sums of the queries of one warp: of weights, and of values by their weights.

A lane has the score of its own key of a tile, and then its own features of the results.
"""

from collections.abc import Callable
from functools import partial

from lxc.passes.nodes import attributes_of
from lxc.targets.cuda.intrinsics import MULTIPLY_ADD, SHUFFLE_XOR, WARP_BARRIER
from lxc.targets.cuda.templates.attention.copies import read_four, zeros
from lxc.targets.cuda.templates.attention.masks import LOWEST, larger, shown_score
from lxc.targets.cuda.templates.attention.shapes import Units
from lxc.targets.cuda.templates.attention.work import F32, FOUR, Block
from lxc.targets.cuda.templates.products.copies import unrolled
from lxc.targets.cuda.templates.teams import WARP
from lxc.targets.kernels.attention.kernel import Finish, finish_vector
from lxc.targets.kernels.attention.power import falling_power
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    as_index,
    both,
    constant,
    is_equal,
    load,
    select,
)


class Sums:
    """Writes the sums of one thread, which stay in registers."""

    def __init__(self, units: Units, block: Block) -> None:
        """Write the start of all sums."""
        self.block, self.work, self.memory = block, block.work, units.memory
        self.writer, self.shapes = block.work.writer, units.shapes
        rows, columns = self.shapes.rows, self.shapes.columns
        self.results = zeros(self.writer, rows * columns)
        self.weights = zeros(self.writer, rows)
        self.highest = self.writer.array(F32, rows)
        for row in range(rows):
            self.writer.store(self.highest, row, constant(LOWEST, F32), 1)

    def row(self, number: Index) -> Index:
        """Return one of the rows of this thread's warp."""
        return self.block.first + self.work.warp * self.shapes.rows + number

    def hold(self, value: Expr, dtype: str = F32) -> Expr:
        """Return a number that is kept in a register."""
        return self.writer.hold(value, dtype, 1)

    def across(self, value: Expr, combine: Callable[[Expr, Expr], Expr]) -> Expr:
        """Return the numbers of all lanes put together."""
        found, lanes = self.hold(value), WARP
        while lanes > 1:
            lanes //= 2
            mask = constant(lanes, "int32")
            other = self.hold(SHUFFLE_XOR.value(F32, found, mask))
            found = self.hold(combine(found, other))
        return found

    def add_tile(self, tile: Index) -> None:
        """Write what a tile of keys adds."""
        self.weigh(tile, self.scores())
        self.writer.write(WARP_BARRIER.statement())
        self.add_values()

    def scores(self) -> Buffer:
        """Write the products of the warp's queries with the lane's key."""
        writer, shapes, memory = self.writer, self.shapes, self.memory
        found = zeros(writer, shapes.rows)
        step = shapes.fours * FOUR
        keys = self.work.lane * shapes.key_step
        queries = self.work.warp * (shapes.rows * step)
        with writer.loop(shapes.fours) as four:
            key, query = writer.array(F32, FOUR), writer.array(F32, FOUR)
            read_four(writer, key, 0, memory.keys, keys + four * FOUR)
            for row in range(shapes.rows):
                at = queries + row * step + four * FOUR
                read_four(writer, query, 0, memory.queries, at)
                for place in range(FOUR):
                    factors = load(query, place), load(key, place)
                    total = MULTIPLY_ADD.value(F32, *factors, load(found, row))
                    writer.store(found, row, total, 1)
        return found

    def weigh(self, tile: Index, scores: Buffer) -> None:
        """Write the weights of a tile, and make room for them in all sums."""
        writer, shapes = self.writer, self.shapes
        with unrolled(writer, shapes.rows) as row:
            key = tile * WARP + self.work.lane
            shown = shown_score(self.block, self.row(row), key, load(scores, row))
            before = self.hold(load(self.highest, row))
            top = self.hold(larger(before, self.across(shown, larger)))
            # A row that has seen nothing yet: minus infinity less itself would be NaN.
            nothing = is_equal(top, constant(LOWEST, F32))
            safe = self.hold(select(nothing, constant(0.0, F32), top))
            shrink = self.hold(falling_power(self.hold(before - safe), self.hold))
            weight = self.hold(falling_power(self.hold(shown - safe), self.hold))
            writer.store(self.highest, row, top, 1)
            total = MULTIPLY_ADD.value(F32, load(self.weights, row), shrink, weight)
            writer.store(self.weights, row, total, 1)
            for column in range(shapes.columns):
                place = row * shapes.columns + column
                writer.store(self.results, place, load(self.results, place) * shrink, 1)
            number = self.work.warp * shapes.rows + row
            at = number * WARP + self.work.lane
            writer.store(self.memory.weights, at, weight, 1)

    def add_values(self) -> None:
        """Write the values of a tile, added by their weights in the order of the keys."""
        writer, shapes, memory = self.writer, self.shapes, self.memory
        first = self.work.warp * (shapes.rows * WARP)
        step = shapes.columns * WARP
        with writer.loop(WARP // FOUR) as four:
            weights = writer.array(F32, shapes.rows * FOUR)
            for row in range(shapes.rows):
                at = first + row * WARP + four * FOUR
                read_four(writer, weights, row * FOUR, memory.weights, at)
            for key in range(FOUR):
                start = (four * FOUR + key) * step + self.work.lane
                for column in range(shapes.columns):
                    value = self.hold(load(memory.values, start + column * WARP))
                    self.add_value(weights, key, column, value)

    def add_value(self, weights: Buffer, key: int, column: int, value: Expr) -> None:
        """Write a value added to the results of all rows."""
        for row in range(self.shapes.rows):
            place = row * self.shapes.columns + column
            weight, before = load(weights, row * FOUR + key), load(self.results, place)
            after = MULTIPLY_ADD.value(F32, weight, value, before)
            self.writer.store(self.results, place, after, 1)

    def finish(self, after: Finish) -> None:
        """Write the results divided by the sums of weights, and what follows."""
        writer, shapes, work = self.writer, self.shapes, self.work
        first_queries = attributes_of(after.node)["queries_first"]
        *batch, group = self.block.heads
        for number in range(shapes.rows):
            whole = self.across(load(self.weights, number), lambda x, y: x + y)
            part = self.hold(constant(1.0, F32) / whole)
            row = self.row(number)
            head, query = work.head_and_query(row)
            order = (query, group + head) if first_queries else (group + head, query)
            for column in range(shapes.columns):
                feature = work.lane + column * WARP
                place = number * shapes.columns + column
                element = self.hold(load(self.results, place) * part)
                is_row = as_index(row) < as_index(work.total)
                is_there = both(is_row, as_index(feature) < as_index(shapes.width))
                at = (*batch, *order, feature)
                store = partial(finish_vector, writer, after, at, element, 1)
                writer.choose(is_there, store, lambda: None)
