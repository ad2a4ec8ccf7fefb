"""Products in the steps of a shared loop: a thread computes one chain of a column.

A result is the sum, in order, of its chains, as in all other kernels.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce

from lxc.ir.node import Value
from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.intrinsics import (
    BARRIER,
    CLOSE_COPIES,
    COPY_16_LATER,
    LOAD_16,
    MULTIPLY_ADD,
    WAIT_COPIES,
)
from lxc.targets.cuda.templates.products.copies import unrolled
from lxc.targets.cuda.templates.recurrence.grid.own import OwnElements, OwnPart
from lxc.targets.cuda.templates.recurrence.grid.plan import ChainProduct
from lxc.targets.cuda.templates.recurrence.grid.weights import ChainWeights
from lxc.targets.cuda.templates.recurrence.memory import TERMS
from lxc.targets.cuda.templates.recurrence.weights import F32, each
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.group import group_of
from lxc.targets.kernels.place import Place
from lxc.targets.kernels.sizes import covering_parts, index_of
from lxc.targets.kernels.storage import computed
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    address_of,
    as_index,
    at_most,
    both,
    cast,
    constant,
    divide,
    is_less,
    load,
    modulo,
    store,
)

Save = Callable[[Elements, Index, Index, Expr], None]
"""It writes an element of the result, whose row and column it is given."""


@dataclass(frozen=True)
class End:
    """One result of a thread: its place, its sums, and whether there is such a result."""

    elements: Elements
    place: Place
    sums: Index
    exists: Expr


class SharedProduct:
    """A product of a step: what it reads, for `count` rows from `first` on.

    `direct` is the memory of the rows that are multiplied if that holds them as they are,
    with fours of columns. `far` are operands that come from far, so they are read before
    the sums.
    """

    def __init__(
        self,
        writer: GridWriter,
        weights: ChainWeights,
        arrays: tuple[Buffer, Buffer],
        source: Source,
        own: Mapping[Value, OwnPart],
        far: frozenset[Value],
        direct: Buffer | None,
        rows: tuple[int, Index],
    ) -> None:
        """Write nothing yet; `arrays` have room for rows and for sums."""
        self.writer, self.weights, self.source, self.own = writer, weights, source, own
        self.rows, self.sums = arrays
        self.far, self.direct = far, direct
        self.most, self.count = rows
        self.chained: ChainProduct = weights.chained

    def write(self, save: Save) -> None:
        """Write the product for all rows, so many at a time."""
        writer, most = self.writer, self.most
        with writer.loop(covering_parts(self.count, most)) as turn:
            first = turn * most
            if self.direct is None:
                self.stage(first)
            else:
                self.copy(self.direct, first)
            ends = [self.end(first, number) for number in range(self.turns)]
            writer.write(BARRIER.statement())
            self.write_chains()
            writer.write(BARRIER.statement())
            for end in ends:
                self.finish(end, save)

    @property
    def turns(self) -> int:
        """How many results a thread has at most."""
        return -(-self.most * self.chained.columns // self.writer.threads)

    def row(self, first: Index, number: Index) -> Index:
        """Return a row by its number among those of this turn, one that exists."""
        return self.writer.name(at_most(first + number, self.count - 1), self.count)

    def copy(self, memory: Buffer, first: Index) -> None:
        """Write the copies of rows to shared memory, 16 bytes at a time."""
        writer, fours = self.writer, self.chained.product.depth // TERMS
        with each(writer, self.most * fours) as entry:
            number = writer.name(divide(entry, fours), self.most)
            start = self.row(first, number) * fours
            term = modulo(entry, fours)
            to = address_of(self.rows, number * self.chained.width + term * TERMS)
            source = address_of(memory, (start + term) * TERMS)
            always = constant(1, "int32")
            writer.write(COPY_16_LATER.statement(to, source, always))
        writer.write(CLOSE_COPIES.statement())
        writer.write(WAIT_COPIES.statement(constant(0, "int32")))

    def stage(self, first: Index) -> None:
        """Write what computes the rows that are multiplied, to shared memory."""
        writer, depth = self.writer, self.chained.product.depth
        left = self.chained.product.anchor.operands[0]
        shape = [index_of(entry, writer.dims) for entry in left.type.shape]
        with each(writer, self.most * depth) as entry:
            number = writer.name(divide(entry, depth), self.most)
            term = writer.name(modulo(entry, depth), depth)
            elements = Elements(writer, self.source, 1)
            found = elements.at(left, Place(shape, (self.row(first, number), term)))
            place = number * self.chained.width + term
            writer.write(store(self.rows, place, elements.hold(found, F32)))

    def end(self, first: Index, number: int) -> End:
        """Write what a result of a thread needs beside its sums."""
        writer, chained, share = self.writer, self.chained, self.weights.share
        kind = chained.product.anchor.result.type
        count = self.most * chained.columns
        wanted = cast("int64", writer.thread) + number * writer.threads
        entry = writer.name(at_most(wanted, count - 1), count)
        row = writer.name(divide(entry, chained.columns), self.most)
        column = writer.name(modulo(entry, chained.columns), chained.columns)
        shape = [index_of(size, writer.dims) for size in kind.shape]
        place = Place(shape, (self.row(first, row), self.weights.column(column)))
        elements = OwnElements(writer, self.source, self.own)
        self.read_ahead(elements, place)
        unit = share.unit(modulo(column, share.size))
        conditions = (
            is_less(as_index(wanted), as_index(count)),
            is_less(as_index(first + row), as_index(self.count)),
            is_less(as_index(unit), as_index(share.units)),
        )
        return End(elements, place, row * chained.pairs + column, reduce(both, conditions))

    def read_ahead(self, elements: Elements, place: Place) -> None:
        """Write the loads of what comes from far to meet the sums at their own place."""
        body, like = self.chained.product.node.bodies[0], self.chained.product.anchor.result
        nodes = [node for node in body.nodes if node.op.kind == "elementwise"]
        met = {value for node in nodes for value in node.operands}
        for value in body.parameters:
            if value in self.far and value in met and value.type.shape == like.type.shape:
                element = elements.at(value, place)
                held = elements.hold(element, computed(value.type.dtype))
                elements.known[value, place] = held

    def write_chains(self) -> None:
        """Write the chains of all threads that have one."""
        writer, chained = self.writer, self.chained
        with each(writer, chained.pairs) as pair:
            chain = writer.name(divide(pair, chained.columns), chained.chains)
            sums = writer.array(F32, self.most)
            with unrolled(writer, self.most) as row:
                writer.write(store(sums, row, constant(0.0, F32)))
            start = chain * chained.terms
            for first, stop in ((0, chained.held), (chained.held, chained.terms)):
                self.write_fours(pair, start, (first, stop), sums)
            with unrolled(writer, self.most) as row:
                place = row * chained.pairs + pair
                writer.write(store(self.sums, place, load(sums, row)))

    def write_fours(
        self, pair: Index, start: Index, terms: tuple[int, int], sums: Buffer
    ) -> None:
        """Write multiply-adds, four terms at once, which all are held or none.

        Those of registers are written out, for there is no other way to name them.
        """
        writer, count = self.writer, (terms[1] - terms[0]) // TERMS
        if not count:
            return
        is_held = terms[1] <= self.chained.held
        with unrolled(writer, count) if is_held else writer.loop(count) as turn:
            first = terms[0] + turn * TERMS
            weight = self.weights.four(pair, first, is_held=is_held)
            given = [self.four(row, start + first) for row in range(self.most)]
            for term in range(TERMS):
                for row, values in enumerate(given):
                    factors = load(values, term), weight(term)
                    after = MULTIPLY_ADD.value(F32, *factors, load(sums, row))
                    writer.write(store(sums, row, after))

    def four(self, row: int, first: Index) -> Buffer:
        """Write the load of four neighbours of a row."""
        held = self.writer.array(F32, TERMS)
        source = address_of(self.rows, row * self.chained.width + first)
        self.writer.write(LOAD_16.statement(address_of(held, 0), source))
        return held

    def finish(self, end: End, save: Save) -> None:
        """Write the sum of the chains of a result, and what follows it."""
        writer, chained = self.writer, self.chained
        total = writer.array(F32, 1)
        writer.write(store(total, 0, constant(0.0, F32)))
        with unrolled(writer, chained.chains) as chain:
            part = load(self.sums, end.sums + chain * chained.columns)
            writer.write(store(total, 0, load(total, 0) + part))
        held = end.elements.hold(load(total, 0), F32)
        end.elements.known[chained.product.anchor.result, end.place] = held
        stored = group_of(chained.product.node.bodies[0]).stored
        element = end.elements.at(stored, end.place)
        kept = end.elements.hold(element, computed(stored.type.dtype))
        row, column = end.place.coordinates
        writer.choose(
            end.exists, lambda: save(end.elements, row, column, kept), lambda: None
        )
