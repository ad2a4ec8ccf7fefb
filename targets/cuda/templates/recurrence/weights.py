"""The weights of a product in the steps of a loop: at hand from the first step to the last.

A thread has the first terms of its column in registers. All other terms lie in shared
memory, four terms of a column side by side, and neighbouring columns next to each other.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from lxc.ir.node import Value
from lxc.passes.nodes import attributes_of
from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.intrinsics import LOAD_16
from lxc.targets.cuda.templates.products.copies import unrolled
from lxc.targets.cuda.templates.recurrence.memory import TERMS, StepProduct
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.place import Place, unravel
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    address_of,
    cast,
    divide,
    load,
    modulo,
    sequence,
    store,
    variable,
)
from lxc.targets.tvm_grid import strided_loop

F32 = "float32"
Column = Callable[[Index], Expr]
"""It returns the weight of a term, counted from the first one of some."""


@contextmanager
def each(writer: GridWriter, count: Index) -> Iterator[Index]:
    """Write a loop whose turns the threads of a block share; yields the counter."""
    counter = variable(writer.fresh("e"))
    writer.prover.bind(counter, 0, count)
    with writer.block() as inner:
        yield counter
    first = cast("int64", writer.thread)
    writer.write(strided_loop(counter, first, count, writer.threads, sequence(inner)))


@dataclass(frozen=True)
class Weights:
    """Where the weights of a product are: the first `held` terms in registers."""

    writer: GridWriter
    product: StepProduct
    held: int
    registers: Buffer | None
    memory: Buffer | None

    def bring(self, constants: Mapping[Value, Buffer]) -> None:
        """Write the copy of all weights out of memory."""
        if self.registers is not None:
            self.bring_registers(self.registers, constants)
        if self.memory is not None:
            self.bring_shared(self.memory, constants)

    def bring_registers(self, to: Buffer, constants: Mapping[Value, Buffer]) -> None:
        """Write the copy of the first terms of a thread's column."""
        writer = self.writer
        columns = self.product.columns
        with each(writer, columns) as column, unrolled(writer, self.held) as term:
            writer.write(
                store(to, term, weight_of(writer, self.product, constants, column, term))
            )

    def bring_shared(self, to: Buffer, constants: Mapping[Value, Buffer]) -> None:
        """Write the copy of all other terms; neighbouring threads read neighbours."""
        writer, left = self.writer, self.product.depth - self.held
        with each(writer, self.product.columns * left) as entry:
            column = writer.name(divide(entry, left), self.product.columns)
            term = writer.name(modulo(entry, left), left)
            element = weight_of(writer, self.product, constants, column, self.held + term)
            writer.write(store(to, self.place(column, term), element))

    def place(self, column: Index, term: Index) -> Index:
        """Return where in shared memory a term lies that is not held."""
        group = divide(term, TERMS) * self.product.columns + column
        return group * TERMS + modulo(term, TERMS)

    def four(self, column: Index, first: Index, *, is_held: bool) -> Column:
        """Write the load of four terms of a column; all are held, or none of them."""
        if is_held and self.registers is not None:
            held = self.registers
            return lambda term: load(held, first + term)
        return self.loaded(column, first)

    def loaded(self, column: Index, first: Index) -> Column:
        """Write the load of four terms out of shared memory."""
        writer, memory = self.writer, self.memory
        found = writer.array(F32, TERMS)
        if memory is not None:
            source = address_of(memory, self.place(column, first - self.held))
            writer.write(LOAD_16.statement(address_of(found, 0), source))
        return lambda term: load(found, term)

    def one(self, column: Index, term: int) -> Expr:
        """Return a single weight."""
        if term < self.held and self.registers is not None:
            return load(self.registers, term)
        return load(self.memory, self.place(column, term - self.held))


def weight_of(
    writer: GridWriter,
    product: StepProduct,
    constants: Mapping[Value, Buffer],
    column: Index,
    term: Index,
) -> Expr:
    """Return a weight out of the operands of the loop."""
    (body,), node = product.node.bodies, product.node
    pairs = zip(body.parameters, node.operands, strict=True)
    known = {inside: constants[value] for inside, value in pairs if value in constants}
    weight, facts = product.anchor.operands[1], attributes_of(product.anchor)
    (axis,) = facts["rhs_contract"]
    shape = [int(entry) for entry in weight.type.shape]
    free = [entry for number, entry in enumerate(shape) if number != axis]
    place = list(unravel(column, free))
    place.insert(axis, term)
    elements = Elements(writer, Source(body, known), 1)
    return elements.hold(elements.at(weight, Place(shape, place)), F32)
