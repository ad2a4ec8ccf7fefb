"""Products in the steps of a loop: a thread computes a column for all rows of its block."""

from collections.abc import Sequence
from dataclasses import dataclass

from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.intrinsics import LOAD_16, MULTIPLY_ADD
from lxc.targets.cuda.templates.products.copies import unrolled
from lxc.targets.cuda.templates.products.units import SPLIT
from lxc.targets.cuda.templates.recurrence.memory import TERMS, StepProduct
from lxc.targets.cuda.templates.recurrence.weights import F32, Weights, each
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.group import group_of
from lxc.targets.kernels.place import Place, unravel
from lxc.targets.kernels.sizes import index_of
from lxc.targets.kernels.storage import computed
from lxc.targets.tvm_api import (
    Buffer,
    Index,
    address_of,
    as_index,
    at_most,
    constant,
    divide,
    is_less,
    load,
    modulo,
    store,
)


@dataclass(frozen=True)
class StepWork:
    """A product of a step: what it reads and writes, and for how many rows.

    Of the `most` rows of a block, there are `count`.
    """

    writer: GridWriter
    product: StepProduct
    source: Source
    weights: Weights
    result: Buffer
    most: int
    count: Index


def stage_rows(work: StepWork, to: Buffer) -> None:
    """Write the rows that are multiplied to shared memory."""
    writer, depth, left = work.writer, work.product.depth, work.product.anchor.operands[0]
    shape = [index_of(entry, writer.dims) for entry in left.type.shape]
    with each(writer, work.count * depth) as entry:
        row = writer.name(divide(entry, depth), work.count)
        elements = Elements(writer, work.source, 1)
        place = Place(shape, (row, modulo(entry, depth)))
        writer.write(store(to, entry, elements.hold(elements.at(left, place), F32)))


def write_product(work: StepWork, rows: Buffer, sequences: Sequence[bool]) -> None:
    """Write the results of a product and of what follows it.

    Operands of `sequences` come from far, so they are read before the sums.
    """
    writer, product = work.writer, work.product
    kind = product.anchor.result.type
    shape = [index_of(entry, writer.dims) for entry in kind.shape]
    with each(writer, product.columns) as column:
        ends = []
        for number in range(work.most):
            row = writer.name(at_most(work.count - 1, number), work.most)
            place = Place(shape, (row, *unravel(column, shape[1:])))
            ends.append((Elements(writer, work.source, 1), place))
            read_ahead(work, *ends[-1], sequences)
        totals = write_sums(work, rows, column, [end[1].coordinates[0] for end in ends])
        for number, (elements, place) in enumerate(ends):
            held = elements.hold(load(totals, number), F32)
            elements.known[work.product.anchor.result, place] = held
            save(work, elements, place, number)


def read_ahead(
    work: StepWork, elements: Elements, place: Place, sequences: Sequence[bool]
) -> None:
    """Write the loads of what meets the sums at their own place."""
    body = work.product.node.bodies[0]
    nodes = [node for node in body.nodes if node.op.kind == "elementwise"]
    met = {value for node in nodes for value in node.operands}
    for value, is_far in zip(body.parameters, sequences, strict=True):
        if (
            is_far
            and value in met
            and value.type.shape == work.product.anchor.result.type.shape
        ):
            element = elements.at(value, place)
            held = elements.hold(element, computed(value.type.dtype))
            elements.known[value, place] = held


def save(work: StepWork, elements: Elements, place: Place, number: int) -> None:
    """Write a result, if there is such a row."""
    stored = group_of(work.product.node.bodies[0]).stored
    element = elements.at(stored, place)
    held = elements.hold(element, computed(stored.type.dtype))

    def write() -> None:
        elements.save(work.result, place.position, held, stored.type.dtype)

    if number == 0:
        write()
        return
    is_there = is_less(as_index(number), as_index(work.count))
    work.writer.choose(is_there, write, lambda: None)


def write_sums(work: StepWork, rows: Buffer, column: Index, at: Sequence[Index]) -> Buffer:
    """Write the sums of a column for some rows; return the totals, in registers.

    A total is the sum of chains of multiply-adds, in order.
    """
    writer, depth = work.writer, work.product.depth
    sums, totals = writer.array(F32, work.most), writer.array(F32, work.most)
    clear(work, totals)
    for start in range(0, depth, SPLIT):
        clear(work, sums)
        write_chain(work, rows, column, at, (sums, start, min(SPLIT, depth - start)))
        with unrolled(writer, work.most) as row:
            total = load(totals, row) + load(sums, row)
            writer.write(store(totals, row, total))
    return totals


def clear(work: StepWork, sums: Buffer) -> None:
    """Write that sums are zero."""
    with unrolled(work.writer, work.most) as row:
        work.writer.write(store(sums, row, constant(0.0, F32)))


def write_chain(
    work: StepWork,
    rows: Buffer,
    column: Index,
    at: Sequence[Index],
    chain: tuple[Buffer, int, int],
) -> None:
    """Write the multiply-adds of some terms: four at once, then those that are left."""
    sums, start, count = chain
    held, end = work.weights.held, start + count
    for first, stop in ((start, min(end, held)), (max(start, held), end)):
        whole = max(0, stop - first) // TERMS
        if whole:
            write_fours(work, rows, column, at, (sums, first, whole))
        for term in range(first + whole * TERMS, stop):
            weight = work.writer.hold(work.weights.one(column, term), F32, 1)
            for row, place in enumerate(at):
                factor = load(rows, place * work.product.depth + term)
                add(work.writer, sums, row, (factor, weight))


def write_fours(
    work: StepWork,
    rows: Buffer,
    column: Index,
    at: Sequence[Index],
    fours: tuple[Buffer, int, int],
) -> None:
    """Write the multiply-adds of so many times four terms, all of which are held or none.

    Those of registers are written out, for there is no other way to name them.
    """
    writer, depth = work.writer, work.product.depth
    sums, start, count = fours
    is_held = start < work.weights.held
    with unrolled(writer, count) if is_held else writer.loop(count) as turn:
        first = start + turn * TERMS
        weight = work.weights.four(column, first, is_held=is_held)
        given = [
            four(writer, rows, row * depth + first, wide=depth % TERMS == 0) for row in at
        ]
        for term in range(TERMS):
            for row, values in enumerate(given):
                add(writer, sums, row, (load(values, term), weight(term)))


def add(writer: GridWriter, sums: Buffer, row: int, factors: Sequence[Index]) -> None:
    """Write one multiply-add."""
    after = MULTIPLY_ADD.value(F32, *map(as_index, factors), load(sums, row))
    writer.write(store(sums, row, after))


def four(writer: GridWriter, memory: Buffer, at: Index, *, wide: bool) -> Buffer:
    """Return four neighbours in shared memory, in registers."""
    held = writer.array(F32, TERMS)
    if wide:
        source = address_of(memory, at)
        writer.write(LOAD_16.statement(address_of(held, 0), source))
        return held
    with unrolled(writer, TERMS) as term:
        writer.write(store(held, term, load(memory, at + term)))
    return held
